"""The model server's HTTP front, spoken to as an ASGI server does."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from typing import Any

from tests.waiting import PATIENCE_SECONDS

from tidegate.local.sagemaker.images.server import MAX_BODY_BYTES, Answer, ModelApp, Refused


def echo(body: bytes, content_type: str, accept: str) -> Answer:
    return Answer(body + b"|" + content_type.encode() + b"|" + accept.encode(), "text/csv")


async def call(
    app: ModelApp,
    path: str,
    method: str = "POST",
    parts: tuple[bytes, ...] = (b"",),
    headers: dict[str, str] | None = None,
) -> tuple[int, dict[str, str], str]:
    messages = [
        {"type": "http.request", "body": part, "more_body": number < len(parts)}
        for number, part in enumerate(parts, 1)
    ]
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return messages.pop(0)

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    raw = [(name.lower().encode(), value.encode()) for name, value in (headers or {}).items()]
    await app({"type": "http", "path": path, "method": method, "headers": raw}, receive, send)
    found = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return sent[0]["status"], found, sent[1]["body"].decode()


def ask(
    invoke: Callable[[bytes, str, str], Answer], *args: Any, **kwargs: Any
) -> tuple[int, dict[str, str], str]:
    return asyncio.run(
        call(ModelApp(lambda: True, invoke, {"BatchStrategy": "MULTI_RECORD"}), *args, **kwargs)
    )


def test_a_request_reaches_the_model_with_its_types() -> None:
    status, headers, body = ask(
        echo, "/invocations", parts=(b"1,2",), headers={"Content-Type": "text/csv", "Accept": "a/b"}
    )
    assert (status, body) == (200, "1,2|text/csv|a/b")
    assert headers == {"content-type": "text/csv", "content-length": str(len(body))}


def test_a_body_in_several_parts_is_put_together() -> None:
    assert ask(echo, "/invocations", parts=(b"1,", b"2\n", b"3,4"))[2] == "1,2\n3,4||"


def test_a_refusal_goes_back_as_its_status_and_sentence() -> None:
    def refuse(*_: Any) -> Answer:
        raise Refused(415, "Send text/csv.")

    status, headers, body = ask(refuse, "/invocations")
    assert (status, body) == (415, "Send text/csv.")
    assert headers["content-type"].startswith("text/plain")


def test_a_fault_of_the_model_is_a_500_and_not_the_end_of_the_server() -> None:
    def fail(body: bytes, *_: Any) -> Answer:
        return Answer(b"%d" % (1 // len(body)))

    async def both() -> list[tuple[int, dict[str, str], str]]:
        app = ModelApp(lambda: True, fail)
        return [await call(app, "/invocations"), await call(app, "/invocations", parts=(b"x",))]

    broken, well = asyncio.run(both())
    assert broken[0] == 500
    assert "ZeroDivisionError" in broken[2]
    assert (well[0], well[2]) == (200, "1")


def test_ping_says_whether_the_model_can_answer() -> None:
    well, ill = ModelApp(lambda: True, echo), ModelApp(lambda: False, echo)
    assert asyncio.run(call(well, "/ping", "GET"))[0] == 200
    assert asyncio.run(call(ill, "/ping", "GET"))[0] == 503


def test_execution_parameters_are_given_only_by_a_model_that_has_them() -> None:
    assert ask(echo, "/execution-parameters", "GET")[2] == '{"BatchStrategy": "MULTI_RECORD"}'
    assert asyncio.run(call(ModelApp(lambda: True, echo), "/execution-parameters", "GET"))[0] == 404


def test_other_paths_and_methods_are_refused() -> None:
    assert ask(echo, "/predict")[0] == 404
    assert ask(echo, "/invocations", "GET")[0] == 405


def test_a_body_over_the_limit_is_refused_before_it_is_read() -> None:
    status, _, body = ask(echo, "/invocations", headers={"Content-Length": str(MAX_BODY_BYTES + 1)})
    assert status == 413
    assert "100 MB" in body


def test_ping_is_answered_while_a_slow_model_works() -> None:
    working = threading.Event()
    release = threading.Event()

    def slow(body: bytes, *_: Any) -> Answer:
        if body == b"wait":
            working.set()
            release.wait(PATIENCE_SECONDS)
        else:
            time.sleep(0.05)  # one slow call is enough to send the following ones to a thread
        return Answer(b"done")

    async def scene() -> tuple[int, int]:
        app = ModelApp(lambda: True, slow)
        await call(app, "/invocations", parts=(b"first",))
        task = asyncio.create_task(call(app, "/invocations", parts=(b"wait",)))
        while not working.is_set():
            await asyncio.sleep(0.001)
        ping = await call(app, "/ping", "GET")
        assert not task.done()
        release.set()
        return ping[0], (await task)[0]

    assert asyncio.run(scene()) == (200, 200)


def test_calls_of_a_model_never_overlap() -> None:
    running = most = 0

    def watch(*_: Any) -> Answer:
        nonlocal running, most
        running += 1
        most = max(most, running)
        time.sleep(0.01)
        running -= 1
        return Answer(b"")

    async def many() -> None:
        app = ModelApp(lambda: True, watch)
        await asyncio.gather(*(call(app, "/invocations", parts=(b"x",)) for _ in range(8)))

    asyncio.run(many())
    assert most == 1
