"""HTTP APIs in front of functions: calls beyond what this machine can run wait their turn.

On AWS a thousand functions run at once before a call is refused; here it is a small multiple of the cores, so
a few clients would be refused what AWS would answer. And however many functions state machines want to run,
there is room for those that answer people.
"""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from typing import Any

from tidegate.local.emulator.names import functions, gateway

# As long as API Gateway waits for a function.
LONGEST_SECONDS = 29.0
_PAUSE_SECONDS = 0.02

# Set while a function is called that answers a request of an API.
_answering: ContextVar[bool] = ContextVar("tidegate_answering_an_api", default=False)

Response = tuple[int, dict[str, Any], Any]
Invoke = Callable[..., Awaitable[Response]]


def install() -> None:
    """Have the functions behind HTTP APIs called a few at a time, and room kept for them."""
    answering, others = max(2, os.cpu_count() or 2), functions.most_at_once
    gateway.replace("invoke_function", queued(gateway.invoke_function, answering))
    functions.replace("most_at_once", others + answering)
    functions.replace("take_slot", keeping_room(functions.take_slot, others))


def keeping_room(original: Callable[..., Any], others: int) -> Callable[..., Any]:
    """Return a function that gives `original`'s slots to no more than `others`, and the rest to APIs only."""
    one_at_a_time = threading.Lock()

    def take_slot(func: dict[str, Any], config: dict[str, Any]) -> Any:
        with one_at_a_time:
            if not _answering.get() and functions.at_work()[0] >= others:
                return None, "account"
            return original(func, config)

    return take_slot


def queued(original: Invoke, at_once: int) -> Invoke:
    """Return a function that calls `original` for some at once and lets the others wait.

    A call that is throttled all the same, because state machines hold the functions that this machine can
    run, is tried again until API Gateway's own time is over.
    """
    turns = asyncio.Semaphore(at_once)

    async def invoke(*args: Any, **named: Any) -> Response:
        end = time.monotonic() + LONGEST_SECONDS
        async with turns:
            token = _answering.set(True)
            try:
                while True:
                    response = await original(*args, **named)
                    if not _throttled(response) or time.monotonic() > end:
                        return response
                    await asyncio.sleep(_PAUSE_SECONDS)
            finally:
                _answering.reset(token)

    return invoke


def _throttled(response: Response) -> bool:
    status, _, body = response
    said = body if isinstance(body, bytes) else str(body).encode()
    return status == 429 and b"TooManyRequestsException" in said
