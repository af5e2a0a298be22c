"""What the cells of typed pyarrow arrays hold, as the same values in a CSV would be read.

A column of Parquet has one type; a whole column of whole numbers is Integral, of floats Fractional, and a
date or any other kind is the text that CSV would show.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from tidegate.table import native
from tidegate.table.columns import floats_of
from tidegate.table.profile.column import Cells
from tidegate.table.profile.frequencies import MOST_NUMERALS, Frequencies, Numerals
from tidegate.table.profile.value_types import ValueTypes
from tidegate.table.scan.arrow_texts import cells_of
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
    if pa.types.is_floating(stored):
        return _fractions(array)
    if pa.types.is_integer(stored):
        return _numbers(floats_of(pc.cast(array, pa.float64(), safe=False)), array.null_count, whole=True)
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


def _fractions(array: Any) -> Cells:
    import pyarrow as pa
    import pyarrow.compute as pc

    if not pa.types.is_float64(array.type):
        # By way of the text: 0.1 stored in four bytes is the 0.1 of a CSV, not 0.10000000149011612.
        array = pc.cast(pc.cast(pc.cast(array, pa.float32()), pa.string()), pa.float64())
    values = floats_of(array)
    return _numbers(values, int(np.isnan(values).sum()), whole=False)


def _numbers(values: Any, missing: int, *, whole: bool) -> Cells:
    finite = values[np.isfinite(values)]
    infinite = len(values) - missing - len(finite)
    different, counts = np.unique(finite, return_counts=True)
    few = len(different) <= MOST_NUMERALS
    texts = {text: int(count) for text, count in _infinities(values).items() if count}
    return Cells(
        ValueTypes(
            integral=len(finite) if whole else 0,
            fractional=0 if whole else len(finite),
            string=infinite,
            missing=missing,
        ),
        finite,
        Numerals(
            {
                _written(number, whole): count
                for number, count in zip(different.tolist(), counts.tolist(), strict=True)
            }
            if few
            else None
        ),
        np.array([_hash(text) for text in texts], dtype=np.uint64),
        Frequencies(texts),
    )


def _written(number: float, whole: bool) -> str:
    return str(int(number)) if whole else repr(number)


def _infinities(values: Any) -> dict[str, int]:
    return {"inf": int(np.isposinf(values).sum()), "-inf": int(np.isneginf(values).sum())}


@cache
def _hash(text: str) -> int:
    from tidegate.table.hashing import word_hash

    return word_hash(text)
