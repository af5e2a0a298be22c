"""The HTTP front that our own images share: `/ping`, `/invocations` and `/execution-parameters` on one port.

One process, one event loop. A model that answers fast is called in the loop itself, because for small
requests the hop to a thread costs more than the prediction; slow calls and big bodies go to a worker thread,
so that `/ping` is answered within its two seconds whatever the model does.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import uvicorn

from tidegate.local.pages import refusal

MAX_BODY_BYTES = 100 * 1024**2  # the largest payload that batch transform may send
_INLINE_BYTES = 32 * 1024
_INLINE_SECONDS = 0.005
_KEEP_ALIVE_SECONDS = 75
_SHUTDOWN_SECONDS = 25  # SageMaker kills a model server 30 s after SIGTERM


@dataclass(frozen=True, slots=True)
class Answer:
    """What the model says to one request."""

    body: bytes
    content_type: str = "text/csv"
    status: int = 200


class Refused(Exception):
    """The request cannot be served; `status` and the message (a sentence) go back to the caller."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


Invoke = Callable[[bytes, str, str], Answer]
_Scope = Mapping[str, Any]
_Receive = Callable[[], Any]
_Send = Callable[[dict[str, Any]], Any]


class ModelApp:
    """An ASGI application around one `invoke(body, content_type, accept) -> Answer`.

    Calls never overlap unless `threads` is more than one, since a user's handler need not be thread-safe.
    """

    def __init__(
        self,
        ping: Callable[[], bool],
        invoke: Invoke,
        execution_parameters: Mapping[str, Any] | None = None,
        threads: int = 1,
    ) -> None:
        self._ping = ping
        self._invoke = invoke
        self._parameters = None if execution_parameters is None else dict(execution_parameters)
        self._pool = ThreadPoolExecutor(max_workers=threads, thread_name_prefix="model")
        self._lock = threading.Semaphore(threads)
        self._waiting = 0
        self._usual_seconds = 0.0

    async def __call__(self, scope: _Scope, receive: _Receive, send: _Send) -> None:
        path, method = scope["path"], scope["method"]
        try:
            if path == "/invocations":
                answer = await self._invocations(scope, receive, method)
            elif path == "/ping":
                answer = Answer(b"", "text/plain", 200 if self._ping() else 503)
            elif path == "/execution-parameters" and self._parameters is not None:
                answer = Answer(json.dumps(self._parameters).encode(), "application/json")
            else:
                answer = _sentence(
                    404, f"There is no {path} here: a model server has /ping and /invocations."
                )
        except Refused as refusal:
            answer = _sentence(refusal.status, str(refusal))
        except Exception as error:  # one bad request must not end the server
            traceback.print_exc()
            answer = _sentence(500, f"The model failed on this request: {type(error).__name__}: {error}")
        await send(
            {
                "type": "http.response.start",
                "status": answer.status,
                "headers": [
                    (b"content-type", answer.content_type.encode("latin-1", "replace")),
                    (b"content-length", b"%d" % len(answer.body)),
                ],
            }
        )
        await send({"type": "http.response.body", "body": answer.body})

    async def _invocations(self, scope: _Scope, receive: _Receive, method: str) -> Answer:
        if method != "POST":
            raise Refused(405, "Send the rows with POST: /invocations answers no other method.")
        content_type = accept = ""
        for name, value in scope["headers"]:
            if name == b"content-type":
                content_type = value.decode("latin-1")
            elif name == b"accept":
                accept = value.decode("latin-1")
            elif name == b"content-length" and int(value) > MAX_BODY_BYTES:
                raise _too_large()
        body = await _read(receive)
        quick = len(body) <= _INLINE_BYTES and self._usual_seconds < _INLINE_SECONDS and not self._waiting
        if quick:
            return self._timed(body, content_type, accept)
        self._waiting += 1
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._pool, self._timed, body, content_type, accept)
        finally:
            self._waiting -= 1

    def _timed(self, body: bytes, content_type: str, accept: str) -> Answer:
        with self._lock:
            start = time.perf_counter()
            try:
                return self._invoke(body, content_type, accept)
            finally:
                if len(body) <= _INLINE_BYTES:
                    taken = time.perf_counter() - start
                    self._usual_seconds += 0.2 * (taken - self._usual_seconds)


def for_programs(app: Callable[[_Scope, _Receive, _Send], Any], port: int) -> Any:
    """Return an ASGI application behind a refusal of what web pages send, or have a browser send."""

    async def guard(scope: _Scope, receive: _Receive, send: _Send) -> None:
        reason = refusal(scope["headers"], port, pages=False)
        if reason is None:
            await app(scope, receive, send)
            return
        body = reason.encode()
        headers = [(b"content-type", b"text/plain"), (b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": 403, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    return guard


async def _read(receive: _Receive) -> bytes:
    message = await receive()
    body: bytes = message.get("body", b"")
    if not message.get("more_body"):
        return body
    parts, size = [body], len(body)
    while message.get("more_body"):
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Refused(400, "The client went away before the whole body had arrived.")
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > MAX_BODY_BYTES:
            raise _too_large()
    return b"".join(parts)


def _too_large() -> Refused:
    return Refused(
        413, f"The body is larger than {MAX_BODY_BYTES // 1024**2} MB: send the rows in smaller parts."
    )


def _sentence(status: int, message: str) -> Answer:
    return Answer(message.encode(), "text/plain; charset=utf-8", status)


def parameters(payload_mb: int = 6) -> dict[str, Any]:
    """The `/execution-parameters` of the AWS images: one call per core, several records in each."""
    return {
        "MaxConcurrentTransforms": os.cpu_count() or 1,
        "BatchStrategy": "MULTI_RECORD",
        "MaxPayloadInMB": payload_mb,
    }


def serve(
    ping: Callable[[], bool],
    invoke: Invoke,
    execution_parameters: Mapping[str, Any] | None = None,
    *,
    threads: int = 1,
    port: int | None = None,
) -> None:
    """Answer on `127.0.0.1:$SAGEMAKER_BIND_TO_PORT` until SIGTERM, then finish the calls in hand and return.

    Parameters
    ----------
    ping
        Says whether the model can answer; asked at each `GET /ping`.
    invoke
        `(body, content_type, accept) -> Answer`. It may raise `Refused` for a request that it cannot serve.
    execution_parameters
        The answer to `GET /execution-parameters`; None means 404, and batch transform takes its own defaults.
    threads
        How many calls of `invoke` may run at once when calls are slow.
    """
    port = int(os.environ.get("SAGEMAKER_BIND_TO_PORT") or 8080) if port is None else port
    config = uvicorn.Config(
        for_programs(ModelApp(ping, invoke, execution_parameters, threads), port),
        host="127.0.0.1",
        port=port,
        loop="asyncio",
        http="httptools",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,
        proxy_headers=False,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=_SHUTDOWN_SECONDS,
    )
    # uvicorn raises the signal again once it has drained: without handlers of our own we would exit with -15.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    uvicorn.Server(config).run()
