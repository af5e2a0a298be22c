"""The first look at a file's bytes: CSV or Parquet, compressed or not, and whether it is text at all."""

from __future__ import annotations

import codecs
import gzip
import zlib
from dataclasses import dataclass
from pathlib import Path

from tidegate.core.bounds import (
    MOST_CELL_BYTES,
    MOST_ROW_BYTES,
    MOST_ROWS,
    MOST_TEXT_BYTES,
    unpacks_too_far,
)
from tidegate.core.errors import BadDrop
from tidegate.core.grammar import line_ends
from tidegate.core.sentences import say, told
from tidegate.table.read.opening import BLOCK_BYTES, open_bytes

_GZIP = b"\x1f\x8b"
_OTHERS = {
    b"PK\x03\x04": "a zip archive or an Excel workbook; save the sheet as CSV UTF-8",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook; save the sheet as CSV UTF-8",
    b"ORC": "an ORC file; convert it to Parquet",
    b"Obj\x01": "an Avro file; convert it to Parquet",
    b"\x28\xb5\x2f\xfd": "compressed with zstd; unpack it",
    b"BZh": "compressed with bzip2; unpack it",
}


@dataclass(frozen=True)
class Look:
    """What the bytes of a file say about it.

    Attributes
    ----------
    quotes : bool
        Whether there is a quotation mark, so that a line need not be a record.
    long : bool
        Whether a line is longer than a cell may be, so that a cell may be.
    """

    parquet: bool
    gzipped: bool = False
    quotes: bool = False
    long: bool = False


def look(path: Path, name: str) -> Look:
    """Tell what a file is, and refuse what is neither Parquet nor UTF-8 text.

    Raises
    ------
    BadDrop
        For an object of no bytes, another kind of file, another encoding, or bytes that no text has.
    """
    if path.stat().st_size == 0:
        raise BadDrop(
            say(
                "{file} is empty (0 bytes); put the column names and the rows in it and drop it again",
                file=told(name),
            )
        )
    with path.open("rb") as file:
        head = file.read(4)
    if head == b"PAR1":
        return Look(parquet=True)
    refuse_other_kinds(head, name)
    gzipped = head.startswith(_GZIP)
    try:
        return _scan_text(path, name, gzipped)
    except (gzip.BadGzipFile, zlib.error, EOFError, OSError) as error:
        if not gzipped:
            raise
        raise damaged(name, error) from None


def damaged(name: str, error: Exception, *, dropped: bool = True) -> BadDrop:
    """Make the refusal of a gzip file that cannot be unpacked, in the words of the library."""
    again = told("compress it again and drop it" if dropped else "compress it again")
    return BadDrop(
        say(
            "{file} is a damaged gzip file ({error}); {again}",
            file=told(name),
            error=told(error),
            again=again,
        )
    )


def refuse_other_kinds(head: bytes, name: str) -> None:
    """Refuse a file whose first bytes say that it is neither text nor Parquet.

    Raises
    ------
    BadDrop
        With the name of what it is.
    """
    for magic, what in _OTHERS.items():
        if head.startswith(magic):
            raise BadDrop(
                say(
                    "{file} is {what} and drop that; CSV and Parquet are read",
                    file=told(name),
                    what=told(what),
                )
            )


