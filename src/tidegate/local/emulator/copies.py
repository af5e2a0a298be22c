"""What a copy of an object needs beside reading and writing: rights to the tags that go with it."""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar
from urllib.parse import parse_qs, unquote

from tidegate.local.emulator.names import objects
from tidegate.local.emulator.permissions import Need

# Of the request at hand, noted where its resource is told, and asked for where its action is.
_noted: ContextVar[tuple[Need, ...]] = ContextVar("needs_of_a_copy", default=())


def note(service: str, headers: Mapping[str, str], written: str) -> None:
    """Remember what the request at hand needs for the tags of what it copies; most copy nothing."""
    source = headers.get("x-amz-copy-source") if service == "s3" else None
    replaced = headers.get("x-amz-tagging-directive", "").upper() == "REPLACE"
    _noted.set(tuple(tag_needs(source, written)) if source and not replaced else ())


def noted() -> tuple[Need, ...]:
    """Give what was noted, once."""
    needs = _noted.get()
    _noted.set(())
    return needs


def tag_needs(source: str, written: str) -> list[Need]:
    """Return what copying an object with its tags needs; nothing where it has none.

    Parameters
    ----------
    source
        As in the header: ``/bucket/key?versionId=…``, percent-encoded.
    written
        The ARN of the copy.
    """
    place, _, query = source.lstrip("/").partition("?")
    bucket, _, key = unquote(place).partition("/")
    version = parse_qs(query).get("versionId", [None])[0]
    tagged = {at[2]: found for at, found in objects.tags.items() if at[:2] == (bucket, key) and found}
    if version not in tagged and (version is not None or not tagged):
        return []
    read = "s3:GetObjectVersionTagging" if version else "s3:GetObjectTagging"
    return [Need(read, f"arn:aws:s3:::{bucket}/{key}"), Need("s3:PutObjectTagging", written)]
