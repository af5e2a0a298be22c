"""Reading Parquet block by block, its stored types made into those that the models want."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from tidegate.table.columns import Categories
from tidegate.table.read.convert import Cells, categories, identities
from tidegate.table.read.names import find_columns
from tidegate.table.read.parquet_bounds import refuse_long_cells
from tidegate.table.read.parquet_file import (
    DAMAGE,
    WrongType,
    damaged,
    numbers,
    open_parquet,
    text_column,
)
from tidegate.table.read.sentences import Fault, bad_columns
from tidegate.table.score.rows import Rows, Wanted, sort_out

BLOCK_ROWS = 32_768


def parquet_rows(path: Path, wanted: Wanted, name: str) -> Iterator[Rows]:
    """Read a Parquet file.

    Raises
    ------
    BadDrop
        For a damaged file, a missing column, or a column whose stored type cannot become the wanted one.
    """
    with open_parquet(path, name) as file:
        stored = file.schema_arrow.names
        places = find_columns(stored, wanted.names, name, header_line=None)
        source = {column: stored[place] for column, place in places.items()}
        first = 1
        batches = file.iter_batches(BLOCK_ROWS, columns=list(source.values()))
        while (batch := _next(batches, name, source, first)) is not None:
            yield _rows(batch, source, wanted, name, first)
            first += len(batch)


def _next(batches: Iterator[Any], name: str, source: dict[str, str], first: int) -> Any:
    try:
        batch = next(batches, None)
        if batch is not None:
            for column, called in source.items():
                refuse_long_cells(batch.column(called), name, column, first)
            batch.validate(full=True)  # texts that are no UTF-8, among others
    except DAMAGE as error:
        raise damaged(name, error) from None
    return batch


def _rows(batch: Any, source: dict[str, str], wanted: Wanted, name: str, first: int) -> Rows:
    columns: dict[str, Cells | Categories] = {}
    faults: list[Fault] = []
    for column, kind in wanted.columns.items():
        array = batch.column(source[column])
        try:
            gaps = wanted.missing.get(column, ())
            columns[column] = (
                text_column(array, categories, gaps) if kind == "categorical" else numbers(array, kind, gaps)
            )
        except WrongType:
            faults.append(Fault(column, kind, stored=str(array.type)))
    ids = None
    if wanted.id is not None:
        array = batch.column(source[wanted.id])
        try:
            ids = text_column(array, identities, wanted.missing.get(wanted.id, ()))
        except WrongType:
            faults.append(Fault(wanted.id, "a text", stored=str(array.type)))
    if faults:
        raise bad_columns(name, faults, "", "row")

    def raw(row: int) -> str:
        cells = {column: _plain(batch.column(source[column])[row]) for column in wanted.names}
        return json.dumps(cells, ensure_ascii=False, default=str)

    return sort_out(np.arange(first, first + len(batch)), columns, ids, wanted, raw, [])


def _plain(cell: Any) -> Any:
    """Give a stored cell for people; a day beyond Python's calendar by its number."""
    try:
        return cell.as_py()
    except (ValueError, OverflowError):
        return f"{cell.type} {cell.value}"
