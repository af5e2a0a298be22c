r"""The grammar of tables as text: how bytes become rows and cells, for everything that reads them here.

There are several readers, because some are quick and some can tell a line: the native kernel, pyarrow, and
the ones below, on which training, scoring, ground truth, the API and the command line fall back. All of them
see the same rows and cells, or refuse the file in a sentence; `tests/unit/table/test_grammar.py` holds them
to it, and to Python's own `csv`.

CSV
---
- The bytes are UTF-8 without NUL. One byte order mark at the very beginning is no part of the text.
- A record ends with ``\n``, ``\r\n`` or ``\r``, also where a file mixes them; the last may end with the file.
- A line with nothing on it is no record, wherever it stands. A line of blanks is a record of one cell, and
  so is ``""``, which is how a table of one column writes a gap.
- The first record holds the columns' names, blanks around them not counted.
- Commas separate cells. Blanks belong to the cell.
- A cell that *begins* with ``"`` is quoted up to the next ``"`` that is not doubled; in between ``""`` is
  one mark, and commas and line ends are text. What follows the closing mark up to the comma belongs to the
  cell as it is. A mark anywhere else is a character as any other: ``14" pipes``.
- A quotation mark that is never closed is refused, with the line on which it is opened.
- Every record has as many cells as there are names; otherwise it is refused, or set aside in a batch.

JSON Lines
----------
- UTF-8 and byte order mark as above. A line ends with ``\n``; a ``\r`` before it is a blank.
- A line of nothing but blanks (space, tab, ``\r``) is no record.
- Every other line is one JSON object (RFC 8259); of two members with one name the last counts. Beyond the
  standard, ``NaN`` is a gap, and ``Infinity`` and ``-Infinity`` are texts, because many writers emit them.
- Half of a surrogate pair (``"\ud800"``) is no character: no table can hold it, and the line is refused.

How long rows and cells may be is in `tidegate.core.bounds`.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

from tidegate.core.bounds import MOST_CELL_BYTES, MOST_COLUMNS, MOST_ROW_BYTES, cell_is_too_long
from tidegate.core.sentences import Sentence, of_the_data, say, told

BOM = b"\xef\xbb\xbf"
JSON_BLANKS = " \t\r\n"
SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "vertical bars"}
_FIRST_BYTES = 1 << 16
_CELL = rb'(?:"(?:[^"]++|"")*+"[^,\r\n]*+|[^",\r\n][^,\r\n]*+|)'
_RECORD = re.compile(rb"%b(?:,%b)*+" % (_CELL, _CELL))
_HALVES = re.compile("[\ud800-\udfff]")
_NO_DIGITS = re.compile("[-+., '\u2019\u00a0\u202f]")
POINT_WANTED = "write numbers with a decimal point and nothing between the thousands, such as 1234.5"


class Malformed(Exception):
    """A text does not keep to the grammar.

    Attributes
    ----------
    line : int
        Where, counted from 1 as an editor does.
    reason : Sentence
        What is wrong there and how to mend it, to follow "FILE, line N: ".
    """

    def __init__(self, line: int, reason: Sentence) -> None:
        super().__init__(f"line {line}: {reason}")
        self.line, self.reason = line, reason


class _Lines:
    """Physical lines on their way to `csv`, which asks for one too many where a quotation mark is open."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._lines = iter(lines)
        self.ended = False

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        try:
            return next(self._lines)
        except StopIteration:
            self.ended = True
            raise


def csv_records(lines: Iterable[str], first_line: int = 1) -> Iterator[tuple[int, list[str]]]:
    """Give every record of CSV with the line on which it begins.

    Parameters
    ----------
    lines : iterable of str
        Lines with their ends, untranslated: a file opened with ``newline=""``, without byte order mark.
    first_line : int
        The number of the first of them.

    Raises
    ------
    Malformed
        For a quotation mark that is never closed, and a cell that is too long.
    """
    source = _Lines(lines)
    reader = csv.reader(source)
    begins = first_line
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            if "field limit" not in str(error):  # there is no other that text without a NUL can cause
                words = say("this is not CSV ({error}); export it again", error=of_the_data(error))
                raise Malformed(begins, words) from None
            raise _too_long(begins) from None
        if source.ended:
            raise _never_closed(begins)
        if cells:
            if sum(map(len, cells)) * 4 > MOST_CELL_BYTES and any(map(cell_is_too_long, cells)):
                raise _too_long(begins)
            yield begins, cells
        begins = first_line + reader.line_num


def csv_text(text: str) -> Iterator[tuple[int, list[str]]]:
    """Give every record of a text of CSV; see `csv_records`.

    >>> list(csv_text('\\ufeffsize,kind\\r\\n\\n3,14" pipes\\r4,"a, b"\\n'))
    [(1, ['size', 'kind']), (3, ['3', '14" pipes']), (4, ['4', 'a, b'])]
    """
    return csv_records(io.StringIO(text.removeprefix("\ufeff"), newline=""))


@dataclass(frozen=True)
class Head:
    """The first record of a file of CSV.

    Attributes
    ----------
    cells : tuple of str
        What it holds, blanks around each not counted.
    line : int
        The line on which it begins.
    starts, begins : int
        Where it starts, and where the records after it begin, in bytes of unpacked text.
    next_line : int
        The line on which those begin.
    """

    cells: tuple[str, ...]
    line: int
    starts: int
    begins: int
    next_line: int


