"""Labels matched to predictions, however much later they come."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tidegate.table.watch.rows import PREDICTION

NAMES = ("prediction_id", "request_id", "row_id")
TRUTH = "target"
MATCHED_AS = "label"


@dataclass
class Labels:
    """Labels by the name that people gave them, each with the day it came.

    Attributes
    ----------
    repeated : int
        How many came for a name that has a label already.
    """

    values: dict[str, tuple[float, str]] = field(default_factory=dict)
    repeated: int = 0

    def add(self, path: Path, day: str | None = None) -> int:
        """Read a file of ``id,target`` (and ``since``, unless `day` says so); gives how many it holds."""
        count = 0
        with path.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                count += 1
                self.repeated += row["id"] in self.values
                self.values[row["id"]] = (float(row["target"]), day or row["since"])
        return count

    def drop(self, names: Iterable[str]) -> None:
        """Leave out labels whose prediction has one already."""
        for name in names:
            if name in self.values:
                del self.values[name]
                self.repeated += 1

    def expire(self, before: str) -> int:
        """Give up labels that came before a day; gives how many."""
        old = [name for name, (_, since) in self.values.items() if since < before]
        for name in old:
            del self.values[name]
        return len(old)

    def write(self, path: Path) -> None:
        """Write what is left, for a later check."""
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(["id", "target", "since"])
            writer.writerows((name, repr(value), since) for name, (value, since) in self.values.items())


def match(labels: Labels, windows: Iterable[Callable[[], Path]], out: Path) -> int:
    """Find the predictions that labels are about, and write them with their labels as Parquet.

    Parameters
    ----------
    labels : Labels
        Those that are matched are taken out.
    windows : iterable of callable
        Fetches the rows of each window, the newest first, and only while labels are left: of several
        predictions with one name the newest is meant.
    out : Path
        Not written where nothing matches.

    Returns
    -------
    int
        How many labels found their prediction.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    found: list[Any] = []
    for fetch in windows:
        if not labels.values:
            break
        if (part := _matched(labels, fetch())) is not None:
            found.append(part)
    if not found:
        return 0
    table = pa.concat_tables(found, promote_options="default")
    pq.write_table(table, out, compression="zstd")
    return int(table.num_rows)


def _matched(labels: Labels, path: Path) -> Any | None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    names = pq.read_table(path, columns=[*NAMES, PREDICTION])
    chosen: dict[int, str] = {}
    wanted = labels.values
    taken: set[str] = set()
    predictions = names.column(PREDICTION).to_pylist()
    columns = [names.column(name).to_pylist() for name in NAMES]
    for place in range(names.num_rows - 1, -1, -1):
        if predictions[place] is None:
            continue
        for column in columns:
            name = column[place]
            if name is not None and name in wanted and name not in taken:
                chosen[place] = name
                taken.add(name)
                break
    if not chosen:
        return None
    places = sorted(chosen)
    rows = pq.read_table(path).take(pa.array(places, pa.int64()))
    rows = rows.append_column(MATCHED_AS, pa.array([chosen[place] for place in places], pa.string()))
    rows = rows.append_column(TRUTH, pa.array([wanted[chosen[p]][0] for p in places], pa.float64()))
    for name in taken:
        del wanted[name]
    return rows


def names_in(path: Path) -> Iterator[str]:
    """Give every name of the predictions in a file of matched labels."""
    import pyarrow.parquet as pq

    table = pq.read_table(path, columns=list(NAMES))
    for name in NAMES:
        yield from (each for each in table.column(name).to_pylist() if each is not None)


def pairs_of(paths: Sequence[Path]) -> Mapping[str, Any]:
    """Give the targets and predictions of files of matched labels as arrays."""
    import numpy as np
    import pyarrow.parquet as pq

    from tidegate.table.columns import floats_of

    tables = [pq.read_table(path, columns=[TRUTH, PREDICTION]) for path in paths]
    return {
        name: np.concatenate([floats_of(table.column(name)) for table in tables])
        for name in (TRUTH, PREDICTION)
    }
