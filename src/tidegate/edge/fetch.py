"""Bringing a window's objects to the function's disk: each as it was listed, or the reason why not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from tidegate.core.sentences import Sentence, say, told
from tidegate.edge.storage import client, split_uri

DOWNLOADS_AT_ONCE = 16
LONGEST_NAME = 60  # characters; a file's name holds 255 bytes


@dataclass(frozen=True)
class Fetched:
    """An object of a window; `path` is None where it is not any more what was listed."""

    taken: Mapping[str, Any]
    path: Path | None
    problem: Sentence | None = None


def fetch_all(bucket: str, objects: Sequence[Mapping[str, Any]], folder: Path) -> list[Fetched]:
    """Download the objects of a manifest, many at a time; gives them in its order.

    Each file has its object's name, by which people are told what is wrong in it, in a folder of its own.
    """

    def one(numbered: tuple[int, Mapping[str, Any]]) -> Fetched:
        number, taken = numbered
        home = folder / f"{number:06d}"
        home.mkdir()
        return _fetch(bucket, taken, home / taken["key"].rsplit("/", 1)[-1][-LONGEST_NAME:])

    with ThreadPoolExecutor(DOWNLOADS_AT_ONCE) as pool:
        return list(pool.map(one, enumerate(objects)))


def fetch(uri: str, path: Path) -> Path:
    """Download one object."""
    bucket, key = split_uri(uri)
    client("s3").download_file(bucket, key, str(path))
    return path


def put(uri: str, path: Path) -> str:
    """Upload one file; gives its URI."""
    bucket, key = split_uri(uri)
    client("s3").upload_file(str(path), bucket, key)
    return uri


def _fetch(bucket: str, taken: Mapping[str, Any], path: Path) -> Fetched:
    try:
        answer = client("s3").get_object(Bucket=bucket, Key=taken["key"], IfMatch=f'"{taken["etag"]}"')
    except ClientError as error:
        code, key = error.response["Error"]["Code"], told(taken["key"])
        if code in ("PreconditionFailed", "412"):
            # The next check finds it changed, and takes what it holds then.
            return Fetched(
                taken, None, say("{key} was rewritten meanwhile; the next check reads it", key=key)
            )
        if code in ("NoSuchKey", "404"):
            return Fetched(taken, None, say("{key} was deleted before it could be read", key=key))
        raise
    with path.open("wb") as file:
        for block in answer["Body"].iter_chunks(1 << 20):
            file.write(block)
    return Fetched(taken, path)
