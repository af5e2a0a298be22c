"""Reading JSON Lines: one object a line, its names the columns.

The kernel reads blocks of plain objects; a block with anything else in it, such as nested values or escapes,
is read line by line.
"""

from __future__ import annotations

import gzip
import zlib
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, cast

from tidegate.core import bounds
from tidegate.core.bounds import MOST_CELL_BYTES, cell_is_too_long
from tidegate.core.errors import BadDrop
from tidegate.core.grammar import BOM, JSON_BLANKS
from tidegate.core.sentences import Sentence, say, told
from tidegate.table import native
from tidegate.table.profile.distinct import ANY
from tidegate.table.profile.table import Profile
from tidegate.table.read.look import damaged
from tidegate.table.scan.blocks import RecordTooLong
from tidegate.table.scan.native_reader import BadBlock, NativeReader
from tidegate.table.scan.records import parsed, plain_names, profile_records
from tidegate.table.scan.threads import Progress, in_threads

_BLANKS = JSON_BLANKS.encode()
AT_ONCE = 8  # profiles; adding several costs hardly more than adding two


class NoObject(ValueError):
    """A line is JSON, and no object."""


def profile_json_lines(path: Path, *, progress: Progress | None = None) -> Profile:
    """Profile a file of JSON Lines, also a gzipped one.

    Raises
    ------
    BadDrop
        For a line that is no JSON object.
    """
    kernel = native.load()
    names = [str(name) for name in next(objects_of(path), {})]
    if kernel is None or not names:
        return profile_records(objects_of(path, progress))
    below = [ANY] * len(names)

    def work(reader: NativeReader, buffer: bytearray, size: int) -> Profile:
        try:
            rows, columns = reader.json(buffer, size, names, below)
        except BadBlock:
            return profile_records(_objects(bytes(memoryview(buffer)[:size])))
        return Profile(rows, dict(zip(plain_names(names).values(), columns, strict=True)))

    parts: list[Profile] = []
    with path.open("rb") as raw:
        try:
            stream = unpacked(raw)
            stream.seek(len(BOM) if stream.read(len(BOM)) == BOM else 0)
            for part in in_threads(stream, raw, _whole_lines, (kernel, len(names)), work, progress):
                parts.append(part)
                if len(parts) > AT_ONCE:
                    parts = [Profile.sum_of(parts)]
        except ValueError:
            deque(objects_of(path), maxlen=0)  # tells the line
            raise
    return Profile.sum_of(parts)


def unpacked(raw: BinaryIO) -> BinaryIO:
    """Give a stream of a file's bytes, unpacked if it is gzipped."""
    gzipped = raw.read(2) == b"\x1f\x8b"
    raw.seek(0)
    return cast(BinaryIO, gzip.GzipFile(fileobj=raw)) if gzipped else raw


def lines_of(
    path: Path,
    progress: Progress | None = None,
    *,
    read: Callable[[bytes], Any] = parsed,
    most: int | None = None,
    bad: Callable[[BadDrop], None] | None = None,
) -> Iterator[tuple[int, Any]]:
    """Give what each line that is not blank holds, with its number, counted from 1; numbers stay texts.

    Parameters
    ----------
    read : callable
        Reads a line, or raises ValueError with what is wrong with it.
    most : int
        How many bytes a line may have; a row's where it is not told.
    bad : callable, optional
        Told of each line that cannot be read, which is then left out; otherwise the first one ends it all.

    Raises
    ------
    BadDrop
        For a line that is no JSON, or too long to be one row.
    """

    most = most or bounds.MOST_ROW_BYTES

    def refuse(number: int, words: Sentence) -> None:
        said = say("{file}, line {line}: {words}", file=told(path.name), line=number, words=words)
        refusal = BadDrop(said, row=number)
        if bad is None:
            raise refusal from None
        bad(refusal)

    try:
        with path.open("rb") as raw:
            for number, line in _raw_lines(raw, most, progress):
                if line is None:
                    refuse(
                        number, say("this is {long}; write one object a line", long=told(RecordTooLong(most)))
                    )
                    continue
                try:
                    content = read(line)
                except NoObject:
                    refuse(number, say("this is no JSON object with a name for each value"))
                    continue
                except ValueError as error:
                    refuse(
                        number, say("this is not JSON ({error}); write one object a line", error=told(error))
                    )
                    continue
                yield number, content
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise damaged(path.name, error, dropped=False) from None


def _raw_lines(raw: BinaryIO, most: int, progress: Progress | None) -> Iterator[tuple[int, bytes | None]]:
    """Give every line that is not blank with its number; None for one that is too long."""
    seen = 0
    stream = unpacked(raw)
    for number, line in enumerate(iter(lambda: stream.readline(most + 1), b""), 1):
        if number == 1:
            line = line.removeprefix(BOM)
        if progress and not number % 4096:
            progress(raw.tell() - seen)
            seen = raw.tell()
        if len(line) > most:
            rest = line
            while rest and not rest.endswith(b"\n"):
                rest = stream.readline(most)
            yield number, None
        elif line.strip(_BLANKS):
            yield number, line


def objects_of(path: Path, progress: Progress | None = None) -> Iterator[dict[str, Any]]:
    """Give each line's object.

    Raises
    ------
    BadDrop
        For a line that holds something else.
    """
    return (content for _, content in lines_of(path, progress, read=_object))


def _object(line: bytes) -> dict[str, Any]:
    content = parsed(line)
    if not isinstance(content, dict):
        raise NoObject
    if len(line) > MOST_CELL_BYTES and any(map(cell_is_too_long, filter(_is_text, content.values()))):
        raise ValueError(f"a text has more than {MOST_CELL_BYTES:,} bytes")
    return content


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _objects(block: bytes) -> Iterator[dict[str, Any]]:
    return (_object(line) for line in block.split(b"\n") if line.strip(_BLANKS))


def _whole_lines(buffer: bytearray, size: int) -> int:
    return buffer.rfind(b"\n", 0, size) + 1
