"""Opens a file that was looked at: its bytes unpacked, its text, and what comes after its first record."""

from __future__ import annotations

import gzip
import io
from pathlib import Path
from typing import Any, BinaryIO, TextIO, cast

from tidegate.core.grammar import BOM, Head

BLOCK_BYTES = 4 << 20


def open_bytes(path: Path, gzipped: bool) -> BinaryIO:
    """Open a file for reading its unpacked bytes."""
    return cast(BinaryIO, gzip.open(path, "rb")) if gzipped else path.open("rb")


def open_text(path: Path, gzipped: bool) -> TextIO:
    """Open a file that passed `look` as text, line ends untouched, without a byte order mark."""
    return io.TextIOWrapper(open_bytes(path, gzipped), encoding="utf-8-sig", newline="")


def open_after(path: Path, gzipped: bool, head: Head) -> Any:
    """Open a file for pyarrow, after its first record: what comes before the rows is read in one way only."""
    import pyarrow as pa

    with open_bytes(path, gzipped) as file:
        file.seek(head.begins)
        begins_with_mark = head.begins > 0 and file.read(len(BOM)) == BOM
    if begins_with_mark:
        stream = open_bytes(path, gzipped)
        stream.seek(head.begins)
        return pa.PythonFile(_Marked(stream), mode="r")
    packed = pa.OSFile(str(path))
    if not gzipped:
        packed.seek(head.begins)
        return packed
    unpacked = pa.CompressedInputStream(packed, "gzip")
    left = head.begins
    while left > 0:
        left -= len(unpacked.read(min(left, BLOCK_BYTES))) or left
    return unpacked


def marked(block: bytes) -> bytes:
    """Return a block of a text, not its beginning, so that pyarrow keeps its first cell whole.

    pyarrow takes a byte order mark away from the beginning of whatever it is given; so it is given one more.
    """
    return BOM + block if block.startswith(BOM) else block


class _Marked(io.RawIOBase):
    """A stream whose rest begins with a byte order mark that is text, as `marked` does for a block."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream, self._before = stream, BOM

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        """Read bytes: the mark that pyarrow takes away, then the stream's own."""
        before, self._before = self._before, b""
        return before + self._stream.read(size - len(before) if size > len(before) else size)

    def close(self) -> None:
        self._stream.close()
        super().close()
