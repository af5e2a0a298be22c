"""The front door: HTTP in, HTTP out, and errors in the form that each API's clients read."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import logging
import threading
from pathlib import Path
from typing import Any

import pytest
from control_stand_ins import IMAGE, StandInJobs, make_context, make_rooms
from tests.waiting import PATIENCE_SECONDS

from tidegate.local.sagemaker import service
from tidegate.local.sagemaker.context import Context
from tidegate.local.sagemaker.errors import ModelError, ValidationError

TARGET = {"X-Amz-Target": "SageMaker.DescribeModel"}
CREATE = {"X-Amz-Target": "SageMaker.CreateModel"}
CARS = json.dumps({"ModelName": "cars", "PrimaryContainer": {"Image": IMAGE}}).encode()


@pytest.fixture
def ctx(tmp_path: Path) -> Context:
    return make_context(tmp_path)


def ask(
    ctx: Context,
    headers: dict[str, str],
    body: bytes,
    path: str = "/",
    method: str = "POST",
    **rooms: Any,
) -> tuple[int, dict[str, str], Any]:
    handler = service.make_handler(ctx, dataclasses.replace(make_rooms(StandInJobs()), **rooms))
    status, answer, content = asyncio.run(handler(method, path, headers, body, {}))
    return status, answer, content


def test_a_control_call_is_answered_in_json_with_a_request_id(ctx: Context) -> None:
    status, headers, content = ask(ctx, CREATE, CARS)
    assert (status, headers["content-type"]) == (200, "application/x-amz-json-1.1")
    assert len(headers["x-amzn-requestid"]) == 36
    assert json.loads(content) == {"ModelArn": ctx.arn("model", "cars")}
    found = json.loads(ask(ctx, TARGET, b'{"ModelName": "cars"}')[2])
    assert isinstance(found["CreationTime"], float)


def test_an_error_has_its_code_in_the_body_and_in_the_header(ctx: Context) -> None:
    status, headers, content = ask(ctx, TARGET, b"{}")
    assert (status, headers["x-amzn-errortype"]) == (400, "ValidationException")
    assert json.loads(content) == {
        "__type": "ValidationException",
        "message": "1 validation error detected: Value null at 'ModelName' failed to satisfy constraint: "
        "Member must not be null",
    }


@pytest.mark.parametrize(
    ("operation", "words"),
    [
        ("MakeCoffee", "SageMaker has no operation 'MakeCoffee'"),
        ("CreateNotebookInstance", "but the local SageMaker does not serve it"),
    ],
)
def test_an_operation_that_is_not_served_says_so(ctx: Context, operation: str, words: str) -> None:
    status, headers, content = ask(ctx, {"x-amz-target": f"SageMaker.{operation}"}, b"{}")
    assert (status, headers["x-amzn-errortype"]) == (400, "UnknownOperationException")
    assert words in json.loads(content)["message"]


def test_an_invocation_reaches_the_endpoint_of_its_path(ctx: Context) -> None:
    status, headers, content = ask(
        ctx, {"Accept": "text/csv"}, b"abc", path="/endpoints/my%2Dcars/invocations"
    )
    assert (status, content) == (200, b"cba")
    assert headers["content-type"] == "text/csv"
    assert headers["x-amzn-invoked-production-variant"] == "all"


def test_an_error_of_the_model_carries_what_the_container_said(ctx: Context) -> None:
    def invoke(ctx: Context, name: str, body: bytes, headers: Any) -> Any:
        raise ModelError(
            "The container said no.", original_status=415, original_message="no", log_stream_arn="x"
        )

    status, headers, content = ask(ctx, {}, b"", path="/endpoints/cars/invocations", invoke_endpoint=invoke)
    assert (status, headers["x-amzn-errortype"]) == (424, "ModelError")
    assert json.loads(content) == {
        "Message": "The container said no.",
        "OriginalStatusCode": 415,
        "OriginalMessage": "no",
        "LogStreamArn": "x",
    }


def test_a_refused_invocation_is_a_validation_error(ctx: Context) -> None:
    def invoke(ctx: Context, name: str, body: bytes, headers: Any) -> Any:
        raise ValidationError(f"Endpoint {name} of account 000000000000 not found.")

    status, headers, _ = ask(ctx, {}, b"", path="/endpoints/cars/invocations", invoke_endpoint=invoke)
    assert (status, headers["x-amzn-errortype"]) == (400, "ValidationError")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/endpoints/cars/invocations"),
        ("POST", "/endpoints/cars/async-invocations"),
        ("POST", "/endpoints/a/b/invocations"),
    ],
)
def test_other_paths_are_refused_with_the_one_that_is_served(ctx: Context, method: str, path: str) -> None:
    status, _, content = ask(ctx, {}, b"", path=path, method=method)
    assert status == 404
    assert "POST /endpoints/NAME/invocations" in json.loads(content)["Message"]


def test_an_unforeseen_failure_is_logged_in_full_and_answered_in_short(
    ctx: Context, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
        raise RuntimeError("a secret of the inside")

    with caplog.at_level(logging.ERROR):
        status, headers, content = ask(
            ctx, TARGET, b'{"ModelName": "x"}', operations={"DescribeModel": broken}
        )
    assert (status, headers["x-amzn-errortype"]) == (500, "InternalFailure")
    assert "secret" not in content.decode()
    assert "RuntimeError: a secret of the inside" in caplog.text


def test_slow_invocations_do_not_hold_up_a_describe(ctx: Context) -> None:
    release = threading.Event()

    def slow(ctx: Context, name: str, body: bytes, headers: Any) -> Any:
        release.wait(PATIENCE_SECONDS)
        return 200, {}, b""

    rooms = dataclasses.replace(make_rooms(StandInJobs()), invoke_endpoint=slow)
    handler = service.make_handler(ctx, rooms)

    async def talk() -> int:
        calls = [
            asyncio.create_task(handler("POST", "/endpoints/cars/invocations", {}, b"", {}))
            for _ in range(100)
        ]
        await asyncio.sleep(0.01)
        status, _, _ = await asyncio.wait_for(handler("POST", "/", TARGET, b"{}", {}), PATIENCE_SECONDS)
        assert not any(call.done() for call in calls)
        release.set()
        await asyncio.gather(*calls)
        return status

    try:
        assert asyncio.run(talk()) == 400
    finally:
        release.set()


def test_every_room_is_stopped_even_when_one_fails_to(ctx: Context) -> None:
    stopped: list[str] = []

    def fail(ctx: Context) -> None:
        raise RuntimeError("stuck")

    rooms = dataclasses.replace(
        make_rooms(StandInJobs()), shutdown=(fail, lambda ctx: stopped.append("hosting"))
    )
    with pytest.raises(ExceptionGroup, match="did not stop cleanly"):
        service.stop(ctx, rooms)
    assert stopped == ["hosting"]


def test_rooms_are_recovered_in_order_at_the_start(ctx: Context) -> None:
    order: list[str] = []
    rooms = dataclasses.replace(
        make_rooms(StandInJobs()),
        recover=(lambda ctx: order.append("jobs"), lambda ctx: order.append("hosting")),
    )
    service.start(ctx, rooms)
    assert order == ["jobs", "hosting"]


def test_the_real_rooms_serve_every_operation_that_the_product_promises() -> None:
    families = {
        "TrainingJob": ["Create", "Describe", "Stop"],
        "ProcessingJob": ["Create", "Describe", "Stop"],
        "TransformJob": ["Create", "Describe", "Stop"],
        "Model": ["Create", "Describe", "Delete"],
        "EndpointConfig": ["Create", "Describe", "Delete"],
        "Endpoint": ["Create", "Describe", "Update", "Delete"],
        "Tags": ["Add", "List", "Delete"],
    }
    promised = {verb + noun for noun, verbs in families.items() for verb in verbs}
    promised |= {f"List{noun}s" for noun in families if noun != "Tags"}
    rooms = service.all_rooms()
    assert promised <= set(rooms.operations)
    assert len(rooms.recover) == len(rooms.shutdown) == 2
