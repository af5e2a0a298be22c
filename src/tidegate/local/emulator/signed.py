"""The door of the local cloud with IAM in force: who names a key must have signed with its secret.

The emulator checks users' and sessions' signatures where it looks at policies, and the root's nowhere. Here
each request is looked at once, before any of its services sees it; what is not signed at all goes on to the
service, which knows what it lets strangers do.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs

from tidegate.local.emulator.guard import BACK_DOORS, App, Receive, Scope, Send, answers_for_itself
from tidegate.local.emulator.names import actions, policies, router
from tidegate.local.emulator.signatures import Refused, Request, check, read_claim
from tidegate.local.emulator.signatures_of_old import check_of_old
from tidegate.local.settings import ACCOUNT

# A digest of more than this takes longer than a request should wait for others.
_LARGE_BYTES = 1 << 20
# What S3 refuses in a way of its own.
_OF_S3 = {"XAmzContentSHA256Mismatch": 400, "UnsignedHeaders": 403}
_S3_NAMES = {"UnsignedHeaders": "AccessDenied"}


def checked(app: App) -> App:
    """Return ``app`` behind a check of each request's signature."""

    async def door(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not _claims(scope):
            await app(scope, receive, send)
            return
        body = await _whole(receive)
        if body is None:
            return
        request = _request(scope, body)
        try:
            if len(body) > _LARGE_BYTES:
                await asyncio.to_thread(_check, request)
            else:
                _check(request)
        except Refused as refusal:
            await _refuse(send, request, refusal)
            return
        await app(scope, _again(body, receive), send)

    return door


def _claims(scope: Scope) -> bool:
    """Tell whether a request says that it was signed, in any way that the emulator reads."""
    if scope["path"].startswith(BACK_DOORS):
        return False  # what the guard lets through there it has looked at itself
    query: bytes = scope["query_string"]
    return (
        b"mz-" in query
        or b"MZ-" in query
        or b"AWSAccessKeyId" in query
        or b"%" in query
        or any(name == b"authorization" for name, _ in scope["headers"])
    )


def _check(request: Request) -> None:
    claim = read_claim(request)
    if claim is not None:
        signer: str | None = claim.key_id
        check(request, claim, _secret_of)
    else:
        signer = check_of_old(request, _secret_of)
    # The key that policies will be looked up for must be the one that signed.
    named = router.access_key(dict(request.headers), parse_qs(request.query, keep_blank_values=True))
    if named != (signer or ""):
        raise Refused("IncompleteSignature", "The request names a key and is not signed with it.")
    # To the emulator whoever names no key in a header of another kind is the root.
    if signer is None and "authorization" in request.headers and not _is_of_people(request):
        raise Refused(
            "IncompleteSignature",
            "The Authorization header has no signature of version 4 (AWS4-HMAC-SHA256).",
        )


def _secret_of(key_id: str, token: str) -> str:
    found = policies.credential(key_id, ACCOUNT, token)
    if isinstance(found, policies.UnknownCredential):
        # A session's key without its token is no key at all.
        code = "UnrecognizedClientException" if found.code == "InvalidToken" and not token else found.code
        raise Refused(code, found.message)
    return str(found.secret_access_key)


def _is_of_people(request: Request) -> bool:
    """Tell whether a request is for an API or a function, whose author makes of the header what he likes."""
    return answers_for_itself(request.path, request.headers.get("host", ""))


async def _whole(receive: Receive) -> bytes | None:
    parts = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            return parts[0] if len(parts) == 1 else b"".join(parts)


def _again(body: bytes, receive: Receive) -> Receive:
    messages = iter([{"type": "http.request", "body": body, "more_body": False}])

    async def receiving() -> Any:
        return next(messages, None) or await receive()

    return receiving


def _request(scope: Scope, body: bytes) -> Request:
    headers: dict[str, str] = {}
    for name, value in scope["headers"]:
        key, text = name.decode("latin-1").lower(), _text(value)
        headers[key] = f"{headers[key]},{text}" if key in headers else text
    path = scope.get("raw_path") or scope["path"].encode()
    return Request(scope["method"], path.decode("latin-1"), _text(scope["query_string"]), headers, body)


def _text(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")


async def _refuse(send: Send, request: Request, refusal: Refused) -> None:
    service = refusal.service or _service_of(request.headers)
    if service == "execute-api":  # an HTTP API says no more, whatever is wrong with a signature
        await _send(send, request, 403, [(b"content-type", b"application/json")], b'{"message":"Forbidden"}')
        return
    own = service == "s3" and refusal.code in _OF_S3
    status, headers, body = actions.refuse(
        service,
        "",
        "",
        str(uuid.uuid4()),
        error_code=_S3_NAMES.get(refusal.code, refusal.code),
        message=refusal.message,
        headers=dict(request.headers),
    )
    status = _OF_S3[refusal.code] if own else status
    content = body if isinstance(body, bytes) else str(body).encode()
    fields = [(name.lower().encode(), str(value).encode()) for name, value in headers.items()]
    await _send(send, request, status, fields, content)


async def _send(
    send: Send, request: Request, status: int, fields: list[tuple[bytes, bytes]], content: bytes
) -> None:
    length = (b"content-length", str(len(content)).encode())
    await send({"type": "http.response.start", "status": status, "headers": [*fields, length]})
    await send({"type": "http.response.body", "body": b"" if request.method == "HEAD" else content})


def _service_of(headers: Mapping[str, str]) -> str:
    scope = headers.get("authorization", "").partition("Credential=")[2].split(",")[0].split("/")
    return scope[3] if len(scope) == 5 else "s3"
