"""The rows of batch scoring by column: what was scored, and what one algorithm predicted."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tidegate.core.errors import BadDrop
from tidegate.core.own_names import PREDICTION
from tidegate.core.sentences import of_the_data, say
from tidegate.table.score.combine import MARKS
from tidegate.table.watch.parts import Part, number_of, texts_of

BATCH_ROWS = 32_768


def read_scored(
    path: Path, key: str, columns: Mapping[str, str], algorithm: str, identity: str
) -> Iterator[Part]:
    """Read an object of scores in batches; nothing of a run before the model had this algorithm.

    Parameters
    ----------
    key : str
        Its key in the bucket, which says the day and names rows that have no name.
    columns : mapping of str to str
        The model's inputs, each with its type.

    Raises
    ------
    BadDrop
        For a file that is no Parquet.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    at = next((part[5:] for part in key.split("/") if part.startswith("date=")), "")
    try:
        with pq.ParquetFile(path) as file:
            names = file.schema_arrow.names
            inputs, wanted = _marks(file.schema_arrow, algorithm)
            if wanted not in names:
                return
            number = 0
            for batch in file.iter_batches(BATCH_ROWS):
                ids = batch.column(names[0]).to_pylist() if identity else [None] * batch.num_rows
                rows = [None if name is None else str(name) for name in ids]
                events = [f"{key}#{row or place}" for place, row in enumerate(rows, number + 1)]
                number += batch.num_rows
                yield Part(
                    events,
                    events,
                    [None] * len(rows),
                    rows,
                    [at] * len(rows),
                    {
                        name: _cells(batch.column(name), kind)
                        for name, kind in columns.items()
                        if name in inputs
                    },
                    list(map(number_of, batch.column(wanted).to_pylist())),
                )
    except (pa.ArrowException, OSError) as error:
        first_line = str(error).split("\n", 1)[0]
        raise BadDrop(
            say("this is no Parquet file of scores ({first_line})", first_line=of_the_data(first_line))
        ) from None


def _marks(schema: Any, algorithm: str) -> tuple[list[str], str | None]:
    """Say which columns are inputs, and in which an algorithm's answers are; files of before do not tell."""
    told = (schema.metadata or {}).get(MARKS.encode())
    if told is None:
        return schema.names, f"{PREDICTION}_{algorithm}"
    marks = json.loads(told)
    return marks["inputs"], marks["predictions"].get(algorithm)


def _cells(array: Any, kind: str) -> Any:
    """Give stored cells as they would have been sent."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_string(array.type):
        return array
    if kind == "integer" and pa.types.is_integer(array.type):
        return pc.cast(array, pa.int64())
    if kind in ("numeric", "integer") and (
        pa.types.is_integer(array.type) or pa.types.is_float32(array.type) or pa.types.is_float64(array.type)
    ):
        numbers = pc.cast(array, pa.float64(), safe=False)
        return pc.if_else(pc.is_nan(numbers), None, numbers)
    return texts_of(array.to_pylist())
