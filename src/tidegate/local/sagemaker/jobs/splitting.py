"""An input object of batch transform cut into bodies of requests: by line or whole, within the payload."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

from tidegate.local.sagemaker.jobs.association import BadRecord


@dataclass(frozen=True)
class Cut:
    """How objects are cut.

    Parameters
    ----------
    by_line
        SplitType Line; otherwise the whole object is one record.
    single
        BatchStrategy SingleRecord: one record a request.
    most_bytes
        The largest body of a request.
    gzip
        Whether objects are compressed.
    """

    by_line: bool
    single: bool
    most_bytes: int
    gzip: bool


@dataclass(frozen=True)
class Batch:
    """Records that go out in one request: what is kept of each for its output, and the request's body."""

    kept: list[bytes]
    body: bytes


def batches(path: Path, cut: Cut, divide: Callable[[bytes], tuple[bytes, bytes]]) -> Iterator[Batch]:
    """Cut a file into requests; `divide` gives what the model gets of a record, and what is kept of it.

    Empty lines are no records. Raises `BadRecord` when a record does not fit the payload.
    """
    kept: list[bytes] = []
    parts: list[bytes] = []
    size_bytes = 0
    for record in _records(path, cut):
        part, rest = divide(record)
        if len(part) > cut.most_bytes:
            raise _too_large(cut)
        if parts and (cut.single or size_bytes + len(part) > cut.most_bytes):
            yield Batch(kept, b"\n".join(parts))
            kept, parts, size_bytes = [], [], 0
        kept.append(rest)
        parts.append(part)
        size_bytes += len(part) + 1
    if parts:
        yield Batch(kept, b"\n".join(parts))


def _records(path: Path, cut: Cut) -> Iterator[bytes]:
    # One byte more than fits tells a record that is too large from one that just fits.
    most = cut.most_bytes + 3
    try:
        with cast("IO[bytes]", gzip.open(path) if cut.gzip else path.open("rb")) as file:
            if not cut.by_line:
                if whole := file.read(most):
                    yield whole
                return
            while line := file.readline(most):
                if len(line) == most and not line.endswith(b"\n"):
                    raise _too_large(cut)
                if record := line.rstrip(b"\r\n"):
                    yield record
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise BadRecord(f"CompressionType is Gzip, and the object is no gzip file: {error}.") from error


def _too_large(cut: Cut) -> BadRecord:
    megabytes = cut.most_bytes >> 20
    what = "A line" if cut.by_line else "The object"
    how = "MaxPayloadInMB" if cut.by_line else "MaxPayloadInMB, or set SplitType to Line"
    return BadRecord(f"{what} is larger than the payload of {megabytes} MB. Raise {how}.")
