"""Rows as estimates want them: the held-out ones of a run, those of a window, and those whose truth came."""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from tidegate.core.own_names import PREDICTION, input_name, prediction_beside
from tidegate.serving.texts import category_text
from tidegate.table.columns import Categories, Column, Floats, Indices, Numbers, codes_of, floats_of
from tidegate.table.estimate.direct_loss import MOST_ROWS, Estimator, Expected
from tidegate.table.read.values import parse_date

BLOCK_ROWS = 16_384


def held_out(body: bytes, kinds: Mapping[str, str], predictions: Floats) -> tuple[dict[str, Column], Indices]:
    """Read held-out rows as `tidegate.table.raw.write_rows` wrote them, or so many of them.

    Parameters
    ----------
    kinds : mapping of str to str
        The inputs, each with its type.
    predictions : array
        What the model answered, in their order; it becomes a column beside the inputs.

    Returns
    -------
    tuple
        The columns, and which rows they are.
    """
    lines = body.splitlines()
    if len(lines) != len(predictions):
        raise ValueError(f"{len(lines)} held-out rows have {len(predictions)} predictions")
    rng = np.random.default_rng(len(lines))
    chosen = np.sort(rng.permutation(len(lines))[:MOST_ROWS])
    rows = [json.loads(lines[at]) for at in chosen.tolist()]
    columns = {name: _column([row.get(name) for row in rows], kind) for name, kind in kinds.items()}
    columns[prediction_beside(kinds)] = Numbers(predictions[chosen])
    return columns, chosen


def expected_of(
    estimator: Estimator,
    paths: Sequence[Path],
    kinds: Mapping[str, str],
    events: Collection[str] | None = None,
) -> Expected:
    """Ask what to expect of the rows of windows, block by block, each row once.

    Parameters
    ----------
    paths : sequence of Path
        What `watch.rows.read_window` or `watch.matching.match` wrote.
    events : collection of str, optional
        The names of the rows that are asked about; all, if not given.
    """
    expected = Expected(estimator)
    left = None if events is None else set(events)
    for columns, names in chain.from_iterable(_blocks(path, kinds) for path in paths):
        if left is not None:
            wanted = np.array([at for at, name in enumerate(names) if name in left], dtype=np.int64)
            left.difference_update(names)
            columns = {name: column.take(wanted) for name, column in columns.items()}
            expected.add(columns, len(wanted))
        else:
            expected.add(columns, len(names))
    return expected


def _blocks(path: Path, kinds: Mapping[str, str]) -> Iterator[tuple[dict[str, Column], list[str]]]:
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        known = set(file.schema_arrow.names)
        inputs = {name: input_name(name) for name in kinds if input_name(name) in known}
        for batch in file.iter_batches(BLOCK_ROWS, columns=["event", PREDICTION, *inputs.values()]):
            batch = batch.filter(pc.is_valid(batch.column(PREDICTION)))
            columns = {name: _stored(batch.column(own), kinds[name]) for name, own in inputs.items()}
            columns[prediction_beside(kinds)] = Numbers(floats_of(batch.column(PREDICTION)))
            yield columns, batch.column("event").to_pylist()


def _stored(array: Any, kind: str) -> Column:
    import pyarrow as pa
    import pyarrow.compute as pc

    if kind == "date":
        return Numbers(_days(array.to_pylist()))
    if kind != "categorical":
        return Numbers(floats_of(pc.cast(array, pa.float64(), safe=False)))
    encoded = array.dictionary_encode()
    return Categories(codes_of(encoded.indices), tuple(encoded.dictionary.to_pylist()))


def _column(values: Sequence[Any], kind: str) -> Column:
    if kind == "date":
        return Numbers(_days(values))
    if kind != "categorical":
        return Numbers(np.array([math.nan if each is None else float(each) for each in values]))
    texts = [None if each is None else category_text(each) for each in values]
    places = {level: at for at, level in enumerate(dict.fromkeys(t for t in texts if t is not None))}
    codes = [-1 if each is None else places[each] for each in texts]
    return Categories(np.array(codes, dtype=np.int32), tuple(places))


def _days(texts: Sequence[str | None]) -> Floats:
    known = {text: parse_date(text) for text in set(texts) if text is not None}
    return np.array([math.nan if text is None else known[text] for text in texts])
