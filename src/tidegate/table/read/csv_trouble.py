"""Reading CSV slowly, row by row with line numbers, to say what is wrong with it and where."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from tidegate.core.errors import BadDrop
from tidegate.core.grammar import Head, Malformed, csv_head, csv_records, other_separator, separators_said
from tidegate.core.sentences import say, told
from tidegate.table.read.look import Look
from tidegate.table.read.opening import open_bytes, open_text


def rows_of(path: Path, gzipped: bool) -> Iterator[tuple[int, list[str]]]:
    """Give every record with the line on which it begins, the header first; see `tidegate.core.grammar`.

    Raises
    ------
    Malformed
        For what is no record.
    """
    with open_text(path, gzipped) as text:
        yield from csv_records(text)


def read_header(path: Path, wanted: Sequence[str], name: str, seen: Look) -> Head:
    """Read the column names, and refuse a file whose columns are not separated by commas."""
    try:
        with open_bytes(path, seen.gzipped) as stream:
            head = csv_head(stream)
    except Malformed as error:
        raise malformed(name, error) from None
    if head is None:
        raise BadDrop(
            say(
                "{file} holds no text; put the column names and the rows in it and drop it again",
                file=told(name),
            )
        )
    if len(wanted) > 1 and (words := other_separator(head.cells)):
        raise BadDrop(say("{file} {words}", file=told(name), words=separators_said(words)), row=head.line)
    return head


def explain_structure(path: Path, name: str, seen: Look, width: int) -> int:
    """Count the records after the header.

    Raises
    ------
    BadDrop
        For the first record of another width than the header, a quotation mark that is never closed, or a
        cell that is too long.
    """
    count = -1
    try:
        for line, cells in rows_of(path, seen.gzipped):
            if len(cells) != width:
                raise _wrong_width(name, line, len(cells), width)
            count += 1
    except Malformed as error:
        raise malformed(name, error) from None
    return count


def malformed(name: str, error: Malformed) -> BadDrop:
    """Say of a file what does not keep to the grammar."""
    said = say("{file}, line {line}: {reason}", file=told(name), line=error.line, reason=error.reason)
    return BadDrop(said, row=error.line)


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
