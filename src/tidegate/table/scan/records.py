"""Profiling rows that come one by one, as names with values: JSON Lines, captured requests."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from itertools import islice
from typing import Any

from tidegate.core.bounds import MOST_COLUMNS
from tidegate.core.errors import BadDrop
from tidegate.core.grammar import json_text
from tidegate.core.sentences import say
from tidegate.serving.texts import identity_text
from tidegate.table.profile.column import ColumnProfile
from tidegate.table.profile.table import Profile
from tidegate.table.profile.value_types import ValueTypes
from tidegate.table.scan.arrow_arrays import text_cells

BATCH_ROWS = 16_384
# Made once: `json.loads` makes one a call, which costs as much as reading a short line.
_DECODER = json.JSONDecoder(
    parse_int=str,
    # 1e5 is the category that an endpoint makes of it; 3.0 may stay, whoever reads it knows it as 3.
    parse_float=lambda text: identity_text(float(text)) if "e" in text or "E" in text else text,
    # NaN is no JSON, yet many writers emit it for a gap.
    parse_constant=lambda word: None if word == "NaN" else str(word),
)


def profile_records(records: Iterable[Mapping[str, Any]]) -> Profile:
    """Profile rows; a column that a row lacks is missing there, and a value is read by its text."""
    stream = iter(records)
    total = Profile()
    while batch := list(islice(stream, BATCH_ROWS)):
        total = total + _profile(batch)
        if len(total.columns) > MOST_COLUMNS:
            raise BadDrop(say("the rows have more than {most:,} different names", most=MOST_COLUMNS))
    return total


def parsed(line: str | bytes) -> Any:
    """Read JSON with each number as a text, to its last digit."""
    return json_text(line.decode() if isinstance(line, bytes) else line, _DECODER)


def as_text(value: Any) -> str | None:
    """Write a value of JSON as a cell of CSV shows it."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return json.dumps(value) if isinstance(value, list | dict) else str(value)


def plain_names(names: Iterable[Any]) -> dict[Any, str]:
    """Take the blanks around names away, unless two would become one."""
    found: dict[Any, str] = {}
    for name in names:
        plain = str(name).strip()
        found[name] = str(name) if plain in found.values() else plain
    return found


def _profile(batch: list[Mapping[str, Any]]) -> Profile:
    import pyarrow as pa

    sent: dict[str, list[Any]] = {}
    for record in batch:
        for name, value in record.items():
            sent.setdefault(name, []).append(value)
    columns = {}
    named = plain_names(sent)
    for name, values in sent.items():
        try:
            array = pa.array(values, pa.string())
        except (pa.ArrowTypeError, pa.ArrowInvalid):
            array = pa.array([as_text(value) for value in values], pa.string())
        cells = text_cells(array)
        # What a row lacks is counted, not looked at: rows of thousands of names would take their square.
        absent = ValueTypes(missing=len(batch) - len(values))
        columns[named[name]] = ColumnProfile.of(replace(cells, types=cells.types + absent))
    return Profile(len(batch), columns)
