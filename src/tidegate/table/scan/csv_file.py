"""Profiling CSV: cut into blocks of whole records, each read and summed up by a thread of its own."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path
from typing import BinaryIO, cast

from tidegate.core.errors import BadDrop
from tidegate.core.grammar import Head, Malformed, csv_head
from tidegate.core.sentences import of_the_data, say, told
from tidegate.table import native
from tidegate.table.profile.column import ColumnProfile
from tidegate.table.profile.table import Profile
from tidegate.table.read.csv_trouble import explain_structure, malformed
from tidegate.table.read.look import look
from tidegate.table.scan.adding import Adding
from tidegate.table.scan.arrow_csv import profile_with_arrow
from tidegate.table.scan.blocks import RecordTooLong
from tidegate.table.scan.native_reader import BadBlock, NativeReader, address_of
from tidegate.table.scan.threads import Progress, in_threads

Done = tuple[int, list[ColumnProfile]]


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
            head = _head(stream, path)
            names = _names(head, path, header)
            begins = head.begins if header else head.starts
            kernel = native.load()
            if kernel is None:
                return profile_with_arrow(path, names, head, header=header, progress=progress)
            stream.seek(begins)
            return _profile(kernel, stream, raw, names, progress)
        except (BadBlock, RecordTooLong, UnicodeDecodeError, OSError, EOFError, zlib.error) as error:
            if isinstance(error, OSError) and not gzipped:
                raise
            raise _explained(path, gzipped, error) from None
        except Malformed as error:
            look(path, path.name)  # has the words for what is no text at all
            raise malformed(path.name, error) from None


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


def _head(stream: BinaryIO, path: Path) -> Head:
    head = csv_head(stream)
    if head is None:
        look(path, path.name)  # has the words for a file of nothing
        raise BadDrop(say("{file} has no rows; there is nothing to profile", file=told(path.name)))
    return head


def _names(head: Head, path: Path, header: bool) -> tuple[str, ...]:
    if not header:
        return tuple(f"_c{at}" for at in range(len(head.cells)))
    seen: set[str] = set()
    for name in head.cells:
        if name in seen:
            raise BadDrop(
                say(
                    "{file} has two columns called '{name}'; a profile needs a name for each, so rename one",
                    file=told(path.name),
                    name=of_the_data(name),
                )
            )
        seen.add(name)
    return head.cells


def _explained(path: Path, gzipped: bool, error: Exception) -> BadDrop:
    """Find the words for what the fast reader refused, by reading again slowly."""
    try:
        seen = look(path, path.name)
        with path.open("rb") as raw:
            stream = cast(BinaryIO, gzip.GzipFile(fileobj=raw)) if gzipped else raw
            width = len(_head(stream, path).cells)
        explain_structure(path, path.name, seen, width)
    except BadDrop as refusal:
        return refusal
    except Malformed as trouble:
        return malformed(path.name, trouble)
    if isinstance(error, RecordTooLong):
        return BadDrop(
            say(
                "{file} has a row that is {error}; write one row a line",
                file=told(path.name),
                error=told(error),
            )
        )
    words = of_the_data(error) if str(error) else told("its records differ in width")
    return BadDrop(say("{file} cannot be read as CSV ({words})", file=told(path.name), words=words))
