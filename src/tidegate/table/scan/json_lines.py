"""Reading JSON Lines: one object a line, its names the columns."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, cast

from tidegate.core.errors import BadDrop
from tidegate.table.scan.records import parsed

Progress = Callable[[int], None]


def lines_of(path: Path, progress: Progress | None = None) -> Iterator[tuple[int, Any]]:
    """Give what each line that is not blank holds, with its number, counted from 1; numbers stay texts.

    Raises
    ------
    BadDrop
        For a line that is no JSON.
    """
    with path.open("rb") as raw:
        gzipped = raw.read(2) == b"\x1f\x8b"
        raw.seek(0)
        stream = cast(BinaryIO, gzip.GzipFile(fileobj=raw)) if gzipped else raw
        seen = 0
        for number, line in enumerate(stream, 1):
            if number == 1:
                line = line.removeprefix(b"\xef\xbb\xbf")
            if progress and not number % 4096:
                progress(raw.tell() - seen)
                seen = raw.tell()
            if not line.isspace():
                try:
                    yield number, parsed(line)
                except ValueError as error:
                    raise BadDrop(
                        f"{path.name}, line {number}: this is not JSON ({error}); write one object a line",
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
                f"{path.name}, line {number}: this is no JSON object with a name for each value", row=number
            )
        yield content
