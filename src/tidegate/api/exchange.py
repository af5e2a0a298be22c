"""Requests as API Gateway hands them over (payload format 2.0), answers as it takes them back."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tidegate.api.problems import MEDIA_TYPE, Problem

# API Gateway takes 10 MB and Lambda 6 MB with everything around the body; below both, with room.
MOST_BYTES = 4 * 1024 * 1024
JSON = "application/json"
CSV = "text/csv"


@dataclass(frozen=True)
class Request:
    """One request: its route, the variables of its path, its headers in lower case, its body."""

    route: str
    variables: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes

    @classmethod
    def of(cls, event: Mapping[str, Any]) -> Request:
        """Read an event.

        Raises
        ------
        Problem
            For a body that is too large, or compressed.
        """
        headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
        raw = event.get("body") or ""
        # Four characters of base64 are three bytes; what is far too large is not even decoded.
        if len(raw) > MOST_BYTES * (4 / 3 if event.get("isBase64Encoded") else 1) + 4:
            raise _too_large()
        try:
            body = (
                base64.b64decode(raw, validate=True)
                if event.get("isBase64Encoded")
                else raw.encode("utf-8", "surrogatepass")
            )
        except binascii.Error:
            raise Problem(400, "the body cannot be read; send it again") from None
        if len(body) > MOST_BYTES:
            raise _too_large()
        if headers.get("content-encoding", "identity").strip().lower() not in ("", "identity"):
            raise Problem(415, "compressed bodies are not read here; send it without Content-Encoding")
        return cls(str(event.get("routeKey", "")), event.get("pathParameters") or {}, headers, body)


@dataclass(frozen=True)
class Answer:
    """What goes back."""

    body: str
    media_type: str = JSON
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)

    def to_event(self, request_id: str) -> dict[str, Any]:
        """Give the form that API Gateway takes."""
        charset = "; charset=utf-8" if self.media_type.startswith("text/") else ""
        return {
            "statusCode": self.status,
            "headers": {
                "content-type": self.media_type + charset,
                "cache-control": "no-store",
                "x-request-id": request_id,
                **self.headers,
            },
            "body": self.body,
        }


def refusal(problem: Problem, request_id: str) -> Answer:
    """Answer a problem."""
    wait = problem.retry_after_seconds
    return Answer(
        problem.to_body(request_id),
        MEDIA_TYPE,
        problem.status,
        {"retry-after": str(wait)} if wait is not None else {},
    )


def json_answer(content: Any, request: Request) -> Answer:
    """Answer a document, if the caller takes JSON."""
    wanted(request.headers.get("accept", ""), (JSON,))
    return Answer(json.dumps(content, ensure_ascii=False, allow_nan=False))


def media_type(header: str) -> tuple[str, dict[str, str]]:
    """Split a Content-Type into the type and its parameters, all in lower case.

    >>> media_type('Text/CSV; header=Present; charset="utf-8"')
    ('text/csv', {'header': 'present', 'charset': 'utf-8'})
    """
    kind, *rest = header.lower().split(";")
    pairs = [part.split("=", 1) for part in rest if "=" in part]
    return kind.strip(), {name.strip(): value.strip().strip('"') for name, value in pairs}


def wanted(accept: str, offered: tuple[str, ...]) -> str:
    """Choose the type to answer in (RFC 9110, 12.5.1): the best that the caller takes.

    >>> wanted("text/csv;q=0.9, application/json;q=0.1", (JSON, CSV))
    'text/csv'
    >>> wanted("*/*", (JSON, CSV))
    'application/json'

    Raises
    ------
    Problem
        When the caller takes none of them.
    """
    if not accept.strip():
        return offered[0]
    best, chosen = 0.0, ""
    for kind in offered:
        quality = _quality(accept, kind)
        if quality > best:
            best, chosen = quality, kind
    if not chosen:
        raise Problem(406, f"the answer comes as {' or '.join(offered)}; name one of them in Accept")
    return chosen


def _quality(accept: str, kind: str) -> float:
    """Give the quality that the most specific range of an Accept header gives a type."""
    family = kind.split("/")[0] + "/*"
    found, specific = 0.0, -1
    for part in accept.split(","):
        named, parameters = media_type(part)
        rank = {kind: 2, family: 1, "*/*": 0}.get(named, -1)
        if rank > specific:
            found, specific = _weight(parameters.get("q", "1")), rank
    return found


def _weight(text: str) -> float:
    try:
        return min(1.0, max(0.0, float(text)))
    except ValueError:
        return 0.0


def _too_large() -> Problem:
    return Problem(
        413,
        f"the body is larger than {MOST_BYTES:,} bytes; send fewer records at once, or drop them as a file "
        "for batch scoring",
    )
