"""How many rows fit into one request to a model's containers, by how wide a recipe makes them.

A recipe makes rows longer: a category becomes one number a level. What it writes is the body of the next
container's request, which that container bounds. Batch transform cuts requests by what it sends itself, so
how many rows they have is bounded by the files that hold them: no request takes rows of two files.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tidegate.core.algorithms import BUILT_IN

PART_ROWS = 20_000
"""The most rows of a file for batch transform, as several instances share a job's input by files."""

_NUMBER = len("-2.2250738585072014e-308")  # the longest that a double is written
_MARK = 2  # of a gap or a level, with what parts it from the next


def widest_row(recipe: Mapping[str, Any]) -> int:
    r"""Return how many bytes a row has at most that a recipe encoded, its line's end included.

    >>> widest_row({"outputs": ["c=a", "c=(other)"], "columns": [
    ...     {"type": "categorical", "levels": ["a"]}]}) == len("1,0\n")
    True
    """
    if recipe.get("content_type") == "text/libsvm":
        return _widest_sparse(recipe)
    return max(1, sum(map(_widest_cell, recipe["columns"])))


def most_rows(recipe: Mapping[str, Any], algorithm: str) -> int:
    """Return how many rows of any kind the container of an algorithm takes at once; one at least."""
    return max(1, BUILT_IN[algorithm].most_bytes // widest_row(recipe))


def _widest_cell(column: Mapping[str, Any]) -> int:
    if column["type"] == "categorical":
        return _MARK * (len(column.get("levels", ())) + 1)
    return (_NUMBER + 1) * len(column.get("parts", "1")) + _MARK * bool(column.get("indicator", False))


def _widest_sparse(recipe: Mapping[str, Any]) -> int:
    """Count a place and a number for each entry; the first and the last output may be written besides."""
    place = len(str(len(recipe["outputs"]))) + len(":")
    entries = sum(
        place + len("1 ")
        if column["type"] == "categorical"
        else (place + _NUMBER + 1) * (len(column.get("parts", "1")) + bool(column.get("indicator", False)))
        for column in recipe["columns"]
    )
    return entries + 2 * (place + len("0 "))
