"""Profiling rows that come one by one, as names with values: JSON Lines, captured requests."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any

from tidegate.table.profile.column import ColumnProfile
from tidegate.table.profile.table import Profile
from tidegate.table.scan.arrow_arrays import text_cells

BATCH_ROWS = 16_384
# Made once: `json.loads` makes one a call, which costs as much as reading a short line.
# `raw_decode` leaves blanks to its caller, which is quicker than the patterns of `decode`.
_DECODER = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=str)
_BLANKS = " \t\n\r"


def profile_records(records: Iterable[Mapping[str, Any]]) -> Profile:
    """Profile rows; a column that a row lacks is missing there, and a value is read by its text."""
    stream = iter(records)
    total = Profile()
    while batch := list(islice(stream, BATCH_ROWS)):
        total = total + _profile(batch)
    return total


def parsed(line: str | bytes) -> Any:
    """Read JSON with each number as it is written, so that 3.0 stays a fraction and 3 a whole number."""
    text = (line.decode() if isinstance(line, bytes) else line).strip(_BLANKS)
    value, end = _DECODER.raw_decode(text)
    if end < len(text):
        raise json.JSONDecodeError("Extra data", text, end)
    return value


def as_text(value: Any) -> str | None:
    """Write a value of JSON as a cell of CSV shows it."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return json.dumps(value) if isinstance(value, list | dict) else str(value)


def _profile(batch: list[Mapping[str, Any]]) -> Profile:
    import pyarrow as pa

    names = dict.fromkeys(name for record in batch for name in record)
    columns = {}
    for name in names:
        values = [record.get(name) for record in batch]
        try:
            array = pa.array(values, pa.string())
        except (pa.ArrowTypeError, pa.ArrowInvalid):
            array = pa.array([as_text(value) for value in values], pa.string())
        columns[str(name).strip()] = ColumnProfile.of(text_cells(array))
    return Profile(len(batch), columns)
