"""Functions are kept to their memory, and their logs say what they took."""

from __future__ import annotations

import io
import threading
import zipfile
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from ministack.core import lambda_runtime

from tidegate.local.emulator import lambdas, memory
from tidegate.local.emulator.names import functions

CODE = """
kept = []

def handler(event, context):
    kept.append(bytearray(event["megabytes"] * 1024 * 1024))
    while event.get("waits"):
        pass
    if event.get("exits"):
        import os
        os._exit(3)
    return event["megabytes"]
"""


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., dict[str, Any]]]:
    watching, before = threading.Event(), functions.run_warm
    zipped = io.BytesIO()
    with zipfile.ZipFile(zipped, "w") as archive:
        archive.writestr("app.py", CODE)
    config = {
        "FunctionName": "of-a-test",
        "FunctionArn": "arn:aws:lambda:us-east-1:000000000000:function:of-a-test",
        "Runtime": "python3.11",
        "Handler": "app.handler",
        "Timeout": 30,
        "MemorySize": 160,
    }

    def look() -> None:
        while not watching.wait(memory.EVERY_SECONDS):
            memory.look()

    def called(**event: Any) -> dict[str, Any]:
        function = {"config": config, "code_zip": zipped.getvalue()}
        result: dict[str, Any] = functions.run_warm(function, event, "a-request")
        return result | {"peak": memory.peak_mb(function)}

    functions.replace("run_warm", lambdas._naming_errors(before))
    watcher = threading.Thread(target=look)
    watcher.start()
    yield called
    watching.set()
    watcher.join()
    functions.replace("run_warm", before)
    lambda_runtime.reset()
    memory._killed.clear()
    memory._seen.clear()


@pytest.mark.slow
def test_a_function_that_takes_more_than_it_has_is_killed_and_says_so(call: Callable[..., dict[str, Any]]):
    assert call(megabytes=20)["body"] == 20
    result = call(megabytes=400, waits=True)
    assert result["error"]
    assert result["body"]["errorType"] == "Runtime.OutOfMemory"
    assert result["body"]["errorMessage"].endswith("Runtime exited with error: signal: killed")
    assert result["peak"] == 160
    assert call(megabytes=1)["body"] == 1


@pytest.mark.slow
def test_what_a_function_keeps_counts_from_one_call_to_the_next(call: Callable[..., dict[str, Any]]):
    first, second = call(megabytes=20), call(megabytes=20)
    assert 40 < second["peak"] < 160
    assert second["peak"] >= first["peak"] + 15


@pytest.mark.slow
def test_a_function_that_dies_of_something_else_is_not_said_to_be_out_of_memory(
    call: Callable[..., dict[str, Any]],
):
    assert call(megabytes=1, exits=True)["body"]["errorType"] == "Runtime.ExitError"
