"""Data in and out of containers: what an S3 prefix or manifest names into a folder, folders back to S3."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any

from boto3.s3.transfer import TransferConfig
from botocore.exceptions import BotoCoreError, ClientError

Check = Callable[[], None]

_CHUNK_BYTES = 1 << 20
_AT_ONCE = 4
# One request up to here; above it, parts keep memory small on both sides.
_ONE_REQUEST_BYTES = 64 << 20
_PARTS = TransferConfig(
    multipart_threshold=_ONE_REQUEST_BYTES, multipart_chunksize=_ONE_REQUEST_BYTES, use_threads=False
)


class TransferError(Exception):
    """Data could not be copied; the message says which data, why, and what to do."""


@dataclass(frozen=True)
class S3Object:
    """An object to copy, and its path relative to the prefix that named it."""

    bucket: str
    key: str
    path: str
    size_bytes: int

    @property
    def uri(self) -> str:
        """The object's full name."""
        return f"s3://{self.bucket}/{self.key}"


def split_uri(uri: str) -> tuple[str, str]:
    """Return bucket and key of an S3 URI.

    Examples
    --------
    >>> split_uri("s3://data/used cars/train+1.csv")
    ('data', 'used cars/train+1.csv')
    """
    scheme, _, rest = uri.partition("://")
    bucket, _, key = rest.partition("/")
    if scheme != "s3" or not bucket:
        raise TransferError(f"{uri!r} is not an S3 location. Write it as s3://BUCKET/KEY.")
    return bucket, key


def join_uri(uri: str, path: str) -> str:
    """Return the URI of `path` under a prefix, with one slash between them.

    Examples
    --------
    >>> join_uri("s3://artifacts/runs/", "one/output.tar.gz")
    's3://artifacts/runs/one/output.tar.gz'
    """
    return f"{uri.rstrip('/')}/{path}"


def find_objects(s3: Any, uri: str, data_type: str = "S3Prefix") -> list[S3Object]:
    """List what a data source names.

    Parameters
    ----------
    s3
        The S3 client.
    uri
        A prefix, or with ``ManifestFile`` the manifest: ``[{"prefix": "s3://b/p/"}, "path", …]``.
    data_type
        ``S3Prefix`` or ``ManifestFile``.

    Raises
    ------
    TransferError
        When there is nothing, or a path would lead out of the folder it is copied to.
    """
    found = list_objects(s3, uri, data_type)
    if not found:
        raise TransferError(
            f"No object lies under {uri}. Check the bucket and the prefix, and that the data was put there."
        )
    return found


def list_objects(s3: Any, uri: str, data_type: str = "S3Prefix") -> list[S3Object]:
    """Do as `find_objects`, and accept that there is nothing."""
    if data_type == "ManifestFile":
        found = _in_manifest(s3, uri)
    elif data_type == "S3Prefix":
        found = _under_prefix(s3, uri)
    else:
        raise TransferError(f"{data_type} is not served here; use S3Prefix or ManifestFile for {uri}.")
    for item in found:
        if ".." in PurePosixPath(item.path).parts or "\0" in item.path:
            raise TransferError(f"{item.uri} cannot be copied: its path leads out of the container's folder.")
    return found


def download_all(s3: Any, objects: Iterable[S3Object], folder: Path, check: Check = lambda: None) -> int:
    """Copy objects into a folder by their relative paths; return the number of bytes.

    `check` is called between pieces and ends the copy by raising.
    """
    chosen = list(objects)
    if len(chosen) == 1:
        return _into(s3, chosen[0], folder, check)
    with ThreadPoolExecutor(_AT_ONCE, "download") as pool:
        return sum(pool.map(lambda item: _into(s3, item, folder, check), chosen))


def download_file(s3: Any, uri: str, path: Path, check: Check = lambda: None) -> int:
    """Copy one object to a file; return the number of bytes."""
    bucket, key = split_uri(uri)
    try:
        with path.open("wb") as file:
            return _copy(open_object(s3, bucket, key), file, check)
    except OSError as error:
        raise TransferError(f"{uri} could not be written to {path}: {error.strerror or error}.") from error


