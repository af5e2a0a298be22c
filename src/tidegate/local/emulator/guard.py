"""Keeps web pages out of the local cloud: only programs on this machine, by its own name, are served."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any
from urllib.parse import urlsplit

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


def guarded(app: App) -> App:
    """Return ``app`` behind a check of each request's ``Host`` and ``Origin``.

    A page on the web can make a browser send requests to 127.0.0.1 (cross-site), and can point a name of its
    own at 127.0.0.1 (DNS rebinding). The first carries the page's origin, the second its host name: both are
    refused with 403.
    """

    async def check(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in ("http", "websocket") and (reason := refusal(scope["headers"])):
            await answer(send, 403, {"message": reason})
            return
        await app(scope, receive, send)

    return check


def refusal(headers: Iterable[tuple[bytes, bytes]]) -> str | None:
    """Return why a request is refused, or None.

    >>> refusal([(b"host", b"127.0.0.1:4566")])
    >>> refusal([(b"host", b"evil.example:4566")])
    "The local cloud answers to 127.0.0.1 and localhost, not to 'evil.example:4566'."
    """
    fields = {name.lower(): value.decode("latin-1") for name, value in headers}
    host = fields.get(b"host", "")
    if not _is_ours(f"//{host}"):
        return f"The local cloud answers to 127.0.0.1 and localhost, not to '{host}'."
    origin = fields.get(b"origin")
    if origin is not None and not _is_ours(origin):
        return f"The local cloud takes no requests from web pages of '{origin}'."
    if fields.get(b"sec-fetch-site") == "cross-site":
        return "The local cloud takes no requests from web pages of other sites."
    return None


async def answer(send: Send, status: int, content: dict[str, Any]) -> None:
    """Send a JSON answer."""
    body = json.dumps(content).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _is_ours(url: str) -> bool:
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        return False
    # Names under .localhost are this machine by definition (RFC 6761): buckets and APIs have hosts there.
    return host in ("127.0.0.1", "::1", "localhost") or host.endswith(".localhost")
