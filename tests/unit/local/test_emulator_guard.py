"""The guard: which requests are a web page's, and which doors of the emulator are shut."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.local.emulator import guard
from tidegate.local.emulator.guard import guarded, is_shut, sign_link
from tidegate.local.pages import refusal

OWN = b"127.0.0.1:4566"


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1:4566",
        "localhost:4566",
        "LOCALHOST",
        "[::1]:4566",
        "bucket.s3.localhost:4566",
        "a_b.localhost",
    ],
)
def test_a_program_of_this_machine_is_served_by_its_names(host: str) -> None:
    assert refusal([(b"Host", host.encode())]) is None


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example\\@127.0.0.1",
        "evil.example@127.0.0.1",
        "127.0.0.1@evil.example",
        "127.0.0.1:4566@evil.example",
        "evil.example#@127.0.0.1",
        "evil.example/127.0.0.1",
        "127.0.0.1.evil.example",
        "localhost.evil.example",
        "evillocalhost",
        ".localhost",
        "-.localhost",
        "127.0.0.1:4566:80",
        "127.0.0.1:",
        "127.0.0.1:x",
        "127.0.0.1 ",
        " 127.0.0.1",
        "127.0.0.1\t",
        "127.0.0.1,evil.example",
        "127.1",
        "0.0.0.0",
        "2130706433",
        "0x7f.0.0.1",
        "[::ffff:127.0.0.1]",
        "127.0.0.1\x00.evil.example",
        "",
    ],
)
def test_any_other_host_is_refused(host: str) -> None:
    assert refusal([(b"host", host.encode("latin-1"))]) is not None


def test_a_request_of_two_hosts_or_none_is_refused() -> None:
    assert refusal([]) is not None
    assert refusal([(b"host", OWN), (b"host", b"evil.example")]) is not None
    assert refusal([(b"host", OWN), (b"Host", OWN)]) is not None


@given(st.text(min_size=1, max_size=30), st.sampled_from(["127.0.0.1", "localhost"]), st.booleans())
def test_nothing_around_a_name_of_this_machine_makes_it_ours(around: str, name: str, before: bool) -> None:
    host = (around + name if before else name + around).encode("utf-8", "replace")
    served = refusal([(b"host", host)]) is None
    # What remains is a port, or a name under .localhost.
    rest = host.lower().decode("latin-1")
    assert not served or rest.partition(":")[0].endswith("localhost") or rest.startswith("127.0.0.1:")


@pytest.mark.parametrize(
    "origin",
    ["https://evil.example", "null", "http://localhost:8000", "http://127.0.0.1:3000", "http://localhost:4566",
     "https://127.0.0.1:4566", "http://127.0.0.1", "http://bucket.localhost:4566", ""],
)  # fmt: skip
def test_pages_of_every_other_origin_are_kept_out_also_those_of_this_machine(origin: str) -> None:
    assert refusal([(b"host", OWN), (b"origin", origin.encode())]) is not None


def test_a_page_of_the_very_address_may_ask_a_cloud_and_no_model_server() -> None:
    own = [(b"host", OWN), (b"origin", b"http://127.0.0.1:4566"), (b"sec-fetch-site", b"same-origin")]
    assert refusal(own) is None
    assert refusal(own, 4566, pages=False) is not None
    assert refusal([(b"host", OWN)], 4566, pages=False) is None
    assert refusal([(b"host", OWN)], 4567, pages=False) is not None
    assert refusal([(b"host", OWN), (b"origin", b"http://127.0.0.1:4566"), (b"origin", b"null")]) is not None


@pytest.mark.parametrize(("site", "served"), [("none", True), ("same-origin", True), ("same-site", False),
                                              ("cross-site", False), ("x", False)])  # fmt: skip
def test_what_a_browser_says_of_the_page_that_asks_counts(site: str, served: bool) -> None:
    assert (refusal([(b"host", OWN), (b"sec-fetch-site", site.encode())]) is None) == served


@pytest.mark.parametrize(
    "path",
    ["/_ministack", "/_ministack/reset", "/_ministack/config", "/_ministack/health", "/_ministack/ready",
     "/_ministack/sqs/messages", "/_ministack/ses/messages", "/_ministack/sns/sms-messages",
     "/_ministack/rds/iam-auth", "/_ministack/eks-auth/1/2/3/4", "/_ministack/rds/ca.pem",
     "/_ministack/lambda-code/000000000000/us-east-1/f", "/_ministack/lambda-layers/000000000000/us-east-1/l/1/content",
     "/_ministack/cfn-response/short", "/_ministack/\nreset", "/_localstack/health", "/_localstack/init"],
)  # fmt: skip
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "HEAD"])
def test_the_emulator_s_own_doors_are_shut(method: str, path: str) -> None:
    assert is_shut(method, path, b"")


@pytest.mark.parametrize("path", ["/", "/bucket/_ministack/reset", "/health", "/_aws/execute-api/a/b"])
def test_what_is_aws_s_is_open(path: str) -> None:
    assert not is_shut("GET", path, b"")


def test_an_address_of_code_is_good_for_its_function_and_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    url = sign_link("http://localhost:4566/_ministack/lambda-code/000000000000/us-east-1/f?X-Amz-Expires=600")
    path, query = "/_ministack/lambda-code/000000000000/us-east-1/f", url.partition("?")[2].encode()
    assert not is_shut("GET", path, query)
    assert is_shut("DELETE", path, query)
    assert is_shut("GET", path + "2", query)
    assert is_shut("GET", "/_ministack/sqs/messages", query)
    assert is_shut("GET", path, query[:-1] + b"x")
    assert is_shut("GET", path, query.replace(b"Link=1", b"Link=2"))
    later = time.time() + 601
    monkeypatch.setattr(guard.time, "time", lambda: later)
    assert is_shut("GET", path, query)
    assert not is_shut("PUT", "/_ministack/cfn-response/8f14e45f-ceea-467f-ab9c-3c5b1f3a0001", b"")


def answered(path: str, host: bytes = OWN) -> dict[str, list[str]]:
    """The headers that reach a client of an answer that shares with everybody."""
    sent: list[Any] = []

    async def app(_scope: Any, _receive: Any, send: Any) -> None:
        headers = [(b"Access-Control-Allow-Origin", b"*"), (b"content-type", b"text/html")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "GET", "path": path, "query_string": b"", "headers": [(b"host", host)]}
    asyncio.run(guarded(app)(scope, None, send))  # type: ignore[arg-type]
    found: dict[str, list[str]] = {}
    for name, value in sent[0]["headers"]:
        found.setdefault(name.decode().lower(), []).append(value.decode())
    return found


def test_an_answer_is_shared_with_no_page_and_runs_nothing() -> None:
    headers = answered("/bucket/page.html")
    assert "access-control-allow-origin" not in headers
    assert headers["content-security-policy"] == ["sandbox"]
    assert headers["x-content-type-options"] == ["nosniff"]


def test_an_api_s_page_runs_and_is_nobody_to_the_rest_unless_its_host_is_its_own() -> None:
    headers = answered("/_aws/execute-api/a/page")
    assert headers["content-security-policy"] == [
        "sandbox allow-scripts allow-forms allow-modals allow-popups"
    ]
    assert headers["access-control-allow-origin"] == ["*"], "what an API says of itself is its own"
    own = b"a1b2c3d4.execute-api.localhost:4566"
    assert "content-security-policy" not in answered("/page", own)
    for path, host in (("/iceberg/v1", own), ("/data/page.html", b"x.execute-api.y.localhost:4566")):
        assert answered(path, host)["content-security-policy"] == ["sandbox"]
