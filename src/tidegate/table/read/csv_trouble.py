"""Reading CSV slowly, row by row with line numbers, to say what is wrong with it and where."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from tidegate.core.errors import BadDrop
from tidegate.core.sentences import say, told
from tidegate.table.read.look import Look, open_text

_DELIMITERS = {";": "semicolons", "\t": "tabs", "|": "vertical bars"}


def rows_of(path: Path, gzipped: bool, *, strict: bool = False) -> Iterator[tuple[int, list[str]]]:
    """Give every record that is not blank with the line on which it begins, the header first."""
    with open_text(path, gzipped) as text:
        yield from records(text, strict=strict)


def records(
    text: Iterable[str], first_line: int = 1, *, strict: bool = False
) -> Iterator[tuple[int, list[str]]]:
    """Give every record of a text that is not blank with the line on which it begins."""
    reader = csv.reader(text, strict=strict)
    begins = first_line
    for cells in reader:
        if cells:
            yield begins, cells
        begins = first_line + reader.line_num


def read_header(path: Path, wanted: Sequence[str], name: str, seen: Look) -> list[str]:
    """Read the column names, and refuse a file whose columns are not separated by commas."""
    try:
        header = next(rows_of(path, seen.gzipped))[1]
    except csv.Error as error:
        raise csv_error(name, 1, error) from None
    if len(header) == 1:
        for delimiter, words in _DELIMITERS.items():
            if delimiter in header[0] and len(wanted) > 1:
                raise BadDrop(
                    say(
                        "{file} separates its columns by {words}; save it with commas between the columns "
                        "and drop it again",
                        file=told(name),
                        words=told(words),
                    ),
                    row=1,
                )
    return header


def line_of_row(path: Path, gzipped: bool, row: int) -> int:
    """Find the line on which a data row begins; rows count from 0, lines from 1 with the header."""
    for at, (line, _) in enumerate(rows_of(path, gzipped)):
        if at == row + 1:
            return line
    raise IndexError(f"row {row} is beyond the end of {path.name}")


def explain_structure(path: Path, name: str, seen: Look, width: int, *, strict: bool = False) -> None:
    """Raise a sentence for the first record that breaks the table's shape, or return if none does.

    Raises
    ------
    BadDrop
        For a record of another width than the header, or a quotation mark that is never closed.
    """
    line = 1
    records = rows_of(path, seen.gzipped, strict=strict)
    try:
        for line, cells in records:
            if len(cells) != width:
                raise _wrong_width(name, line, len(cells), width)
    except csv.Error as error:
        raise csv_error(name, line + 1, error) from None


def csv_error(name: str, line: int, error: csv.Error) -> BadDrop:
    """Say that a quotation mark is probably never closed."""
    return BadDrop(
        say(
            "{file}, at or after line {line}: {error}; most often a quotation mark is opened there and "
            "never closed",
            file=told(name),
            line=line,
            error=told(error),
        ),
        row=line,
    )


def _wrong_width(name: str, line: int, found: int, width: int) -> BadDrop:
    if found > width:
        remedy = say(
            "{many} too many; put quotation marks around a text that holds a comma", many=found - width
        )
    else:
        remedy = say(
            "{few} too few; fill the row up, or look for a quotation mark that is never closed",
            few=width - found,
        )
    fields = "field" if found == 1 else "fields"
    return BadDrop(
        say(
            "{file}, line {line}: {found} {fields}, expected {width} as in the header: {remedy}",
            file=told(name),
            line=line,
            found=found,
            fields=told(fields),
            width=width,
            remedy=remedy,
        ),
        row=line,
    )
