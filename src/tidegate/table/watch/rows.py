"""A window's rows: captured requests and batch scores with their predictions, as Parquet and as a profile."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tidegate.core.errors import BadDrop
from tidegate.core.own_names import PREDICTION, input_name, prediction_beside
from tidegate.core.sentences import Sentence, say, told
from tidegate.table.profile import ColumnProfile, Profile
from tidegate.table.scan.arrow_arrays import number_cells
from tidegate.table.watch.captured import read_captured
from tidegate.table.watch.cells import ARROW_TYPES, read_column
from tidegate.table.watch.parts import Part, tells_the_time
from tidegate.table.watch.scored import read_scored

BATCH_ROWS = 32_768
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
        Of the inputs and the prediction (`own_names.prediction_beside`).
    rows, repeated : int
        How many rows count, and how many were left out because an earlier window counted them.
    first, last : str or None
        The times of the first and the last prediction.
    unreadable : list of Sentence
        A sentence for each object that could not be read, all of it or lines of it.
    skipped : int
        How many lines of captures could not be read, and were left out.
    """

    profile: Profile = field(default_factory=Profile)
    rows: int = 0
    repeated: int = 0
    first: str | None = None
    last: str | None = None
    unreadable: list[Sentence] = field(default_factory=list)
    skipped: int = 0


def read_window(
    sources: Iterable[Source],
    columns: Mapping[str, str],
    algorithm: str,
    identity: str,
    out: Path,
    missing: Mapping[str, Sequence[str]] | None = None,
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
    missing : mapping of str to sequence of str, optional
        For some columns, the words that stand for a missing value.
    """
    import pyarrow.parquet as pq

    window = WindowRows()
    profiles: list[Profile] = []
    texts = [name for name, kind in columns.items() if ARROW_TYPES[kind] == "string"]
    with pq.ParquetWriter(
        out,
        schema_of(columns),
        compression="zstd",
        # What is different in every row only grows by a dictionary.
        use_dictionary=["at", "object", *map(input_name, texts)],
    ) as writer:
        for batch in _batches(_parts(sources, columns, algorithm, identity, window)):
            table, profile = _written(batch, columns, missing or {})
            writer.write_table(table)
            profiles.append(profile)
            times = [each for _, part in batch for each in part.at if each]
            if times:
                window.first = min(window.first or times[0], min(times))
                window.last = max(window.last or times[0], max(times))
            window.rows += table.num_rows
    window.profile = Profile.sum_of(profiles)
    return window


def schema_of(columns: Mapping[str, str]) -> Any:
    """Give the schema of a window's Parquet file."""
    import pyarrow as pa

    fields = [pa.field(name, pa.string()) for name in ABOUT]
    fields += [pa.field(input_name(name), getattr(pa, ARROW_TYPES[kind])()) for name, kind in columns.items()]
    return pa.schema([*fields, pa.field(PREDICTION, pa.float64())])


_Named = tuple[str, Part]  # an object's key, and rows of it


def _batches(parts: Iterator[_Named]) -> Iterator[list[_Named]]:
    batch: list[_Named] = []
    rows = 0
    for key, part in parts:
        batch.append((key, part))
        rows += len(part)
        if rows >= BATCH_ROWS:
            yield batch
            batch, rows = [], 0
    if batch:
        yield batch


def _written(
    batch: Sequence[_Named], columns: Mapping[str, str], missing: Mapping[str, Sequence[str]]
) -> tuple[Any, Profile]:
    import pyarrow as pa

    parts = [part for _, part in batch]
    arrays = [
        pa.array([value for part in parts for value in getattr(part, name)], pa.string())
        for name in ABOUT
        if name != "object"
    ]
    arrays.append(pa.array([key for key, part in batch for _ in range(len(part))], pa.string()))
    profiles = {}
    for name, kind in columns.items():
        array, profiles[name] = read_column(_sent(parts, name), kind, missing.get(name, ()))
        arrays.append(array)
    predictions = pa.array([each for part in parts for each in part.predictions], pa.float64())
    profiles[prediction_beside(columns)] = ColumnProfile.of(number_cells(predictions, whole=False))
    table = pa.Table.from_arrays([*arrays, predictions], schema=schema_of(columns))
    profile = Profile(table.num_rows, profiles)
    return table, profile if _in_order(parts) else profile.in_no_order()


def _in_order(parts: Sequence[Part]) -> bool:
    """Tell whether rows come as they were asked for; a scored file has its own order, and only its day."""
    return any(tells_the_time(each) for part in parts for each in part.at[:1])


def _sent(parts: Sequence[Part], name: str) -> Any:
    """Join what the parts hold of a column: numbers where all have numbers, texts otherwise."""
    import pyarrow as pa
    import pyarrow.compute as pc

    arrays = [part.cells[name] if name in part.cells else pa.nulls(len(part)) for part in parts]
    kinds = {array.type for array in arrays} - {pa.null()}
    kind = kinds.pop() if len(kinds) == 1 else pa.string()
    joined: Any = pa.concat_arrays([pc.cast(array, kind) for array in arrays])
    return joined


def _parts(
    sources: Iterable[Source], columns: Mapping[str, str], algorithm: str, identity: str, window: WindowRows
) -> Iterator[_Named]:
    for source in sources:
        bad: list[BadDrop] = []
        try:
            # Read whole before any of it counts: an object that turns out damaged leaves nothing behind.
            found = (
                [read_captured(source.path, columns, identity, bad.append)]
                if source.kind == "capture"
                else list(read_scored(source.path, source.key, columns, algorithm, identity))
            )
        except BadDrop as problem:
            window.unreadable.append(say("{key}: {problem}", key=told(source.key), problem=problem.sentence))
            continue
        if bad:
            window.skipped += len(bad)
            window.unreadable.append(say("{key}: {words}", key=told(source.key), words=_left_out(bad)))
        for part in found:
            left = part.without(source.already) if source.already else part
            window.repeated += len(part) - len(left)
            for piece in left.slices(BATCH_ROWS):
                if len(piece):
                    yield source.key, piece


def _left_out(bad: Sequence[BadDrop]) -> Sentence:
    if len(bad) == 1:
        return say("1 line was left out: {first}", first=bad[0].sentence)
    return say(
        "{count:,} lines were left out, the first of them: {first}", count=len(bad), first=bad[0].sentence
    )


def events_of(path: Path, key: str) -> frozenset[str]:
    """Give the rows that a window took of one object."""
    import pyarrow.parquet as pq

    table = pq.read_table(path, columns=["event"], filters=[("object", "==", key)])
    return frozenset(table.column("event").to_pylist())
