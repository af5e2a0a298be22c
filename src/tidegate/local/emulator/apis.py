"""HTTP APIs in front of functions: calls beyond what this machine can run wait their turn.

On AWS a thousand functions run at once before a call is refused; here it is a small multiple of the cores, so
a few clients would be refused what AWS would answer.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Awaitable, Callable
from typing import Any

from tidegate.local.emulator.names import gateway

# As long as API Gateway waits for a function.
LONGEST_SECONDS = 29.0
_PAUSE_SECONDS = 0.02

Response = tuple[int, dict[str, Any], Any]
Invoke = Callable[..., Awaitable[Response]]


def install() -> None:
    """Have the functions behind HTTP APIs called a few at a time."""
    gateway.replace("invoke_function", queued(gateway.invoke_function, max(2, os.cpu_count() or 2)))


def queued(original: Invoke, at_once: int) -> Invoke:
    """Return a function that calls `original` for some at once and lets the others wait.

    A call that is throttled all the same, because state machines hold the functions that this machine can
    run, is tried again until API Gateway's own time is over.
    """
    turns = asyncio.Semaphore(at_once)

    async def invoke(*args: Any, **named: Any) -> Response:
        end = time.monotonic() + LONGEST_SECONDS
        async with turns:
            while True:
                response = await original(*args, **named)
                if not _throttled(response) or time.monotonic() > end:
                    return response
                await asyncio.sleep(_PAUSE_SECONDS)

    return invoke


def _throttled(response: Response) -> bool:
    status, _, body = response
    said = body if isinstance(body, bytes) else str(body).encode()
    return status == 429 and b"TooManyRequestsException" in said
