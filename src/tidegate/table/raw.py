"""Rows written as people sent them: held-out rows as JSON Lines, their truth, training rows as CSV.

A numeric column is written with a decimal point throughout and an integer column without, whatever the drop
held, so that the baseline's inferred types are those that the model declares.
"""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np

from tidegate.core.names import part_name
from tidegate.core.spec import ModelSpec
from tidegate.table.columns import Categories, Column, Table
from tidegate.table.read.values import date_text

BLOCK_ROWS = 8192


def write_rows(table: Table, spec: ModelSpec, folder: Path, most: int) -> None:
    """Write each row's features as one JSON object, in the order of the file; a gap is null.

    Parameters
    ----------
    table : Table
        The rows.
    spec : ModelSpec
        The model.
    folder : Path
        Where ``part-00000.jsonl`` and so on are written; made if absent.
    most : int
        How many rows a part has at most.
    """
    folder.mkdir(parents=True, exist_ok=True)
    keys = {name: json.dumps(name, ensure_ascii=False) + ": " for name in spec.features}
    for part in range(-(-table.rows // most)):
        with (folder / part_name(part)).open("w", encoding="utf-8", newline="") as file:
            for block in _blocks(table, part * most, min((part + 1) * most, table.rows)):
                columns = [
                    [keys[name] + cell for cell in _json_cells(block.columns[name], feature.type)]
                    for name, feature in spec.features.items()
                ]
                file.writelines("{" + ", ".join(cells) + "}\n" for cells in zip(*columns, strict=True))


def write_truth(table: Table, path: Path) -> None:
    """Write `id,target`: the row's id, or its number in the drop where it has none."""
    path.parent.mkdir(parents=True, exist_ok=True)
    texts = table.ids.texts() if table.ids is not None else [None] * table.rows
    ids = [
        text if text is not None else number
        for text, number in zip(texts, table.numbers.tolist(), strict=True)
    ]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["id", "target"])
        writer.writerows(zip(ids, map(repr, table.target.tolist()), strict=True))


def write_raw(table: Table, spec: ModelSpec, path: Path) -> None:
    """Write the target and the features with a header; a gap is an empty field."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([spec.target, *spec.features])
        for block in _blocks(table, 0, table.rows):
            columns: list[Iterable[str]] = [map(repr, block.target.tolist())]
            columns += [
                _csv_cells(block.columns[name], feature.type) for name, feature in spec.features.items()
            ]
            writer.writerows(zip(*columns, strict=True))


def _blocks(table: Table, first: int, end: int) -> Iterable[Table]:
    for start in range(first, end, BLOCK_ROWS):
        yield table.take(np.arange(start, min(start + BLOCK_ROWS, end)))


def _json_cells(column: Column, kind: str) -> list[str]:
    if isinstance(column, Categories):
        texts = [*(json.dumps(level, ensure_ascii=False) for level in column.levels), "null"]
        return [texts[code] for code in column.codes.tolist()]
    write = _true_false if kind == "boolean" else _WRITERS[kind]
    quote = '"' if kind == "date" else ""
    return ["null" if math.isnan(value) else quote + write(value) + quote for value in column.values.tolist()]


def _csv_cells(column: Column, kind: str) -> list[str]:
    if isinstance(column, Categories):
        return [text or "" for text in column.texts()]
    write = _WRITERS[kind]
    return ["" if math.isnan(value) else write(value) for value in column.values.tolist()]


def _true_false(value: float) -> str:
    return "true" if value else "false"


def _whole(value: float) -> str:
    return str(int(value))


_WRITERS: dict[str, Callable[[float], str]] = {
    "numeric": repr,
    "integer": _whole,
    "boolean": _whole,
    "date": date_text,
}