def open_object(s3: Any, bucket: str, key: str) -> IO[bytes]:
    """Return an object's content as a stream."""
    try:
        body: IO[bytes] = s3.get_object(Bucket=bucket, Key=key)["Body"]
    except (ClientError, BotoCoreError) as error:
        raise TransferError(f"s3://{bucket}/{key} could not be read: {_why(error)}") from error
    return body


def upload_file(s3: Any, path: Path, uri: str) -> None:
    """Put one file at an S3 URI."""
    bucket, key = split_uri(uri)
    try:
        if path.stat().st_size < _ONE_REQUEST_BYTES:
            with path.open("rb") as file:
                s3.put_object(Bucket=bucket, Key=key, Body=file)
        else:
            s3.upload_file(str(path), bucket, key, Config=_PARTS)
    except (ClientError, BotoCoreError, OSError) as error:
        raise TransferError(f"{uri} could not be written: {_why(error)}") from error


def upload_folder(s3: Any, folder: Path, uri: str) -> int:
    """Put every file of a folder under a prefix; return how many there were."""
    files = files_in(folder)
    with ThreadPoolExecutor(_AT_ONCE, "upload") as pool:
        put = (
            pool.submit(upload_file, s3, path, join_uri(uri, path.relative_to(folder).as_posix()))
            for path in files
        )
        for future in list(put):
            future.result()
    return len(files)


def files_in(folder: Path) -> list[Path]:
    """Return the regular files below a folder in the order of their names; links that lead out are left."""
    if not folder.is_dir():
        return []
    home = folder.resolve()
    return sorted(
        path for path in folder.rglob("*") if path.is_file() and path.resolve().is_relative_to(home)
    )


def _under_prefix(s3: Any, uri: str) -> list[S3Object]:
    bucket, prefix = split_uri(uri)
    found = []
    try:
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
            for entry in page.get("Contents", ()):
                key = entry["Key"]
                if not key.endswith("/"):  # consoles make such empty objects to show a folder
                    found.append(S3Object(bucket, key, _relative(key, prefix), entry["Size"]))
    except (ClientError, BotoCoreError) as error:
        raise TransferError(f"{uri} could not be listed: {_why(error)}") from error
    return found


def _relative(key: str, prefix: str) -> str:
    rest = key[len(prefix) :]
    if prefix.endswith("/") or rest.startswith("/"):
        return rest.lstrip("/")
    # The prefix ends within a name ("…/part" for "…/part-0.csv") or is the whole key: keep that name.
    return key[prefix.rfind("/") + 1 :]


def _in_manifest(s3: Any, uri: str) -> list[S3Object]:
    bucket, key = split_uri(uri)
    try:
        manifest = json.loads(open_object(s3, bucket, key).read())
        prefix, paths = manifest[0]["prefix"], manifest[1:]
        if not all(isinstance(path, str) for path in paths):
            raise TypeError
    except (ValueError, TypeError, KeyError, IndexError) as error:
        raise TransferError(
            f'{uri} is not a manifest. Write [{{"prefix": "s3://BUCKET/PREFIX/"}}, "file", "folder/file"].'
        ) from error
    found = []
    for path in paths:
        where, name = split_uri(prefix + path)
        try:
            size = s3.head_object(Bucket=where, Key=name)["ContentLength"]
        except (ClientError, BotoCoreError) as error:
            raise TransferError(
                f"{prefix}{path}, named by {uri}, could not be read: {_why(error)}"
            ) from error
        found.append(S3Object(where, name, path.lstrip("/"), size))
    return found


def _into(s3: Any, item: S3Object, folder: Path, check: Check) -> int:
    path = folder / item.path
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise TransferError(
            f"{item.uri} cannot be copied: another object takes the name of a folder on its path."
        ) from error
    return download_file(s3, item.uri, path, check)


def _copy(source: IO[bytes], target: IO[bytes], check: Check) -> int:
    total = 0
    with source:
        while chunk := source.read(_CHUNK_BYTES):
            check()
            total += target.write(chunk)
    return total


def _why(error: Exception) -> str:
    if isinstance(error, ClientError):
        answer = error.response.get("Error", {})
        code, message = answer.get("Code", "error"), answer.get("Message", "")
        if code == "404":
            return "there is no such object."
        return f"{code}: {message}".rstrip(": ")
    if isinstance(error, OSError):
        return f"{error.strerror or error}."
    return f"{error}"
