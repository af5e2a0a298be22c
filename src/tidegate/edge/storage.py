"""Objects in S3, by URI: read, write, download a version, upload a folder."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import ClientError

UPLOADS_AT_ONCE = 4


@cache
def client(service: str) -> Any:
    """Make one client a service, kept for the life of the function's process."""
    make: Any = boto3.client  # its stubs are one overload a service, which a variable name cannot choose from
    return make(service)


def split_uri(uri: str) -> tuple[str, str]:
    """Split ``s3://bucket/key`` into its two parts."""
    # Not by a reader of URLs: a key may hold what means something there, and line ends, which they drop.
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return bucket, key


def read_bytes(uri: str) -> bytes:
    """Read a whole object."""
    bucket, key = split_uri(uri)
    body: bytes = client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    return body


def read_json(uri: str) -> Any | None:
    """Read a JSON object, or None where there is none."""
    content = read_bytes_or_none(uri)
    return None if content is None else json.loads(content)


def read_bytes_or_none(uri: str) -> bytes | None:
    """Read a whole object, or None where there is none."""
    try:
        return read_bytes(uri)
    except ClientError as error:
        # Without permission to list the bucket, S3 answers 403 for a key that is not there.
        if error.response["Error"]["Code"] in ("NoSuchKey", "404"):
            return None
        raise


def read_parts(uri: str, ending: str = ".out") -> bytes | None:
    """Read every object under a folder whose name ends so, one after the other; None where there is none."""
    bucket, prefix = split_uri(uri)
    pages = client("s3").get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    keys = sorted(each["Key"] for page in pages for each in page.get("Contents", []))
    parts = [read_bytes(f"s3://{bucket}/{key}") for key in keys if key.endswith(ending)]
    return b"".join(part if part.endswith(b"\n") else part + b"\n" for part in parts) if parts else None


def exists(uri: str) -> bool:
    """Tell whether there is an object."""
    bucket, key = split_uri(uri)
    found = client("s3").list_objects_v2(Bucket=bucket, Prefix=key, MaxKeys=1).get("Contents", [])
    return any(each["Key"] == key for each in found)


def is_there(uri: str) -> bool:
    """Tell whether there is an object; none is in a bucket that is gone, nor in somebody else's."""
    try:
        return exists(uri)
    except ClientError as error:
        code = error.response["Error"]["Code"]
        # A right that we lack on our own bucket is a trouble to be told, not an object that is gone.
        if code == "NoSuchBucket" or (code == "AccessDenied" and split_uri(uri)[0] != _own_bucket()):
            return False
        raise


def _own_bucket() -> str:
    return os.environ["ARTIFACTS_BUCKET"]


def write_bytes(uri: str, body: bytes, content_type: str = "application/octet-stream") -> None:
    """Write a whole object."""
    bucket, key = split_uri(uri)
    client("s3").put_object(Bucket=bucket, Key=key, Body=body, ContentType=content_type)


def write_json(uri: str, document: Any) -> None:
    """Write a document as readable JSON."""
    bucket, key = split_uri(uri)
    body = json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False).encode()
    client("s3").put_object(Bucket=bucket, Key=key, Body=body, ContentType="application/json")


def delete(uri: str) -> None:
    """Delete an object; one that is not there is no error."""
    bucket, key = split_uri(uri)
    client("s3").delete_object(Bucket=bucket, Key=key)


def download(bucket: str, key: str, version: str | None, to: Path) -> Path:
    """Download one version of an object, or the newest where no version is named."""
    extra = {"VersionId": version} if version else None
    client("s3").download_file(bucket, key, str(to), ExtraArgs=extra)
    return to


def upload_folder(folder: Path, uri: str) -> list[str]:
    """Upload every file under a folder, a few at a time, keeping the paths; gives the keys."""
    bucket, prefix = split_uri(uri)
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    keys = [f"{prefix}/{path.relative_to(folder).as_posix()}" for path in files]

    def upload(pair: tuple[Path, str]) -> None:
        client("s3").upload_file(str(pair[0]), bucket, pair[1])

    _each(upload, zip(files, keys, strict=True))
    return keys


def download_folder(uri: str, to: Path) -> list[Path]:
    """Download every object under a prefix into a new folder, a few at a time; gives the files by name."""
    bucket, prefix = split_uri(uri)
    pages = client("s3").get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    keys = sorted(each["Key"] for page in pages for each in page.get("Contents", []))
    to.mkdir()

    def fetch(key: str) -> None:
        client("s3").download_file(bucket, key, str(to / key.rsplit("/", 1)[-1]))

    _each(fetch, keys)
    return [to / key.rsplit("/", 1)[-1] for key in keys]


def _each(act: Any, items: Iterable[Any]) -> None:
    with ThreadPoolExecutor(UPLOADS_AT_ONCE) as pool:
        for done in pool.map(act, items):
            assert done is None
