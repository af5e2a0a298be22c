"""Good rows on their way to the models: typed columns for the scores, JSON Lines for batch transform.

The JSON is put together column by column in Arrow: formatting each cell in Python would cost more than
everything else that happens to a row outside its model.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np

from tidegate.core.names import part_name
from tidegate.core.own_names import listed
from tidegate.core.payload import PART_ROWS
from tidegate.table.columns import Categories, Column
from tidegate.table.score.rows import Rows, Wanted

ROW, ID, UNSEEN = "row", "id", "unseen"


class InputsFile:
    """The good rows as Parquet: the row's number, its id, and every column typed as the model file says.

    Last come the names of the row's columns whose value a model never learned.
    """

    def __init__(self, path: Path, wanted: Wanted) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        self._columns, self._learned = wanted.columns, wanted.learned
        types = {
            "numeric": pa.float64(),
            "integer": pa.int64(),
            "boolean": pa.bool_(),
            "date": pa.date32(),
            "categorical": pa.string(),
        }
        # The features by place: a column of any name may be called row or id.
        fields = [(f"f{place}", types[kind]) for place, kind in enumerate(self._columns.values())]
        self._schema = pa.schema([(ROW, pa.int64()), (ID, pa.string()), *fields, (UNSEEN, pa.string())])
        self._file = pq.ParquetWriter(path, self._schema)

    def write(self, rows: Rows) -> list[Any]:
        """Append a block; gives its features as Arrow columns."""
        import pyarrow as pa

        features = [_arrow(rows.columns[name], kind) for name, kind in self._columns.items()]
        ids = pa.nulls(rows.count, pa.string()) if rows.ids is None else _arrow(rows.ids, "categorical")
        unseen = pa.array(_unseen(rows, self._learned), pa.string())
        table = pa.table([pa.array(rows.numbers), ids, *features, unseen], schema=self._schema)
        self._file.write_table(table)
        return features

    def close(self) -> None:
        """End the file."""
        self._file.close()


def _unseen(rows: Rows, learned: Mapping[str, frozenset[str]]) -> list[str | None]:
    """Name for each row the columns with a value that a model never learned; None where there is none."""
    found: dict[int, list[str]] = {}
    for name, levels in learned.items():
        column = rows.columns.get(name)
        if isinstance(column, Categories):
            strange = np.array([*(level not in levels for level in column.levels), False])
            for row in np.flatnonzero(strange[column.codes]).tolist():
                found.setdefault(row, []).append(name)
    return [listed(found[row]) if row in found else None for row in range(rows.count)]


class Parts:
    """JSON Lines in files of so many rows at most: no request to a model takes rows of two of them.

    A line is ``{"row":17,"id":"c-5","features":[…]}``, the features in the order in which the models of
    this layout read them.
    """

    def __init__(self, folder: Path, layout: Sequence[str], most: int = PART_ROWS) -> None:
        self._folder, self.layout, self._most = folder, layout, most
        self._parts, self._room = 0, 0
        self._file: IO[bytes] | None = None
        folder.mkdir(parents=True)

    def write(self, head: Any, features: Mapping[str, Any]) -> None:
        """Append a block: `head` begins each line, `features` holds the JSON text of each column's cells."""
        line = _joined([head, _joined([features[name] for name in self.layout], ","), "]}\n"], "")
        offsets = np.frombuffer(line.buffers()[1], np.int32, len(line) + 1, 4 * line.offset)
        text, at = memoryview(line.buffers()[2]), 0
        while at < len(line):
            if not self._room:
                self._next()
            assert self._file is not None
            end = min(len(line), at + self._room)
            self._file.write(text[offsets[at] : offsets[end]])
            self._room -= end - at
            at = end

    def _next(self) -> None:
        self.close()
        self._file = (self._folder / part_name(self._parts)).open("wb")
        self._parts, self._room = self._parts + 1, self._most

    def close(self) -> None:
        """End the part under way."""
        if self._file is not None:
            self._file.close()


def line_heads(rows: Rows) -> Any:
    """Give the beginning of each row's line, up to its features."""
    import pyarrow as pa
    import pyarrow.compute as pc

    ids = "null" if rows.ids is None else _quoted(rows.ids)
    return _joined(
        ['{"row":', pc.cast(pa.array(rows.numbers), pa.string()), ',"id":', ids, ',"features":['], ""
    )


def json_cells(column: Column, arrow: Any, kind: str) -> Any:
    """Give the JSON text of each cell of a column; null where there is a gap."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if isinstance(column, Categories):
        return _quoted(column)
    texts = pc.cast(arrow, pa.string())
    return pc.binary_join_element_wise('"', texts, '"', "") if kind == "date" else texts


def _arrow(column: Column, kind: str) -> Any:
    import pyarrow as pa

    if isinstance(column, Categories):
        return _text(column, column.levels)
    gaps = np.isnan(column.values)
    values = np.where(gaps, 0.0, column.values) + 0.0  # no negative zero
    if kind == "numeric":
        return pa.array(values, mask=gaps)
    if kind == "boolean":
        return pa.array(values != 0, mask=gaps)
    if kind == "date":
        return pa.array(values.astype(np.int32), mask=gaps).cast(pa.date32())
    whole = values.astype(np.int64) if column.whole is None else column.whole
    return pa.array(whole, mask=gaps)


def _quoted(column: Categories) -> Any:
    return _text(column, [json.dumps(level, ensure_ascii=False) for level in column.levels])


def _text(column: Categories, levels: Sequence[str]) -> Any:
    import pyarrow as pa

    codes = pa.array(column.codes, mask=column.codes < 0)
    return pa.DictionaryArray.from_arrays(codes, pa.array(levels, pa.string())).cast(pa.string())


def _joined(parts: Sequence[Any], separator: str) -> Any:
    import pyarrow.compute as pc

    return pc.binary_join_element_wise(*parts, separator, null_handling="replace", null_replacement="null")
