"""The first look at a file's bytes: CSV or Parquet, compressed or not, and whether it is text at all."""

from __future__ import annotations

import codecs
import gzip
import io
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, TextIO, cast

from tidegate.core.errors import BadDrop
from tidegate.core.sentences import say, told

BLOCK_BYTES = 4 << 20
UNPACKED_LIMIT_BYTES = 4 << 30
# A line is read as a whole, so its length is memory. No table that people keep has longer ones.
LONGEST_LINE_BYTES = 8 << 20
# Tables pack to a tenth or a fiftieth. What unpacks to hundreds of times its size is made to do so.
MOST_TIMES_UNPACKED = 200
_SMALL_UNPACKED_BYTES = 64 << 20
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
    """What the bytes of a file say about it."""

    parquet: bool
    gzipped: bool = False
    quotes: bool = False


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
        quotes = _scan_text(path, name, gzipped)
    except (gzip.BadGzipFile, zlib.error, EOFError, OSError) as error:
        if not gzipped:
            raise
        raise BadDrop(
            say(
                "{file} is a damaged gzip file ({error}); compress it again and drop it",
                file=told(name),
                error=told(error),
            )
        ) from None
    return Look(parquet=False, gzipped=gzipped, quotes=quotes)


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


def open_bytes(path: Path, gzipped: bool) -> BinaryIO:
    """Open a file for reading its unpacked bytes."""
    return cast(BinaryIO, gzip.open(path, "rb")) if gzipped else path.open("rb")


def open_text(path: Path, gzipped: bool) -> TextIO:
    """Open a file that passed `look` as text, line ends untouched, without a byte order mark."""
    return io.TextIOWrapper(open_bytes(path, gzipped), encoding="utf-8-sig", newline="")


def _scan_text(path: Path, name: str, gzipped: bool) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    total = lines = running = 0
    quotes = blank = False
    packed = path.stat().st_size if gzipped else 0
    with open_bytes(path, gzipped) as file:
        while block := file.read(BLOCK_BYTES):
            if total == 0:
                _refuse_utf16(block, name)
                blank = True
            if b"\x00" in block:
                line = lines + block[: block.index(b"\x00")].count(b"\n") + 1
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
                    raise _not_utf8(name, block, error.start - pending, total, lines) from None
            blank = blank and not block.strip(b" \t\r\n\xef\xbb\xbf")
            quotes = quotes or b'"' in block
            running = _refuse_long_line(block, running, lines, name)
            lines += block.count(b"\n")
            total += len(block)
            if gzipped and total > max(_SMALL_UNPACKED_BYTES, MOST_TIMES_UNPACKED * packed):
                raise BadDrop(
                    say(
                        "{file} unpacks from {packed:,} to more than {total:,} bytes, which no table does; "
                        "drop it unpacked if it is one",
                        file=told(name),
                        packed=packed,
                        total=total,
                    )
                )
            if total > UNPACKED_LIMIT_BYTES:
                raise BadDrop(
                    say(
                        "{file} is over {most} GiB of text; drop it in parts",
                        file=told(name),
                        most=UNPACKED_LIMIT_BYTES >> 30,
                    )
                )
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
    return quotes


def _refuse_long_line(block: bytes, running: int, lines: int, name: str) -> int:
    """Refuse a line that is too long to be read; gives the length of the one that goes on in the next block.

    Blocks are shorter than the longest line, so that only one that began before can be too long.
    """
    first = block.find(b"\n")
    length = running + (len(block) if first < 0 else first)
    if length > LONGEST_LINE_BYTES:
        raise BadDrop(
            say(
                "{file}: line {line} has more than {most} MiB; put each row on a line of its own and drop it "
                "again",
                file=told(name),
                line=lines + 1,
                most=LONGEST_LINE_BYTES >> 20,
            ),
            row=lines + 1,
        )
    return length if first < 0 else len(block) - block.rfind(b"\n") - 1


def _refuse_utf16(block: bytes, name: str) -> None:
    if block.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise BadDrop(
            say(
                "{file} is UTF-16 text, not UTF-8; save it as UTF-8 (in Excel: 'CSV UTF-8') and drop it "
                "again",
                file=told(name),
            )
        )


def _not_utf8(name: str, block: bytes, start: int, total: int, lines: int) -> BadDrop:
    at = max(start, 0)
    line = lines + block[:at].count(b"\n") + 1
    return BadDrop(
        say(
            "{file} is not UTF-8 text: line {line} holds the byte 0x{byte:02X} (byte {at} of the file); "
            "save it as UTF-8 (in Excel: 'CSV UTF-8') and drop it again",
            file=told(name),
            line=line,
            byte=block[at],
            at=total + at + 1,
        ),
        row=line,
    )