def csv_head(stream: BinaryIO) -> Head | None:
    """Read the first record from a stream that stands at its beginning; None where there is none.

    Raises
    ------
    Malformed
        If it is no record, or has too many columns or bytes.
    UnicodeDecodeError
        If it is no text.
    """
    head = bytearray()
    wanted = _FIRST_BYTES
    while True:  # what was read doubles, so that a long header is looked through a few times, not thousands
        piece = stream.read(wanted - len(head))
        head += piece
        ended = len(head) < wanted
        start = len(BOM) if head.startswith(BOM) else 0
        start += len(head) - start - len(bytes(head[start:]).lstrip(b"\r\n"))
        if ended and start == len(head):
            return None
        found = _RECORD.match(head, start)
        end = found.end() if found else start
        if end + 1 < len(head) and head[end] != ord('"'):
            break
        if ended:
            break
        if len(head) > MOST_ROW_BYTES:
            break
        wanted *= 2
    line = 1 + _line_ends(bytes(head[:start]))
    if end - start > MOST_ROW_BYTES or (not ended and head[end] not in b"\r\n"):
        most = MOST_ROW_BYTES >> 20
        raise Malformed(line, say("this row has more than {most} MiB; write one row a line", most=most))
    if head[end : end + 1] == b'"':
        raise _never_closed(line)
    names = bytes(head[start:end]).decode()
    [(_, cells)] = list(csv_records(io.StringIO(names, newline=""), line)) or [(line, [""])]
    if len(cells) > MOST_COLUMNS:
        words = say("{found:,} columns, and at most {most:,} are read", found=len(cells), most=MOST_COLUMNS)
        raise Malformed(line, words)
    begins = end + (2 if head[end : end + 2] == b"\r\n" else 1 if end < len(head) else 0)
    next_line = line + _line_ends(bytes(head[start:begins]))
    return Head(tuple(cell.strip() for cell in cells), line, start, begins, next_line)


def line_ends(block: bytes, before: bytes = b"") -> int:
    """Count where lines end in a block; `before` is the byte before it, as ``\\r\\n`` may be cut in two."""
    count = block.count(b"\n")
    if b"\r" in block:
        count += block.count(b"\r") - block.count(b"\r\n")
    return count - (before == b"\r" and block.startswith(b"\n"))


_line_ends = line_ends


def json_text(text: str, decoder: json.JSONDecoder, *, halves: bool = False) -> Any:
    """Read a text that is one value of JSON.

    Parameters
    ----------
    halves : bool
        Whether halves of characters may be in it, because the caller looks for them field by field.

    Raises
    ------
    ValueError
        With what is wrong, in words for a person; also where it is nested too deeply to be read.
    """
    text = text.strip(JSON_BLANKS)
    try:
        value, end = decoder.raw_decode(text)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    except json.JSONDecodeError:
        raise
    except ValueError as error:
        raise ValueError("a number has too many digits" if "digits" in str(error) else str(error)) from None
    if end < len(text):
        raise json.JSONDecodeError("Extra data", text, end)
    half = half_in(value) if "\\u" in text else "" if text.isascii() else half_in(text)
    if half and not halves:
        raise ValueError(half_said(half))
    return value


def half_in(value: Any) -> str:
    """Find half of a surrogate pair in a value of JSON, however deep; gives it, or an empty text."""
    found = _HALVES.search(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))
    return found[0] if found else ""


def half_said(half: str) -> str:
    """Say that a text holds half of a character."""
    return f"a text holds \\u{ord(half):04x}, which is half of a character; write whole characters"


def json_lines(lines: Iterable[bytes]) -> Iterator[tuple[int, bytes]]:
    """Give every line that is not blank with its number, without byte order mark and blanks around it."""
    for number, line in enumerate(lines, 1):
        if number == 1:
            line = line.removeprefix(BOM)
        line = line.strip(JSON_BLANKS.encode())
        if line:
            yield number, line


def other_separator(header: Iterable[str]) -> str:
    """Say by what a header of a single cell separates its columns if not by commas; else an empty text.

    >>> other_separator(["listing;price"]), other_separator(["listing", "price"])
    ('semicolons', '')
    """
    cells = list(header)
    if len(cells) != 1:
        return ""
    return next((words for mark, words in SEPARATORS.items() if mark in cells[0]), "")


def separators_said(words: str, again: str = "drop it again") -> Sentence:
    """Say what to do about columns that something else than commas separates."""
    return say(
        "separates its columns by {words}; save it with commas between the columns and {again}",
        words=told(words),
        again=told(again),
    )


def wants_a_point(text: str) -> bool:
    """Tell whether a text is a number written in the manner of some country, which is never guessed.

    >>> [text for text in ("64,2", "1.234,5", "1,163.74", "1 163", "64.2", "1-2") if wants_a_point(text)]
    ['64,2', '1.234,5', '1,163.74', '1 163']
    """
    text = text.strip()
    bare = _NO_DIGITS.sub("", text)
    if not (bare.isascii() and bare.isdigit()) or text[:1] not in "+-0123456789" or "-" in text[1:]:
        return False
    return any(mark in text for mark in ", '\u2019\u00a0\u202f") or text.count(".") > 1


def _never_closed(line: int) -> Malformed:
    return Malformed(
        line,
        say(
            "a quotation mark is opened there and never closed; close it, or double the marks inside a "
            "quoted text"
        ),
    )


def _too_long(line: int) -> Malformed:
    return Malformed(
        line,
        say(
            "a cell has more than {most:,} bytes; most often a quotation mark is opened there and never "
            "closed",
            most=MOST_CELL_BYTES,
        ),
    )
