"""A recipe applied to a table: each column becomes one or more columns of the matrix."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from tidegate.table.columns import Categories, Floats, Indices, Numbers, Table
from tidegate.table.recipe.dates import date_parts


def encode(table: Table, recipe: Mapping[str, Any]) -> Floats:
    """Encode a table as a matrix with one column for each of the recipe's outputs."""
    matrix = np.zeros((table.rows, len(recipe["outputs"])))
    at = 0
    for column in recipe["columns"]:
        found = table.columns[column["name"]]
        if isinstance(found, Categories):
            matrix[np.arange(table.rows), at + places(found, column["levels"])] = 1.0
            at += len(column["levels"]) + 1
        else:
            for values in numbers(found, column):
                matrix[:, at] = values
                at += 1
    return matrix


def places(column: Categories, levels: list[str]) -> Indices:
    """Say which of a categorical's outputs is 1 in each row; the last one is for unknown levels and gaps."""
    known = {level: place for place, level in enumerate(levels)}
    lookup = np.array(
        [*(known.get(level, len(levels)) for level in column.levels), len(levels)], dtype=np.int64
    )
    return lookup[column.codes]


def numbers(column: Numbers, how: Mapping[str, Any]) -> list[Floats]:
    """Give the outputs of a column that is no categorical: its numbers, then its mark of gaps, if any."""
    gaps = np.isnan(column.values)
    if how["type"] == "date":
        outputs = _dates(column.values, gaps, how)
    else:
        outputs = [_shifted(np.where(gaps, how["impute"], column.values), how["scale"])]
    if how["indicator"]:
        outputs.append(gaps.astype(np.float64))
    return outputs


def _dates(days: Floats, gaps: npt.NDArray[np.bool_], how: Mapping[str, Any]) -> list[Floats]:
    parts = date_parts(np.where(gaps, 0.0, days))
    scales = how["scale"] or [None] * len(parts)
    return [
        _shifted(np.where(gaps, impute, part), scale)
        for part, impute, scale in zip(parts, how["impute"], scales, strict=True)
    ]


def _shifted(values: Floats, scale: Mapping[str, float] | None) -> Floats:
    return values if scale is None else (values - scale["mean"]) / scale["std"]
