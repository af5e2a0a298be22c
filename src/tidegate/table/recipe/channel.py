"""Encoded rows as the CSV that SageMaker's algorithms read: no header, the target first, exact doubles."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from tidegate.table.columns import Categories, Table
from tidegate.table.recipe.encode import numbers, places

BLOCK_ROWS = 8192


def write_channel(table: Table, recipe: Mapping[str, Any], path: Path) -> None:
    """Write a table, encoded, with the target in the first column.

    A categorical's ones and zeros are cut from one prepared text instead of being written number by number,
    which is what makes hundreds of levels cheap.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="ascii", newline="") as file:
        for start in range(0, table.rows, BLOCK_ROWS):
            block = table.take(np.arange(start, min(start + BLOCK_ROWS, table.rows)))
            columns: list[Iterable[str]] = [map(repr, block.target.tolist())]
            for column in recipe["columns"]:
                found = block.columns[column["name"]]
                if isinstance(found, Categories):
                    columns.append(_ones(found, column["levels"]))
                    continue
                outputs = numbers(found, column)
                if column["indicator"]:
                    columns += [
                        *(map(repr, values.tolist()) for values in outputs[:-1]),
                        _marks(outputs[-1].tolist()),
                    ]
                else:
                    columns += [map(repr, values.tolist()) for values in outputs]
            file.writelines(",".join(cells) + "\n" for cells in zip(*columns, strict=True))


def _ones(column: Categories, levels: list[str]) -> list[str]:
    zeros = ",".join("0" * (len(levels) + 1))
    return [zeros[: 2 * at] + "1" + zeros[2 * at + 1 :] for at in places(column, levels).tolist()]


def _marks(gaps: list[float]) -> list[str]:
    return ["1" if gap else "0" for gap in gaps]
