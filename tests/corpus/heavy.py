"""Files that would fill the memory or the day of whoever read them carelessly, written block by block."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.corpus.drops import COLUMNS, ROW, text

MEBIBYTE = 1 << 20
HEADER = (",".join(COLUMNS) + "\n").encode()


def one_long_line(size: int) -> Iterator[bytes]:
    yield text().encode() + b"1,"
    yield from (b"7" * MEBIBYTE for _ in range(size))


def one_long_header(size: int) -> Iterator[bytes]:
    yield from (b"k" * MEBIBYTE for _ in range(size))


def header_of_commas(size: int) -> Iterator[bytes]:
    yield from (b"," * MEBIBYTE for _ in range(size))


def quote_never_closed(size: int) -> Iterator[bytes]:
    yield text().encode() + b'1,"'
    yield from (b"7,\n8" * (MEBIBYTE // 4) for _ in range(size))


def the_same_row(size: int) -> Iterator[bytes]:
    row = (",".join(ROW) + "\n").encode()
    yield HEADER
    yield from (row * (MEBIBYTE // len(row)) for _ in range(size))


def spaces(size: int) -> Iterator[bytes]:
    yield HEADER
    yield from (b" " * MEBIBYTE for _ in range(size))


def blank_lines(size: int) -> Iterator[bytes]:
    yield HEADER
    yield from (b"\n" * MEBIBYTE for _ in range(size))


def short_rows(size: int) -> Iterator[bytes]:
    yield HEADER
    yield from (b"1\n" * (MEBIBYTE // 2) for _ in range(size))


PLAIN: dict[str, Callable[[int], Iterator[bytes]]] = {
    "one long line": one_long_line,
    "one long header": one_long_header,
    "a header of commas": header_of_commas,
    "a quote never closed": quote_never_closed,
}
BOMBS: dict[str, Callable[[int], Iterator[bytes]]] = {
    "the same row over and over": the_same_row,
    "spaces": spaces,
    "blank lines": blank_lines,
    "short rows": short_rows,
}


def write(path: Path, what: str, mebibytes: int) -> None:
    """Write one of them; a bomb is gzipped."""
    if what in BOMBS:
        with gzip.open(path, "wb", compresslevel=6) as packed:
            for block in BOMBS[what](mebibytes):
                packed.write(block)
    else:
        with path.open("wb") as file:
            for block in PLAIN[what](mebibytes):
                file.write(block)
