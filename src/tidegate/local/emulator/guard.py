"""Keeps web pages out of the local cloud, and everybody out of the emulator's own back doors.

What it serves to a browser that a person sends there, an object with HTML in it for one, shares the local
cloud's address with everything else, which no bucket does on AWS: it gets no scripts and no say.
"""

from __future__ import annotations

import hmac
import json
import re
import secrets
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import parse_qs

from tidegate.local.emulator.names import server
from tidegate.local.pages import refusal

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

# What the emulator answers beside AWS's APIs, without credentials: its reset and settings, what lies in its
# queues and mailboxes, certificates. No bucket's name begins so.
BACK_DOORS = ("/_ministack", "/_localstack")
# Two are AWS's own, where it gives out presigned addresses: whoever has one may use it. The answer of a
# custom resource goes to an address that nobody guesses; the code of a function comes from one that we sign.
_ANSWERS = re.compile(r"/_ministack/cfn-(?:response|signal)/[A-Za-z0-9-]{16,}")
_CODE = re.compile(r"/_ministack/lambda-(?:code|layers)/.+")
_LINK = "X-Tidegate-Link"
_LINK_SECONDS = 600
_link_secret = secrets.token_bytes(32)

# APIs and functions with addresses of their own answer for themselves.
_OF_PEOPLE = re.compile(r"/_aws/(?:execute-api|lambda-url)/")
# Before it looks at the host, the emulator takes these paths for services of its own.
_NEVER_OF_PEOPLE = re.compile(
    r"/(?:iceberg|v20180820|v2/email|(?:Batch)?Execute|(?:Begin|Commit|Rollback)Transaction|WriteGetObject)"
)
_HOST_OF_PEOPLE = re.compile(r"[^.]+\.(?:execute-api|lambda-url)\..*", re.I | re.S)
_SANDBOX = [(b"content-security-policy", b"sandbox"), (b"x-content-type-options", b"nosniff")]
# Beside everything else at one address, a page of an API may run, and is nobody to the rest.
_API_SANDBOX = [(b"content-security-policy", b"sandbox allow-scripts allow-forms allow-modals allow-popups")]


def guarded(app: App) -> App:
    """Return ``app`` behind a check of who asks, and of what."""

    async def check(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in ("http", "websocket"):
            if reason := refusal(scope["headers"]):
                await answer(send, 403, {"message": reason})
                return
            if is_shut(scope["method"], scope["path"], scope["query_string"]):
                await answer(
                    send, 404, {"message": f"The local cloud serves nothing at {scope['path'][:200]}."}
                )
                return
            send = _harmless(scope, send)
        await app(scope, receive, send)

    return check


def is_shut(method: str, path: str, query: bytes) -> bool:
    """Tell whether a request is for one of the emulator's back doors.

    >>> is_shut("POST", "/_ministack/reset", b""), is_shut("GET", "/bucket/health", b"")
    (True, False)
    """
    if not path.startswith(BACK_DOORS):
        return False
    if method == "PUT" and _ANSWERS.fullmatch(path):
        return False
    return not (method == "GET" and _CODE.fullmatch(path) and _is_signed(path, query))


def sign_link(url: str) -> str:
    """Return an address of a function's or layer's code as one that its holder may use for ten minutes."""
    path = "/" + url.partition("://")[2].partition("/")[2].partition("?")[0]
    expires = str(int(time.time()) + _LINK_SECONDS)
    return f"{url}{'&' if '?' in url else '?'}{_LINK}={expires}.{_proof(path, expires)}"


def answers_for_itself(path: str, host: str) -> bool:
    """Tell whether an address is of an API or of a function, whose author decides what it answers to whom."""
    if _OF_PEOPLE.match(path):
        return True
    if _HOST_OF_PEOPLE.fullmatch(host) is None or _NEVER_OF_PEOPLE.match(path):
        return False
    # What looks like such a host and is none to the emulator would be any service's.
    return server.api_of(host, path) is not None or server.function_of(host, path) is not None


async def answer(send: Send, status: int, content: dict[str, Any]) -> None:
    """Send a JSON answer."""
    body = json.dumps(content).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _is_signed(path: str, query: bytes) -> bool:
    link = parse_qs(query.decode("latin-1")).get(_LINK, [""])[0]
    expires, _, proof = link.partition(".")
    if not hmac.compare_digest(proof.encode(), _proof(path, expires).encode()):
        return False
    return expires.isdigit() and int(expires) >= time.time()


def _proof(path: str, expires: str) -> str:
    return hmac.new(_link_secret, f"{expires} {path}".encode(), "sha256").hexdigest()


def _harmless(scope: Scope, send: Send) -> Send:
    """Return ``send`` with headers that keep a browser from running, sharing or guessing what it is sent."""
    host = next((value for name, value in scope["headers"] if name == b"host"), b"").decode("latin-1")
    of_people = answers_for_itself(scope["path"], host)
    own_host = of_people and _HOST_OF_PEOPLE.fullmatch(host) is not None

    async def sending(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start" and not own_host:
            headers = list(message.get("headers", ()))
            if of_people:
                headers += _API_SANDBOX
            else:
                headers = [each for each in headers if not each[0].lower().startswith(b"access-control-")]
                headers += _SANDBOX
            message = {**message, "headers": headers}
        await send(message)

    return sending
