"""Encoded rows as the text that SageMaker's algorithms read: no header, the target first, exact doubles."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from tidegate.table.columns import Categories, Indices, Table
from tidegate.table.recipe.encode import numbers, places

BLOCK_ROWS = 8192


def write_channel(table: Table, recipe: Mapping[str, Any], path: Path, order: Indices | None = None) -> None:
    """Write a table, encoded, with the target in the first column, in the recipe's content type.

    Parameters
    ----------
    table : Table
        The rows.
    recipe : mapping
        How they are encoded.
    path : Path
        The file; its folder is made if absent.
    order : array of int, optional
        The rows to write, in this order; by default all, as they stand.

    Notes
    -----
    A categorical's ones and zeros are cut from one prepared text instead of being written number by number,
    which is what makes hundreds of levels cheap.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    sparse = recipe.get("content_type") == "text/libsvm"
    mark = " " if sparse else ","
    with path.open("w", encoding="ascii", newline="") as file:
        rows = np.arange(table.rows) if order is None else order
        for start in range(0, len(rows), BLOCK_ROWS):
            block = table.take(rows[start : start + BLOCK_ROWS])
            encoded = _sparse(block, recipe) if sparse else _dense(block, recipe)
            columns: list[Iterable[str]] = [map(repr, block.target.tolist()), *encoded]
            file.writelines(mark.join(cells) + "\n" for cells in zip(*columns, strict=True))


def _dense(block: Table, recipe: Mapping[str, Any]) -> Iterator[Iterable[str]]:
    for column in recipe["columns"]:
        found = block.columns[column["name"]]
        if isinstance(found, Categories):
            yield _ones(found, column["levels"])
            continue
        outputs = numbers(found, column)
        marks = _marks(outputs.pop().tolist()) if column["indicator"] else None
        for values in outputs:
            yield map(repr, values.tolist())
        if marks is not None:
            yield marks


def _sparse(block: Table, recipe: Mapping[str, Any]) -> Iterator[Iterable[str]]:
    """Write `place:value` for every number and for a categorical's one; its zeros are left out.

    The first and the last output are always written. So every row says how wide the matrix is, and no reader
    takes the places for counted from one.
    """
    at, last = 0, len(recipe["outputs"]) - 1
    for column in recipe["columns"]:
        found = block.columns[column["name"]]
        if isinstance(found, Categories):
            width = len(column["levels"]) + 1
            texts = [_one(at, place, width, last) for place in range(width)]
            yield [texts[place] for place in places(found, column["levels"]).tolist()]
            at += width
            continue
        for values in numbers(found, column):
            yield [f"{at}:{value!r}" for value in values.tolist()]
            at += 1


def _one(at: int, place: int, width: int, last: int) -> str:
    first = "0:0 " if at == 0 and place != 0 else ""
    end = f" {last}:0" if at + width > last and at + place != last else ""
    return f"{first}{at + place}:1{end}"


def _ones(column: Categories, levels: list[str]) -> list[str]:
    zeros = ",".join("0" * (len(levels) + 1))
    return [zeros[: 2 * at] + "1" + zeros[2 * at + 1 :] for at in places(column, levels).tolist()]


def _marks(gaps: list[float]) -> list[str]:
    return ["1" if gap else "0" for gap in gaps]
