"""A window's rows: captured requests and batch scores with their predictions, as Parquet and as a profile."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tidegate.core.errors import BadDrop
from tidegate.table.profile import ColumnProfile, Profile
from tidegate.table.scan import CapturedRow, read_capture
from tidegate.table.scan.arrow_arrays import array_cells
from tidegate.table.watch.cells import ARROW_TYPES, read_column

BATCH_ROWS = 32_768
PREDICTION = "prediction"
# Where a row is from, and by which names ground truth may call it.
ABOUT = ("event", "prediction_id", "request_id", "row_id", "at", "object")


@dataclass(frozen=True)
class Source:
    """An object of the window, on disk.

    Attributes
    ----------
    kind : str
        ``capture`` or ``scores``.
    key : str
        Its key in the bucket.
    already : set of str
        The rows of an earlier content of the same key that were counted.
    """

    kind: str
    key: str
    path: Path
    already: frozenset[str] = frozenset()


@dataclass
class WindowRows:
    """What was read.

    Attributes
    ----------
    profile : Profile
        Of the inputs and the prediction.
    rows, repeated : int
        How many rows count, and how many were left out because an earlier window counted them.
    first, last : str or None
        The times of the first and the last prediction.
    unreadable : list of str
        A sentence for each object that could not be read.
    """

    profile: Profile = field(default_factory=Profile)
    rows: int = 0
    repeated: int = 0
    first: str | None = None
    last: str | None = None
    unreadable: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class _Row:
    about: tuple[str, str, str | None, str | None, str, str]
    cells: Mapping[str, Any]
    prediction: float | None


def read_window(
    sources: Iterable[Source], columns: Mapping[str, str], algorithm: str, identity: str, out: Path
) -> WindowRows:
    """Read a window in batches, so that memory does not grow with its rows.

    Parameters
    ----------
    sources : iterable of Source
        Its objects.
    columns : mapping of str to str
        The champion's inputs, in order, each with its type.
    algorithm : str
        Whose predictions are wanted of scores, which hold every algorithm's.
    identity : str
        The model's id column; empty where it has none.
    out : Path
        The Parquet file to write.
    """
    import pyarrow.parquet as pq

    window = WindowRows()
    parts: list[Profile] = []
    with pq.ParquetWriter(out, schema_of(columns), compression="zstd") as writer:
        for batch in _batches(_rows(sources, list(columns), algorithm, identity, window)):
            table, part = _written(batch, columns)
            writer.write_table(table)
            parts.append(part)
            times = sorted(row.about[4] for row in batch if row.about[4])
            if times:
                window.first = min(window.first or times[0], times[0])
                window.last = max(window.last or times[-1], times[-1])
            window.rows += len(batch)
    window.profile = Profile.sum_of(parts)
    return window


def schema_of(columns: Mapping[str, str]) -> Any:
    """Give the schema of a window's Parquet file."""
    import pyarrow as pa

    fields = [pa.field(name, pa.string()) for name in ABOUT]
    fields += [
        pa.field(column_name(name), getattr(pa, ARROW_TYPES[kind])()) for name, kind in columns.items()
    ]
    return pa.schema([*fields, pa.field(PREDICTION, pa.float64())])


def column_name(name: str) -> str:
    """Name an input column so that it does not clash with what a row is about."""
    return f"input_{name}" if name in (*ABOUT, PREDICTION) else name


def _batches(rows: Iterator[_Row]) -> Iterator[list[_Row]]:
    batch: list[_Row] = []
    for row in rows:
        batch.append(row)
        if len(batch) == BATCH_ROWS:
            yield batch
            batch = []
    if batch:
        yield batch


def _written(batch: Sequence[_Row], columns: Mapping[str, str]) -> tuple[Any, Profile]:
    import pyarrow as pa

    arrays = [pa.array([row.about[place] for row in batch], pa.string()) for place in range(len(ABOUT))]
    profiles = {}
    for name, kind in columns.items():
        array, profiles[name] = read_column([row.cells.get(name) for row in batch], kind)
        arrays.append(array)
    predictions = pa.array([row.prediction for row in batch], pa.float64())
    profiles[PREDICTION] = ColumnProfile.of(array_cells(predictions))
    table = pa.Table.from_arrays([*arrays, predictions], schema=schema_of(columns))
    return table, Profile(len(batch), profiles)


def _rows(
    sources: Iterable[Source], columns: list[str], algorithm: str, identity: str, window: WindowRows
) -> Iterator[_Row]:
    for source in sources:
        try:
            # Read whole before any of it counts: an object that turns out damaged leaves nothing behind.
            found = list(
                _captured(source, columns, identity)
                if source.kind == "capture"
                else _scored(source, columns, algorithm, identity)
            )
        except BadDrop as problem:
            window.unreadable.append(f"{source.key}: {problem.message}")
            continue
        for row in found:
            if row.about[0] in source.already:
                window.repeated += 1
            else:
                yield row


def _captured(source: Source, columns: list[str], identity: str) -> Iterator[_Row]:
    rows = list(read_capture(source.path, columns))
    sizes: dict[str, int] = {}
    for row in rows:
        sizes[row.event_id] = max(sizes.get(row.event_id, 0), row.number + 1)
    for row in rows:
        request = row.inference_id or row.event_id
        yield _Row(
            (
                f"{row.event_id}/{row.number}",
                f"{request}/{row.number}",
                # A request of one row is known by its own id too.
                request if sizes[row.event_id] == 1 else None,
                _identity(row, identity),
                row.at,
                source.key,
            ),
            row.cells,
            _number(row.prediction),
        )


def _identity(row: CapturedRow, identity: str) -> str | None:
    sent = row.cells.get(identity) if identity else None
    return None if sent is None else str(sent)


def _scored(source: Source, columns: list[str], algorithm: str, identity: str) -> Iterator[_Row]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    wanted = f"prediction_{algorithm}"
    at = next((part[5:] for part in source.key.split("/") if part.startswith("date=")), "")
    try:
        with pq.ParquetFile(source.path) as file:
            names = file.schema_arrow.names
            if wanted not in names:
                return  # a run before the model had this algorithm
            first = names[0]
            number = 0
            for batch in file.iter_batches(BATCH_ROWS):
                cells = {name: batch.column(name).to_pylist() for name in columns if name in names}
                ids, predictions = batch.column(first).to_pylist(), batch.column(wanted).to_pylist()
                for place, (name, prediction) in enumerate(zip(ids, predictions, strict=True)):
                    row = str(name) if identity and name is not None else None
                    number += 1
                    event = f"{source.key}#{row or number}"
                    yield _Row(
                        (event, event, None, row, at, source.key),
                        {column: values[place] for column, values in cells.items()},
                        _number(prediction),
                    )
    except (pa.ArrowException, OSError) as error:
        first_line = str(error).split("\n", 1)[0]
        raise BadDrop(f"this is no Parquet file of scores ({first_line})") from None


def _number(answer: Any) -> float | None:
    try:
        return None if answer is None else float(answer)
    except ValueError:
        return None


def events_of(path: Path, key: str) -> frozenset[str]:
    """Give the rows that a window took of one object."""
    import pyarrow.parquet as pq

    table = pq.read_table(path, columns=["event"], filters=[("object", "==", key)])
    return frozenset(table.column("event").to_pylist())
