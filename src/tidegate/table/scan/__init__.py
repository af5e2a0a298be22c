"""Reading files into profiles: each file once, in blocks, so that memory does not grow with the rows."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from tidegate.table.profile.table import Profile
from tidegate.table.read.look import damaged, refuse_other_kinds
from tidegate.table.scan.capture import CapturedRow, profile_capture, read_capture
from tidegate.table.scan.csv_file import profile_csv
from tidegate.table.scan.json_lines import profile_json_lines
from tidegate.table.scan.parquet_file import profile_parquet
from tidegate.table.scan.records import profile_records

__all__ = [
    "CapturedRow",
    "profile_capture",
    "profile_csv",
    "profile_file",
    "profile_files",
    "profile_json_lines",
    "profile_parquet",
    "profile_records",
    "read_capture",
]

HEAD_BYTES = 1 << 16
Progress = Callable[[int], None]


def profile_files(
    paths: Iterable[Path],
    *,
    header: bool = True,
    columns: Sequence[str] | None = None,
    progress: Progress | None = None,
) -> Profile:
    """Profile several files as one table; see `profile_file`."""
    return Profile.sum_of(
        profile_file(path, header=header, columns=columns, progress=progress) for path in paths
    )


def profile_file(
    path: Path,
    *,
    header: bool = True,
    columns: Sequence[str] | None = None,
    progress: Progress | None = None,
) -> Profile:
    """Profile a file: CSV, Parquet, JSON Lines or SageMaker's data capture, told by its content.

    Parameters
    ----------
    header : bool
        Whether the first line of CSV names the columns; otherwise they are called `_c0`, `_c1`, …
    columns : sequence of str, optional
        The names of captured CSV requests' fields.
    progress : callable, optional
        Told how many bytes of the file were read since the last time.

    Raises
    ------
    BadDrop
        For a file that cannot be read, with a sentence that says what is wrong and where.
    """
    kind = _kind(path)
    if kind == "parquet":
        return profile_parquet(path, progress=progress)
    if kind == "capture":
        return profile_capture([path], columns, progress=progress)
    if kind == "lines":
        return profile_json_lines(path, progress=progress)
    return profile_csv(path, header=header, progress=progress)


def _kind(path: Path) -> str:
    with path.open("rb") as file:
        head = file.read(4)
    if head == b"PAR1":
        return "parquet"
    refuse_other_kinds(head, path.name)
    if not head.startswith(b"\x1f\x8b"):
        with path.open("rb") as file:
            start = file.read(HEAD_BYTES)
    else:
        try:
            with gzip.open(path) as unpacked:
                start = unpacked.read(HEAD_BYTES)
        except (EOFError, OSError, zlib.error) as error:
            raise damaged(path.name, error, dropped=False) from None
    begins = start.removeprefix(b"\xef\xbb\xbf").lstrip()
    if not begins.startswith(b"{"):
        return "csv"
    return "capture" if b'"captureData"' in begins.split(b"\n", 1)[0] else "lines"
