"""Profiling CSV: cut into blocks of whole records, each read and summed up by a thread of its own."""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from tidegate.core.errors import BadDrop
from tidegate.core.sentences import of_the_data, say, told
from tidegate.table import native
from tidegate.table.profile.column import ColumnProfile
from tidegate.table.profile.table import Profile
from tidegate.table.read.csv_trouble import explain_structure
from tidegate.table.read.look import look
from tidegate.table.scan.adding import Adding
from tidegate.table.scan.arrow_csv import profile_with_arrow
from tidegate.table.scan.blocks import RecordTooLong
from tidegate.table.scan.native_reader import BadBlock, NativeReader, address_of
from tidegate.table.scan.threads import Progress, in_threads

HEADER_BYTES = 1 << 20
BOM = b"\xef\xbb\xbf"
Done = tuple[int, list[ColumnProfile]]


@dataclass(frozen=True)
class Header:
    """What the first record says.

    Attributes
    ----------
    begins : int
        Where the rows begin, in unpacked bytes.
    """

    names: tuple[str, ...]
    begins: int


def profile_csv(path: Path, *, header: bool = True, progress: Progress | None = None) -> Profile:
    """Profile a CSV file, also a gzipped one.

    Parameters
    ----------
    header : bool
        Whether the first line names the columns; otherwise they are called `_c0`, `_c1`, …
    progress : callable, optional
        Told how many bytes of the file were read since the last time.

    Raises
    ------
    BadDrop
        For a file that is no CSV, by its line.
    """
    with path.open("rb") as raw:
        gzipped = raw.read(2) == b"\x1f\x8b"
        raw.seek(0)
        stream = cast(BinaryIO, gzip.GzipFile(fileobj=raw)) if gzipped else raw
        try:
            first = _read_header(stream, path, header)
            kernel = native.load()
            if kernel is None:
                return profile_with_arrow(path, first.names, header=header, progress=progress)
            stream.seek(first.begins)
            return _profile(kernel, stream, raw, first.names, progress)
        except (
            BadBlock,
            RecordTooLong,
            UnicodeDecodeError,
            gzip.BadGzipFile,
            EOFError,
            zlib.error,
            csv.Error,
        ) as error:
            raise _explained(path, gzipped, error, header) from None


def _profile(
    kernel: native.Kernel, stream: BinaryIO, raw: BinaryIO, names: tuple[str, ...], progress: Progress | None
) -> Profile:
    adding = Adding(names)

    def work(reader: NativeReader, buffer: bytearray, size: int) -> Done:
        return reader.csv(buffer, size, adding.below)

    def whole(buffer: bytearray, size: int) -> int:
        return int(kernel.tg_whole_records(address_of(buffer), size))

    for rows, columns in in_threads(stream, raw, whole, (kernel, len(names)), work, progress):
        adding.add(rows, columns)
    return adding.profile()


def _read_header(stream: BinaryIO, path: Path, header: bool) -> Header:
    head = stream.read(HEADER_BYTES)
    start = len(BOM) if head.startswith(BOM) else 0
    while head[start : start + 1] in (b"\r", b"\n"):
        start += 1
    if start == len(head):
        look(path, path.name)  # has the words for a file of nothing
        raise BadDrop(say("{file} has no rows; there is nothing to profile", file=told(path.name)))
    end, quoted = start, False
    while end < len(head) and (quoted or head[end] not in b"\r\n"):
        quoted ^= head[end] == ord('"')
        end += 1
    cells = next(csv.reader(io.StringIO(head[start:end].decode(), newline="")))
    names = tuple(cell.strip() for cell in cells) if header else tuple(f"_c{at}" for at in range(len(cells)))
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise BadDrop(
            say(
                "{file} has two columns called '{twice}'; a profile needs a name for each, so rename one",
                file=told(path.name),
                twice=of_the_data(twice),
            )
        )
    return Header(names, end if header else start)


def _explained(path: Path, gzipped: bool, error: Exception, header: bool) -> BadDrop:
    """Find the words for what the fast reader refused, by reading again slowly."""
    try:
        look(path, path.name)
        with path.open("rb") as raw:
            stream = cast(BinaryIO, gzip.GzipFile(fileobj=raw)) if gzipped else raw
            width = len(_read_header(stream, path, header).names)
        seen = look(path, path.name)
        explain_structure(path, path.name, seen, width, strict=True)
    except BadDrop as words:
        return words
    if isinstance(error, RecordTooLong):
        return BadDrop(
            say(
                "{file} has a row that is {error}; write one row a line",
                file=told(path.name),
                error=told(error),
            )
        )
    return BadDrop(
        say(
            "{file} cannot be read as CSV ({error})",
            file=told(path.name),
            error=of_the_data(error) if str(error) else told("its records differ in width"),
        )
    )