def _scan_text(path: Path, name: str, gzipped: bool) -> Look:
    decoder = codecs.getincrementaldecoder("utf-8")()
    total = lines = 0
    lengths = _Lengths()
    quotes = blank = False
    last = b""
    packed = path.stat().st_size if gzipped else 0
    with open_bytes(path, gzipped) as file:
        while block := file.read(BLOCK_BYTES):
            if total == 0:
                _refuse_utf16(block, name)
                blank = True
            if b"\x00" in block:
                line = lines + line_ends(block[: block.index(b"\x00")], last) + 1
                raise BadDrop(
                    say(
                        "{file} has a NUL byte in line {line}: it is not text, or damaged; export it again "
                        "as UTF-8",
                        file=told(name),
                        line=line,
                    ),
                    row=line,
                )
            pending = len(decoder.getstate()[0])
            if pending or not block.isascii():
                try:
                    decoder.decode(block)
                except UnicodeDecodeError as error:
                    at = max(error.start - pending, 0)
                    line = lines + line_ends(block[:at], last) + 1
                    raise _not_utf8(name, block[at], total + at + 1, line) from None
            blank = blank and not block.strip(b" \t\r\n\xef\xbb\xbf")
            quotes = quotes or b'"' in block
            if lengths.add(block) > MOST_ROW_BYTES:
                raise BadDrop(
                    say(
                        "{file}: line {line} has more than {most} MiB; put each row on a line of its own and "
                        "drop it again",
                        file=told(name),
                        line=lines + 1,
                        most=MOST_ROW_BYTES >> 20,
                    ),
                    row=lines + 1,
                )
            lines += line_ends(block, last)
            last = block[-1:]
            total += len(block)
            if gzipped and unpacks_too_far(packed, total):
                raise BadDrop(
                    say(
                        "{file} unpacks from {packed:,} to more than {total:,} bytes, which no table does; "
                        "drop it unpacked if it is one",
                        file=told(name),
                        packed=packed,
                        total=total,
                    )
                )
            _refuse_large(name, total, lines)
    if decoder.getstate()[0]:
        raise BadDrop(
            say(
                "{file} ends in the middle of a character (byte {total}); it was cut off, drop it again",
                file=told(name),
                total=total,
            ),
            row=lines + 1,
        )
    if blank or total == 0:
        raise BadDrop(
            say(
                "{file} holds no text; put the column names and the rows in it and drop it again",
                file=told(name),
            )
        )
    return Look(parquet=False, gzipped=gzipped, quotes=quotes, long=lengths.long)


class _Lengths:
    """How long the lines are, block by block; blocks are shorter than the longest line that is read."""

    def __init__(self) -> None:
        self.long = False
        self._running = 0

    def add(self, block: bytes) -> int:
        """Look at a block; gives the length of the line that began before it, as far as it is known."""
        first = min((at for at in (block.find(b"\n"), block.find(b"\r")) if at >= 0), default=-1)
        length = self._running + (len(block) if first < 0 else first)
        at = first + 1
        self.long = self.long or length > MOST_CELL_BYTES
        while not self.long and first >= 0 and len(block) - at > MOST_CELL_BYTES:
            end = _last_end(block, at, at + MOST_CELL_BYTES + 1)
            self.long = end < 0
            at = end + 1
        self._running = length if first < 0 else len(block) - _last_end(block, 0, len(block)) - 1
        return length


def _last_end(block: bytes, begin: int, end: int) -> int:
    return max(block.rfind(b"\n", begin, end), block.rfind(b"\r", begin, end))


def _refuse_large(name: str, total: int, lines: int) -> None:
    if total > MOST_TEXT_BYTES:
        most = MOST_TEXT_BYTES >> 30
        raise BadDrop(say("{file} is over {most} GiB of text; drop it in parts", file=told(name), most=most))
    if lines > MOST_ROWS + 1:
        raise BadDrop(
            say(
                "{file} has more than {most:,} lines; drop it in parts, or a sample of it",
                file=told(name),
                most=MOST_ROWS,
            )
        )


def _refuse_utf16(block: bytes, name: str) -> None:
    if block.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise BadDrop(
            say(
                "{file} is UTF-16 text, not UTF-8; save it as UTF-8 (in Excel: 'CSV UTF-8') and drop it "
                "again",
                file=told(name),
            )
        )


def _not_utf8(name: str, byte: int, place: int, line: int) -> BadDrop:
    return BadDrop(
        say(
            "{file} is not UTF-8 text: line {line} holds the byte 0x{byte:02X} (byte {at} of the file); "
            "save it as UTF-8 (in Excel: 'CSV UTF-8') and drop it again",
            file=told(name),
            line=line,
            byte=byte,
            at=place,
        ),
        row=line,
    )
