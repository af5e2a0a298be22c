"""A captured cell read as the training data was written, so that the two can be compared.

The baseline is made of rows in a fixed form (`tidegate.table.raw`): a numeric column with a decimal point
throughout, a boolean as 0 or 1. People send cells in many forms; a cell that does not fit stays as it was
sent, because that is a finding.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from tidegate.serving.texts import MARKERS, category_text, declared_missing
from tidegate.table.profile import ColumnProfile
from tidegate.table.profile.succession import Succession
from tidegate.table.profile.value_types import ValueTypes
from tidegate.table.read.convert import EXACT_DOUBLES, LEAST_WHOLE, MOST_WHOLE
from tidegate.table.read.values import PARSERS, date_text, exact_integer
from tidegate.table.scan.arrow_arrays import category_cells, number_cells, text_cells

Cell = tuple[str | None, float | int | str | None]
NUMBERS = ("numeric", "integer")
_GAP: Cell = (None, None)
ARROW_TYPES = {
    "numeric": "float64",
    "integer": "int64",
    "boolean": "int64",
    "date": "string",
    "categorical": "string",
}


def read_column(sent: Any, kind: str, missing: Sequence[str] = ()) -> tuple[Any, ColumnProfile]:
    """Read a column of cells as they were sent; gives a typed pyarrow array, gaps as null, and the profile.

    A cell that does not fit its type is null in the array and counts in the profile as what it is.

    Parameters
    ----------
    sent : pyarrow array
        Texts, or numbers where all were numbers.
    missing : sequence of str
        The words that stand for a missing value, beside an empty cell.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    if kind in NUMBERS and not missing and (numbers := _numbers(sent, kind)) is not None:
        found = number_cells(numbers, whole=kind == "integer")
        return numbers, ColumnProfile.of(replace(found, gaps=_gaps(numbers)))
    texts = pc.cast(sent, pa.string())
    encoded = texts.dictionary_encode()
    words = declared_missing(missing)
    cells = [read_cell(each, kind, words) for each in encoded.dictionary.to_pylist()]
    written = pa.array([text for text, _ in cells], pa.string()).take(encoded.indices)
    values = pa.array([value for _, value in cells], getattr(pa, ARROW_TYPES[kind])())
    column = values.take(encoded.indices)
    if kind in NUMBERS:
        strange = written.filter(pc.and_(pc.is_null(column), pc.is_valid(written)))
        numbers = number_cells(column.drop_null(), whole=kind == "integer")
        gaps = ColumnProfile(ValueTypes(missing=written.null_count), gaps=_gaps(column))
        parts = [ColumnProfile.of(numbers), ColumnProfile.of(text_cells(strange)), gaps]
        return column, ColumnProfile.sum_of(parts)
    found = category_cells(written) if kind == "categorical" else text_cells(written)
    # The profile counts texts in no order; how they follow each other is seen here.
    known = encoded.indices.drop_null().to_numpy(zero_copy_only=False).astype(np.float64)
    found = replace(found, succession=Succession.of_codes(known), gaps=_gaps(written))
    return column, ColumnProfile.of(found)


def read_cell(sent: str, kind: str, missing: frozenset[str] = frozenset()) -> Cell:
    """Read one cell: its text as the training data has it, and its value.

    >>> read_cell("yes", "boolean"), read_cell("maybe", "boolean"), read_cell("NA", "boolean")
    (('1', 1), ('maybe', None), (None, None))
    >>> read_cell("NA", "categorical"), read_cell("3.0", "categorical")
    (('NA', 'NA'), ('3', '3'))
    """
    text = category_text(sent)
    if not text or text in missing:
        return _GAP
    if kind == "categorical":
        return text, text
    text = sent.strip()
    try:
        value = PARSERS[kind](text)
    except ValueError:
        return text, None
    if math.isnan(value):
        return _GAP
    if kind == "integer":
        exact = exact_integer(text)
        return str(exact), exact if LEAST_WHOLE <= exact <= MOST_WHOLE else None
    written = text_of(value, kind)
    return written, int(value) if kind == "boolean" else written if kind == "date" else value


def _numbers(sent: Any, kind: str) -> Any | None:
    """Read a column in which every cell is a number or a gap; None where one is something else."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if kind == "integer" and pa.types.is_integer(sent.type):
        return pc.cast(sent, pa.int64())
    present = _without_gaps(sent) if pa.types.is_string(sent.type) else sent
    if kind == "integer" and pa.types.is_string(sent.type):
        try:
            return pc.cast(present, pa.int64())  # to the last digit
        except pa.ArrowInvalid:
            pass  # 3.0 is a whole number, too
    try:
        values = pc.cast(present, pa.float64())
        # What is infinite, or no whole number where one is wanted, is for the slower reader to tell.
        if not pc.all(pc.is_finite(values), min_count=0).as_py():
            return None
        if kind == "integer" and pc.any(pc.greater_equal(pc.abs(values), EXACT_DOUBLES)).as_py():
            return None
        return pc.cast(values, pa.int64()) if kind == "integer" else values
    except pa.ArrowInvalid:
        return None


def _without_gaps(texts: Any) -> Any:
    import pyarrow as pa
    import pyarrow.compute as pc

    trimmed = pc.utf8_trim_whitespace(texts)
    gaps = pc.is_in(pc.utf8_lower(trimmed), pa.array(sorted(MARKERS), pa.string()))
    return pc.if_else(gaps, None, trimmed)


def _gaps(column: Any) -> Succession:
    if not column.null_count:
        return Succession()
    return Succession.of_marks(column.is_null().to_numpy(zero_copy_only=False))


def text_of(value: float, kind: str) -> str:
    """Write a number of a column as the training data has it."""
    if kind == "date":
        return date_text(value)
    return repr(value) if kind == "numeric" else str(int(value))
