"""A captured cell read as the training data was written, so that the two can be compared.

The baseline is made of rows in a fixed form (`tidegate.table.raw`): a numeric column with a decimal point
throughout, a boolean as 0 or 1. People send cells in many forms; a cell that does not fit stays as it was
sent, because that is a finding.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np

from tidegate.table.profile import ColumnProfile
from tidegate.table.profile.succession import Succession
from tidegate.table.read.values import MISSING, PARSERS, date_text, is_missing
from tidegate.table.scan.arrow_arrays import array_cells, text_cells

Cell = tuple[str | None, float | int | str | None]
MOST_WHOLE = 2.0**63  # what a table's whole numbers hold
_GAP: Cell = (None, None)
ARROW_TYPES = {
    "numeric": "float64",
    "integer": "int64",
    "boolean": "int64",
    "date": "string",
    "categorical": "string",
}


def read_column(sent: Any, kind: str) -> tuple[Any, ColumnProfile]:
    """Read a column of cells as they were sent; gives a typed pyarrow array, gaps as null, and the profile.

    A cell that does not fit its type is null in the array and counts in the profile as what it is.

    Parameters
    ----------
    sent : pyarrow array
        Texts, or doubles where all were numbers.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    if kind in ("numeric", "integer") and (numbers := _numbers(sent, kind)) is not None:
        return numbers, ColumnProfile.of(array_cells(numbers))
    texts = pc.cast(sent, pa.string())
    encoded = texts.dictionary_encode()
    cells = [read_cell(each, kind) for each in encoded.dictionary.to_pylist()]
    written = pa.array([text for text, _ in cells], pa.string()).take(encoded.indices)
    values = pa.array([value for _, value in cells], getattr(pa, ARROW_TYPES[kind])())
    # The profile counts texts in no order; how they follow each other is seen here.
    known = encoded.indices.drop_null().to_numpy(zero_copy_only=False).astype(np.float64)
    found = replace(text_cells(written), succession=Succession.of_codes(known))
    return values.take(encoded.indices), ColumnProfile.of(found)


def read_cell(sent: str, kind: str) -> Cell:
    """Read one cell: its text as the training data has it, and its value.

    >>> read_cell("yes", "boolean"), read_cell("maybe", "boolean"), read_cell("NA", "boolean")
    (('1', 1), ('maybe', None), (None, None))
    """
    if is_missing(sent):
        return _GAP
    text = sent.strip()
    if kind == "categorical":
        return text, text
    try:
        value = PARSERS[kind](text)
    except ValueError:
        return text, None
    if math.isnan(value):
        return _GAP
    written = text_of(value, kind)
    if kind in ("integer", "boolean"):
        return written, int(value) if abs(value) < MOST_WHOLE else None
    return written, written if kind == "date" else value


def _numbers(sent: Any, kind: str) -> Any | None:
    """Read a column in which every cell is a number or a gap; None where one is something else."""
    import pyarrow as pa
    import pyarrow.compute as pc

    present = sent if pa.types.is_floating(sent.type) else _without_gaps(sent)
    try:
        values = pc.cast(present, pa.float64())
        # What is infinite, or no whole number where one is wanted, is for the slower reader to tell.
        if not pc.all(pc.is_finite(values), min_count=0).as_py():
            return None
        return pc.cast(values, pa.int64()) if kind == "integer" else values
    except pa.ArrowInvalid:
        return None


def _without_gaps(texts: Any) -> Any:
    import pyarrow as pa
    import pyarrow.compute as pc

    trimmed = pc.utf8_trim_whitespace(texts)
    gaps = pc.is_in(pc.utf8_lower(trimmed), pa.array(sorted(MISSING), pa.string()))
    return pc.if_else(gaps, None, trimmed)


def text_of(value: float, kind: str) -> str:
    """Write a number of a column as the training data has it."""
    if kind == "date":
        return date_text(value)
    return repr(value) if kind == "numeric" else str(int(value))
