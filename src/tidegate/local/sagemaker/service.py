"""The front door of the local SageMaker: an HTTP request in, the operation that it names, an HTTP answer out.

Handlers block, so they run on threads of their own and never on the event loop; invocations and control
calls have separate threads, so that slow models do not hold up a Describe.
"""

from __future__ import annotations

import asyncio
import functools
import json
import logging
import re
import uuid
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from tidegate.local.sagemaker import control, wire
from tidegate.local.sagemaker.context import Context
from tidegate.local.sagemaker.control import tags
from tidegate.local.sagemaker.errors import SageMakerError

logger = logging.getLogger(__name__)

Handler = Callable[[Context, dict[str, Any]], dict[str, Any]]
Answer = tuple[int, dict[str, str], bytes]
Invoke = Callable[[Context, str, bytes, Mapping[str, str]], Answer]
Wait = Callable[[Context, str, str, Callable[[], bool]], dict[str, Any]]
HttpHandler = Callable[[str, str, Mapping[str, str], bytes, Mapping[str, Any]], Coroutine[Any, Any, Answer]]

_CONTROL_THREADS = 16
_INVOKE_THREADS = 32
_INVOCATION = re.compile(r"/endpoints/([^/]+)/invocations")


@dataclass(frozen=True)
class Rooms:
    """What the rooms of the local SageMaker give to the front door.

    Parameters
    ----------
    operations
        Handlers by operation name.
    invoke_endpoint
        Passes an invocation to an endpoint.
    wait
        Waits for the end of a job and returns its record.
    recover
        Called once at the start, in this order.
    shutdown
        Called once at the end, in this order.
    """

    operations: Mapping[str, Handler]
    invoke_endpoint: Invoke
    wait: Wait
    recover: tuple[Callable[[Context], None], ...] = ()
    shutdown: tuple[Callable[[Context], None], ...] = ()


@functools.cache
def all_rooms() -> Rooms:
    """Return the rooms that a real local SageMaker is made of."""
    # Here and not above: the wire and the control room can then be used, and tested, without the others.
    from tidegate.local.sagemaker import hosting, jobs, tuning

    return Rooms(
        operations={**control.OPERATIONS, **jobs.OPERATIONS, **tuning.OPERATIONS, **hosting.OPERATIONS},
        invoke_endpoint=hosting.invoke_endpoint,
        wait=jobs.wait,
        recover=(jobs.recover, hosting.recover),
        shutdown=(jobs.shutdown, hosting.shutdown),
    )


def start(ctx: Context, rooms: Rooms | None = None) -> None:
    """Take up what a stopped local cloud left: interrupted jobs fail, endpoints are started again."""
    ctx.closing.clear()
    for recover in (rooms or all_rooms()).recover:
        recover(ctx)


def stop(ctx: Context, rooms: Rooms | None = None) -> None:
    """Stop every job and model server; each room is stopped even when another fails to."""
    failures: list[Exception] = []
    ctx.closing.set()
    for shutdown in (rooms or all_rooms()).shutdown:
        try:
            shutdown(ctx)
        except Exception as error:
            failures.append(error)
    if failures:
        raise ExceptionGroup("the local SageMaker did not stop cleanly", failures)


def call(ctx: Context, name: str, request: dict[str, Any], rooms: Rooms | None = None) -> dict[str, Any]:
    """Check a request, run its operation and return the answer in native types.

    Tags are checked, and those given at creation are kept, here for every kind of resource alike.

    Raises
    ------
    SageMakerError
        With AWS's error code, and a message that says how to mend the request.
    """
    wire.operation(name)
    handler = (rooms or all_rooms()).operations.get(name)
    if handler is None:
        raise SageMakerError(
            "UnknownOperationException",
            f"SageMaker has the operation {name}, but the local SageMaker does not serve it.",
        )
    native = wire.check_request(name, request)
    if "Tags" in native:
        tags.check_tags(native["Tags"])
    answer = handler(ctx, native)
    if name.startswith("Create"):
        arn = next(value for key, value in answer.items() if key.endswith("Arn"))
        tags.replace_tags(ctx, arn, native.get("Tags", []))
    return answer


def make_handler(ctx: Context, rooms: Rooms | None = None) -> HttpHandler:
    """Return the coroutine function that serves SageMaker and SageMaker Runtime.

    It takes (method, path, headers, body, query), as MiniStack calls its services, and returns
    (status, headers, body). Header names may have any case.
    """
    rooms = rooms or all_rooms()
    wire.service_model()  # load it now rather than in the first request
    control_threads = ThreadPoolExecutor(_CONTROL_THREADS, "sagemaker-control")
    invoke_threads = ThreadPoolExecutor(_INVOKE_THREADS, "sagemaker-invoke")

    async def handle(
        method: str,
        path: str,
        headers: Mapping[str, str],
        body: bytes,
        query: Mapping[str, Any],  # noqa: ARG001 (neither API has query parameters)
    ) -> Answer:
        lower = {key.lower(): value for key, value in headers.items()}
        loop = asyncio.get_running_loop()
        if "x-amz-target" in lower:
            work = functools.partial(_control, ctx, rooms, lower["x-amz-target"], body)
            return await loop.run_in_executor(control_threads, work)
        work = functools.partial(_runtime, ctx, rooms, method, path, body, lower)
        return await loop.run_in_executor(invoke_threads, work)

    return handle


def _control(ctx: Context, rooms: Rooms, target: str, body: bytes) -> Answer:
    try:
        name = wire.operation_name(target)
        answer = wire.shape_answer(name, call(ctx, name, wire.read_body(body), rooms))
        return 200, _headers("application/x-amz-json-1.1"), _json(answer)
    except Exception as error:
        known = _known(error, target)
        content = {"__type": known.code, "message": known.message, **known.members}
        return _error(known, "application/x-amz-json-1.1", content)


def _runtime(
    ctx: Context, rooms: Rooms, method: str, path: str, body: bytes, headers: Mapping[str, str]
) -> Answer:
    try:
        match = _INVOCATION.fullmatch(unquote(path))
        if match is None or method != "POST":
            raise SageMakerError(
                "UnknownOperationException",
                f"The local SageMaker Runtime serves POST /endpoints/NAME/invocations, not {method} {path}.",
                404,
            )
        status, own, content = rooms.invoke_endpoint(ctx, match[1], body, headers)
        return status, {"x-amzn-requestid": str(uuid.uuid4()), **own}, content
    except Exception as error:
        known = _known(error, f"{method} {path}")
        return _error(known, "application/json", {"Message": known.message, **known.members})


def _known(error: Exception, what: str) -> SageMakerError:
    """Return the error to answer with; one that nobody foresaw is logged in full."""
    if isinstance(error, SageMakerError):
        return error
    logger.error("%s failed for a reason that nobody foresaw", what, exc_info=error)
    message = f"The local SageMaker failed over {what} ({type(error).__name__}). Its log has the details."
    return SageMakerError("InternalFailure", message, 500)


def _error(error: SageMakerError, content_type: str, content: dict[str, Any]) -> Answer:
    return error.http_status, {**_headers(content_type), "x-amzn-errortype": error.code}, _json(content)


def _headers(content_type: str) -> dict[str, str]:
    return {"content-type": content_type, "x-amzn-requestid": str(uuid.uuid4())}


def _json(content: dict[str, Any]) -> bytes:
    return json.dumps(content, separators=(",", ":")).encode()
