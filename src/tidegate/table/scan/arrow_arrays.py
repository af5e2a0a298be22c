"""What the cells of typed pyarrow arrays hold, as the same values in a CSV would be read.

A whole number is Integral also where it is stored as a float, as a CSV's 4.0 is; a date or any other kind is
the text that CSV would show.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from tidegate.serving.texts import identity_text
from tidegate.table import native
from tidegate.table.columns import floats_of
from tidegate.table.profile.column import Cells
from tidegate.table.profile.frequencies import MOST_NUMERALS, Frequencies, Numerals
from tidegate.table.profile.value_types import ValueTypes
from tidegate.table.scan.arrow_texts import cells_of, counted_texts
from tidegate.table.scan.native_reader import NativeReader


def array_cells(array: Any) -> Cells:
    """Read a pyarrow array of any type into cells."""
    import pyarrow as pa
    import pyarrow.compute as pc

    stored = array.type
    if pa.types.is_dictionary(stored):
        array = array.dictionary_decode()
        stored = array.type
    if pa.types.is_null(stored):
        return Cells(ValueTypes(missing=len(array)))
    if pa.types.is_floating(stored) or pa.types.is_integer(stored):
        return number_cells(array)
    if pa.types.is_decimal(stored):
        return text_cells(pc.cast(array, pa.string()))
    if pa.types.is_boolean(stored):
        return text_cells(pc.if_else(array, "true", "false"))
    if pa.types.is_nested(stored):
        return text_cells(
            pa.array([None if each is None else str(each) for each in array.to_pylist()], pa.string())
        )
    return text_cells(pc.cast(array, pa.string(), safe=False))


def text_cells(array: Any) -> Cells:
    """Read a pyarrow array of texts, each cell typed by its text."""
    kernel = native.load()
    return cells_of(array) if kernel is None else NativeReader(kernel, 1).texts(array)


def category_cells(array: Any) -> Cells:
    """Read a pyarrow array of categories: each is a text, whatever it looks like."""
    return counted_texts(array.drop_null(), array.null_count)


def number_cells(array: Any, *, whole: bool | None = None) -> Cells:
    """Read a pyarrow array of numbers.

    Parameters
    ----------
    whole : bool, optional
        Whether the column is declared to hold whole numbers; otherwise each number tells.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_float16(array.type) or pa.types.is_float32(array.type):
        # By way of the text: 0.1 stored in four bytes is the 0.1 of a CSV, not 0.10000000149011612.
        array = pc.cast(pc.cast(array, pa.float32()), pa.string())
    values = floats_of(pc.cast(array, pa.float64(), safe=False))
    missing = int(np.isnan(values).sum())
    finite = values[np.isfinite(values)]
    infinite = len(values) - missing - len(finite)
    different, counts = np.unique(finite, return_counts=True)
    few = len(different) <= MOST_NUMERALS
    texts = {text: int(count) for text, count in _infinities(values).items() if count}
    integral = int((finite == np.floor(finite)).sum()) if whole is None else len(finite) * whole
    return Cells(
        ValueTypes(
            integral=integral,
            fractional=len(finite) - integral,
            string=infinite,
            missing=missing,
        ),
        finite,
        Numerals(
            {
                identity_text(number): count
                for number, count in zip(different.tolist(), counts.tolist(), strict=True)
            }
            if few
            else None
        ),
        np.array([_hash(text) for text in texts], dtype=np.uint64),
        Frequencies(texts),
    )


def _infinities(values: Any) -> dict[str, int]:
    return {"inf": int(np.isposinf(values).sum()), "-inf": int(np.isneginf(values).sum())}


@cache
def _hash(text: str) -> int:
    from tidegate.table.hashing import word_hash

    return word_hash(text)
