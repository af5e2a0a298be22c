"""Lambda failures named as AWS names them: by the exception's class, with the stack trace beside it."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from tidegate.local.emulator import memory
from tidegate.local.emulator.names import functions

_DIED = "Worker process died"
_TRACE = "Traceback (most recent call last):"
_RAISED = re.compile(r"^([A-Za-z_][\w.]*)(?::|$)")


def install() -> None:
    """Have the errors of functions carry their exception's class."""
    functions.replace("run_warm", _naming_errors(functions.run_warm))


def _naming_errors(original: Callable[..., Any]) -> Callable[..., Any]:
    def run_warm(func: dict[str, Any], event: Any, request_id: str) -> Any:
        result = original(func, event, request_id)
        body = result.get("body")
        if result.get("error") and isinstance(body, dict) and body.get("errorType") == "Runtime.HandlerError":
            message = body.get("errorMessage", "")
            if message == _DIED and memory.was_killed((func.get("config") or func)["FunctionName"]):
                what = f"RequestId: {request_id} Error: Runtime exited with error: signal: killed"
                body.update(errorType="Runtime.OutOfMemory", errorMessage=what)
            else:
                body.update(describe(message, result.get("log", "")), requestId=request_id)
        return result

    return run_warm


def describe(message: str, log: str) -> dict[str, Any]:
    """Return the ``errorType`` and ``stackTrace`` of a function's failure.

    >>> log = "Traceback (most recent call last):\\n  File \\"app.py\\", line 1\\nx.BadDrop: no rows"
    >>> describe("no rows", log)
    {'errorType': 'BadDrop', 'stackTrace': ['  File "app.py", line 1\\n']}
    >>> describe("Worker process died", "")["errorType"]
    'Runtime.ExitError'
    """
    lines = log[log.rfind(_TRACE) :].splitlines()[1:] if _TRACE in log else []
    for place, line in enumerate(lines):
        if raised := _RAISED.match(line):
            kind = raised[1].rsplit(".", 1)[-1]
            return {"errorType": kind, "stackTrace": [f"{frame}\n" for frame in lines[:place]]}
    kind = "Runtime.ExitError" if message == _DIED else "Runtime.Unknown"
    return {"errorType": kind, "stackTrace": []}
