"""Part of a version of an object: the emulator answers a range of a named version with the whole of it.

boto3 downloads whatever has more than eight megabytes in ranges, several at a time; put together they would
be another file than the one that was dropped.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tidegate.local.emulator.names import objects

Reply = tuple[int, dict[str, str], bytes]
Get = Callable[..., Reply]

_NOT_SATISFIABLE = (
    b'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>InvalidRange</Code>'
    b"<Message>The requested range is not satisfiable</Message></Error>"
)


def install() -> None:
    """Have GetObject keep to the range that is asked of a version."""
    objects.replace("get", _in_range(objects.get))


def _in_range(original: Get) -> Get:
    def get_object(
        bucket: str, key: str, headers: Mapping[str, str], query: Mapping[str, Any] | None = None
    ) -> Reply:
        status, answered, body = original(bucket, key, headers, query)
        wanted = headers.get("range", "")
        if status != 200 or not wanted or not (query or {}).get("versionId"):
            return status, answered, body
        found = objects.parse_range(wanted, len(body))
        if found is None:
            return (
                416,
                {"Content-Type": "application/xml", "Content-Range": f"bytes */{len(body)}"},
                _NOT_SATISFIABLE,
            )
        start, end = found
        # A checksum is that of the whole, and a client that finds one checks it.
        kept = {name: value for name, value in answered.items() if "checksum" not in name.lower()}
        part = body[start : end + 1]
        ranged = {"Content-Length": str(len(part)), "Content-Range": f"bytes {start}-{end}/{len(body)}"}
        return 206, kept | ranged, part

    return get_object
