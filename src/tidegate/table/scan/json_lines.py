"""Reading JSON Lines: one object a line, its names the columns.

The kernel reads blocks of plain objects; a block with anything else in it, such as nested values or escapes,
is read line by line.
"""

from __future__ import annotations

import gzip
import zlib
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, cast

from tidegate.core.errors import BadDrop
from tidegate.core.sentences import say, told
from tidegate.table import native
from tidegate.table.profile.distinct import ANY
from tidegate.table.profile.table import Profile
from tidegate.table.scan import blocks
from tidegate.table.scan.native_reader import BadBlock, NativeReader
from tidegate.table.scan.records import parsed, profile_records
from tidegate.table.scan.threads import Progress, in_threads

AT_ONCE = 8  # profiles; adding several costs hardly more than adding two


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
        stripped = (name.strip() for name in names)
        return Profile(rows, dict(zip(stripped, columns, strict=True)))

    parts: list[Profile] = []
    with path.open("rb") as raw:
        try:
            stream = unpacked(raw)
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


def lines_of(path: Path, progress: Progress | None = None) -> Iterator[tuple[int, Any]]:
    """Give what each line that is not blank holds, with its number, counted from 1; numbers stay texts.

    Raises
    ------
    BadDrop
        For a line that is no JSON, or too long to be one row.
    """
    try:
        yield from _parsed_lines(path, progress)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise BadDrop(
            say(
                "{file} is a damaged gzip file ({error}); compress it again",
                file=told(path.name),
                error=told(error),
            )
        ) from None


def _parsed_lines(path: Path, progress: Progress | None) -> Iterator[tuple[int, Any]]:
    with path.open("rb") as raw:
        seen = 0
        stream = unpacked(raw)
        most = blocks.MOST_RECORD_BYTES
        for number, line in enumerate(iter(lambda: stream.readline(most + 1), b""), 1):
            if len(line) > most:
                raise BadDrop(
                    say(
                        "{file}, line {number}: this is {long}; write one object a line",
                        file=told(path.name),
                        number=number,
                        long=told(blocks.RecordTooLong()),
                    ),
                    row=number,
                )
            if number == 1:
                line = line.removeprefix(b"\xef\xbb\xbf")
            if progress and not number % 4096:
                progress(raw.tell() - seen)
                seen = raw.tell()
            if not line.isspace():
                try:
                    yield number, parsed(line)
                except (ValueError, RecursionError) as error:
                    raise BadDrop(
                        say(
                            "{file}, line {number}: this is not JSON ({error}); write one object a line",
                            file=told(path.name),
                            number=number,
                            error=told(error),
                        ),
                        row=number,
                    ) from None


def objects_of(path: Path, progress: Progress | None = None) -> Iterator[dict[str, Any]]:
    """Give each line's object.

    Raises
    ------
    BadDrop
        For a line that holds something else.
    """
    for number, content in lines_of(path, progress):
        if not isinstance(content, dict):
            raise BadDrop(
                say(
                    "{file}, line {number}: this is no JSON object with a name for each value",
                    file=told(path.name),
                    number=number,
                ),
                row=number,
            )
        yield content


def _objects(block: bytes) -> Iterator[dict[str, Any]]:
    for line in block.split(b"\n"):
        if line and not line.isspace():
            content = parsed(line)
            if not isinstance(content, dict):
                raise ValueError("a line holds no object")
            yield content


def _whole_lines(buffer: bytearray, size: int) -> int:
    return buffer.rfind(b"\n", 0, size) + 1
