"""The rows that a retraining learns from: the newest training drop, and the labelled predictions since."""

from __future__ import annotations

import csv
import math
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

from tidegate.core.own_names import CHECKED_ROWS, input_name
from tidegate.core.spec import ModelSpec
from tidegate.table.columns import Categories, Column
from tidegate.table.read import read_drop
from tidegate.table.watch.cells import text_of
from tidegate.table.watch.matching import TRUTH

BLOCK_ROWS = 16_384


def write_drop(
    drop: Path, name: str, labelled: Sequence[Path], spec: ModelSpec, out: Path
) -> tuple[int, int]:
    """Write a training drop as CSV; gives how many rows are of the old drop, and how many are new.

    A labelled row takes the place of a row of the old drop with its id.

    Parameters
    ----------
    drop : Path
        The newest training drop.
    name : str
        What people call it.
    labelled : sequence of Path
        Predictions with their truth, as `matching.match` wrote them, the oldest first.

    Raises
    ------
    BadDrop
        If the drop does not fit the model's declaration any more.
    """
    # A prediction whose truth was corrected is in two files, and learned from once.
    fresh = list(dict(row for path in labelled for row in _labelled(path, spec)).values())
    newer = {row[0] for row in fresh if row[0]}
    old = 0
    with out.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([*([spec.id] if spec.id else []), *spec.features, spec.target])
        for row in _dropped(drop, name, spec):
            if row[0] and row[0] in newer:
                continue
            old += 1
            writer.writerow(row if spec.id else row[1:])
        writer.writerows(row if spec.id else row[1:] for row in fresh)
    return old, len(fresh)


def _dropped(drop: Path, name: str, spec: ModelSpec) -> Iterator[tuple[str, ...]]:
    table = read_drop(drop, spec, name)
    ids = table.ids.texts() if table.ids is not None else [None] * table.rows
    columns = [_texts(table.columns[each], feature.type) for each, feature in spec.features.items()]
    targets = map(repr, table.target.tolist())
    yield from zip(("" if each is None else each for each in ids), *columns, targets, strict=True)


def _texts(column: Column, kind: str) -> list[str]:
    if isinstance(column, Categories):
        return [each or "" for each in column.texts()]
    return ["" if math.isnan(value) else text_of(value, kind) for value in column.values.tolist()]


def _stored_as(name: str, known: Collection[str]) -> str | None:
    """Find an input among matched rows; those of before knew fewer names of ours."""
    if input_name(name) in known:
        return input_name(name)
    return name if name in known and name not in CHECKED_ROWS[:9] else None


def _labelled(path: Path, spec: ModelSpec) -> Iterator[tuple[str, tuple[str, ...]]]:
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        known = set(file.schema_arrow.names)
        for batch in file.iter_batches(BLOCK_ROWS):
            stored = {each: _stored_as(each, known) for each in spec.features}
            cells: list[list[Any]] = [
                batch.column(name).to_pylist() if name else [None] * batch.num_rows
                for name in stored.values()
            ]
            ids = [
                row or prediction
                for row, prediction in zip(
                    batch.column("row_id").to_pylist(), batch.column("prediction_id").to_pylist(), strict=True
                )
            ]
            targets = map(repr, batch.column(TRUTH).to_pylist())
            events = batch.column("event").to_pylist()
            for event, identity, *row, target in zip(events, ids, *cells, targets, strict=True):
                yield event, (identity, *("" if each is None else str(each) for each in row), target)
