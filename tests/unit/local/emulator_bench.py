"""Runs state machines on the emulator's Step Functions in this process, without a server."""

from __future__ import annotations

import json
import threading
import time
import uuid
from collections.abc import Callable
from functools import cache
from typing import Any

from tests.waiting import PATIENCE_SECONDS, until

from tidegate.local.emulator import stepfunctions
from tidegate.local.emulator.names import step

Handler = Callable[[str, dict[str, Any], Callable[[], bool]], dict[str, Any]]

# What tasks named arn:aws:states:::sagemaker:<name> do; tests put their own functions here.
INTEGRATIONS: dict[str, Handler] = {}
ROLE = "arn:aws:iam::000000000000:role/machine"


class _ByName(dict[str, Handler]):
    def get(self, resource: str, default: Any = None) -> Any:
        return INTEGRATIONS.get(resource.rpartition(":")[2], default)


@cache
def install() -> None:
    """Put the hooks in place, once per process."""
    stepfunctions.install(_ByName())


class Run:
    """One execution of a definition."""

    def __init__(self, definition: dict[str, Any], given: Any = None) -> None:
        install()
        name = f"m-{uuid.uuid4().hex[:8]}"
        definition = {"QueryLanguage": "JSONata", **definition}
        machine = _call("_create_state_machine", name=name, definition=json.dumps(definition), roleArn=ROLE)
        text = json.dumps({} if given is None else given)
        started = _call("_start_execution", stateMachineArn=machine["stateMachineArn"], input=text)
        self.arn = started["executionArn"]

    @property
    def record(self) -> dict[str, Any]:
        return step.executions[self.arn]

    def end(self) -> dict[str, Any]:
        until(lambda: self.record["status"] != "RUNNING", "the end of the execution")
        return self.record

    def output(self) -> Any:
        record = self.end()
        assert record["status"] == "SUCCEEDED", (record["status"], record.get("error"), record.get("cause"))
        return json.loads(record["output"])

    def failure(self) -> tuple[str, str]:
        record = self.end()
        assert record["status"] == "FAILED", record["status"]
        return record["error"], record["cause"]

    def stop(self) -> None:
        _call("_stop_execution", executionArn=self.arn, error="Enough", cause="a test stopped it")

    @property
    def events(self) -> list[dict[str, Any]]:
        return list(self.record["events"])

    def types(self) -> list[str]:
        return [event["type"] for event in self.events]

    def of_type(self, kind: str) -> list[dict[str, Any]]:
        return [event for event in self.events if event["type"] == kind]

    def chain(self, event: dict[str, Any]) -> list[dict[str, Any]]:
        """The events that lead to one, by previousEventId, nearest first."""
        by_id = {e["id"]: e for e in self.events}
        found = []
        while event["previousEventId"]:
            event = by_id[event["previousEventId"]]
            found.append(event)
        return found


def record_of(arn: str) -> dict[str, Any]:
    """The emulator's record of an execution."""
    record: dict[str, Any] = step.executions[arn]
    return record


def _call(function: str, **data: Any) -> dict[str, Any]:
    from ministack.services import stepfunctions as emulator

    status, _, body = getattr(emulator, function)(data)
    assert status == 200, body
    answer: dict[str, Any] = json.loads(body)
    return answer


def blocking(seen: dict[str, Any]) -> Handler:
    """A task that waits until it is called off, and says when that was."""
    seen["began"] = threading.Event()
    seen["ended"] = threading.Event()

    def wait(resource: str, arguments: dict[str, Any], aborted: Callable[[], bool]) -> dict[str, Any]:
        seen["began"].set()
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not aborted() and time.monotonic() < deadline:
            time.sleep(0.005)
        seen["aborted"] = aborted()
        seen["ended"].set()
        return {}

    return wait


def task(name: str, **fields: Any) -> dict[str, Any]:
    """A Task state that calls one of INTEGRATIONS."""
    state = {"Type": "Task", "Resource": f"arn:aws:states:::sagemaker:{name}", **fields}
    return state if "Next" in fields else {**state, "End": True}


def alone(state: dict[str, Any], **machine: Any) -> dict[str, Any]:
    """A machine of one state."""
    return {"StartAt": "Only", "States": {"Only": state}, **machine}
