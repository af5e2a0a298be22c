"""Reading rows to predict from CSV, JSON or JSON Lines, and writing them as the API takes them."""

from __future__ import annotations

import difflib
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tidegate.cli.errors import Trouble
from tidegate.core.grammar import (
    Malformed,
    csv_text,
    json_lines,
    json_text,
    other_separator,
    separators_said,
)

Row = Mapping[str, Any]
_DECODER = json.JSONDecoder()
MOST_ROWS, MOST_CHARACTERS = 1_000, 1_000_000  # of one request; the API takes 4 MB


def read_rows(text: str, features: Sequence[str], source: str) -> list[Row]:
    """Read rows.

    Parameters
    ----------
    text : str
        CSV with a header; a JSON object, list of objects or ``{"instances": [...]}``; or JSON Lines.
    features : sequence of str
        The columns that the model uses; others are left out later.
    source : str
        What to call the input in a sentence.

    Raises
    ------
    Trouble
        When it is none of these, or a feature is in no row.
    """
    text = text.removeprefix("\ufeff")
    if not text.strip():
        raise Trouble(f"{source} is empty.", "Give rows as CSV with a header, JSON or JSON Lines.")
    rows = _read_json(text, source) if text.lstrip()[0] in "[{" else _read_csv(text, source, features)
    if not rows:
        raise Trouble(f"{source} has a header but no rows.", "Give at least one row.")
    _refuse_missing(rows, features, source)
    return rows


def _read_json(text: str, source: str) -> list[Row]:
    try:
        found = json_text(text, _DECODER)
    except ValueError:
        # One value or a line each: where it is neither, the first line that is no JSON is told.
        found = [_read_line(line.decode(), number, source) for number, line in json_lines(_lines(text))]
    if isinstance(found, dict):
        found = found["instances"] if isinstance(found.get("instances"), list) else [found]
    for position, row in enumerate(found, start=1):
        if not isinstance(row, dict):
            raise Trouble(
                f"{source}: record {position} is not an object with a name for each value.",
                'Write each row as {"column": value, …}.',
            )
    return list(found)


def _lines(text: str) -> Iterator[bytes]:
    return (line.encode("utf-8", "surrogatepass") for line in text.split("\n"))


def _read_line(line: str, number: int, source: str) -> Any:
    try:
        return json_text(line, _DECODER)
    except ValueError as error:
        raise Trouble(f"{source}, line {number}: this is not JSON ({error}).", "Mend the line.") from error


def _read_csv(text: str, source: str, features: Sequence[str]) -> list[Row]:
    rows: list[Row] = []
    header: list[str] | None = None
    try:
        for line, cells in csv_text(text):
            if header is None:
                header = [cell.strip() for cell in cells]
                if len(features) > 1 and (words := other_separator(header)):
                    raise Trouble(f"{source} {separators_said(words, 'ask again')}.")
                _refuse_twice(header, features, source)
            elif len(cells) != len(header):
                raise Trouble(
                    f"{source}, line {line}: {len(cells)} fields; the header has {len(header)}.",
                    "Quote values that hold a comma, and fill in what is missing.",
                )
            else:
                rows.append(dict(zip(header, cells, strict=True)))
    except Malformed as error:
        raise Trouble(f"{source}, line {error.line}: {error.reason}.") from error
    return rows


def _refuse_twice(header: Sequence[str], features: Sequence[str], source: str) -> None:
    counts = Counter(header)
    twice = [f"'{name}'" for name in features if counts[name] > 1]
    if twice:
        raise Trouble(f"{source} names {', '.join(twice)} more than once.", "Keep one column of each name.")


def _refuse_missing(rows: Sequence[Row], features: Sequence[str], source: str) -> None:
    """Refuse input without a column: that is a slip far more often than a value that nobody knows."""
    there = {name for row in rows for name in row}
    missing = [name for name in features if name not in there]
    if not missing:
        return
    others = {str(name).lower(): name for name in sorted(there - set(features))}
    close = difflib.get_close_matches(missing[0].lower(), others, n=1)
    meant = f" Is '{others[close[0]]}' meant to be '{missing[0]}'?" if close else ""
    raise Trouble(
        f"{source} has no column {', '.join(repr(name) for name in missing)}.{meant}",
        f"The model takes: {', '.join(features)}.",
    )


def csv_chunks(rows: Sequence[Row], features: Sequence[str]) -> Iterator[tuple[int, str]]:
    """Write rows as CSV with a header of the features, in requests of bounded size.

    Yields
    ------
    tuple of int and str
        How many rows, and the text.
    """
    header = ",".join(map(_quoted, features)) + "\n"
    lines: list[str] = []
    size = 0
    for row in rows:
        line = ",".join(_quoted(as_text(row.get(name))) for name in features) + "\n"
        if lines and (len(lines) >= MOST_ROWS or size + len(line) > MOST_CHARACTERS):
            yield len(lines), header + "".join(lines)
            lines, size = [], 0
        # A line with nothing on it would be no record.
        lines.append('""\n' if line == "\n" else line)
        size += len(line)
    if lines:
        yield len(lines), header + "".join(lines)


def _quoted(text: str) -> str:
    # csv.writer leaves a lone carriage return unquoted, which ends the record for whoever reads it.
    if any(mark in text for mark in ',"\r\n'):
        return '"' + text.replace('"', '""') + '"'
    return text


def as_text(value: Any) -> str:
    """Write a JSON value as a CSV field; null is the empty field."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return json.dumps(value) if isinstance(value, list | dict) else str(value)
