"""Profiling CSV: cut into blocks of whole records, each read and summed up by a thread of its own."""

from __future__ import annotations

import csv
import gzip
import io
import os
import zlib
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from typing import BinaryIO, TypeVar, cast

from tidegate.core.errors import BadDrop
from tidegate.table import native
from tidegate.table.profile.column import ColumnProfile
from tidegate.table.profile.table import Profile
from tidegate.table.read.csv_trouble import explain_structure
from tidegate.table.read.look import look
from tidegate.table.scan.adding import Adding
from tidegate.table.scan.arrow_csv import profile_with_arrow
from tidegate.table.scan.blocks import BLOCK_BYTES, blocks
from tidegate.table.scan.native_csv import BadBlock, NativeReader, address_of

HEADER_BYTES = 1 << 20
BOM = b"\xef\xbb\xbf"
Progress = Callable[[int], None]
Done = tuple[int, list[ColumnProfile]]
T = TypeVar("T")


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
        except (BadBlock, UnicodeDecodeError, gzip.BadGzipFile, EOFError, zlib.error, csv.Error) as error:
            raise _explained(path, gzipped, error, header) from None


def _profile(
    kernel: native.Kernel, stream: BinaryIO, raw: BinaryIO, names: tuple[str, ...], progress: Progress | None
) -> Profile:
    adding = Adding(names)
    readers: SimpleQueue[NativeReader] = SimpleQueue()
    buffers: list[bytearray] = []

    def take(size: int) -> bytearray:
        fitting = next((each for each in buffers if len(each) >= size), None)
        if fitting is None:
            return bytearray(size)
        buffers.remove(fitting)
        return fitting

    def work(buffer: bytearray, size: int) -> Done:
        reader = NativeReader(kernel, len(names)) if readers.empty() else readers.get()
        done = reader.csv(buffer, size, adding.below)
        readers.put(reader)
        buffers.append(buffer)
        return done

    def whole(buffer: bytearray, size: int) -> int:
        return int(kernel.tg_whole_records(address_of(buffer), size))

    cut = blocks(stream, whole, take)
    seen = 0
    for rows, columns in _in_order(cut, work):
        adding.add(rows, columns)
        if progress:
            at = raw.tell()
            progress(at - seen)
            seen = at
    return adding.profile()


def _in_order(cut: Iterator[tuple[bytearray, int]], work: Callable[[bytearray, int], Done]) -> Iterator[Done]:
    """Work on blocks with as many threads as there are cores, two blocks each; answer in their order."""
    first = next(cut)
    if first[1] < BLOCK_BYTES // 2:  # most windows are small, and a pool would only cost them time
        yield work(*first)
        yield from (work(*block) for block in cut)
        return
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    waiting: deque[Future[Done]] = deque()
    with ThreadPoolExecutor(cores) as pool:
        try:
            waiting.append(pool.submit(work, *first))
            for block in cut:
                waiting.append(pool.submit(work, *block))
                if len(waiting) >= 2 * cores:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()


def _read_header(stream: BinaryIO, path: Path, header: bool) -> Header:
    head = stream.read(HEADER_BYTES)
    start = len(BOM) if head.startswith(BOM) else 0
    while head[start : start + 1] in (b"\r", b"\n"):
        start += 1
    if start == len(head):
        look(path, path.name)  # has the words for a file of nothing
        raise BadDrop(f"{path.name} has no rows; there is nothing to profile")
    end, quoted = start, False
    while end < len(head) and (quoted or head[end] not in b"\r\n"):
        quoted ^= head[end] == ord('"')
        end += 1
    cells = next(csv.reader(io.StringIO(head[start:end].decode(), newline="")))
    names = tuple(cell.strip() for cell in cells) if header else tuple(f"_c{at}" for at in range(len(cells)))
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise BadDrop(
            f"{path.name} has two columns called '{twice}'; a profile needs a name for each, so rename one"
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
    return BadDrop(f"{path.name} cannot be read as CSV ({error or 'its records differ in width'})")
