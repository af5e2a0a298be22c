"""Labels matched to predictions, however much later they come."""

from __future__ import annotations

import csv
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tidegate.core.own_names import PREDICTION
from tidegate.serving.texts import whole_text

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

    A label is about the prediction of exactly its name. Where there is none, and the name is a number, it is
    about the one of the same number: a data frame makes 101.0 of 101, on either side.

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
    numbers = _Numbers(labels.values)
    fetches = list(windows)
    for window, fetch in enumerate(fetches):
        if not labels.values:
            break
        path = fetch()
        names = _names(path)
        chosen = _exact(labels, names)
        numbers.look(window, names, chosen)
        if chosen:
            found.append(_taken(labels, path, chosen))
    found += [
        _taken(labels, fetches[window](), chosen)
        for window, chosen in numbers.chosen(labels).items()
        if chosen
    ]
    if not found:
        return 0
    table = pa.concat_tables(found, promote_options="default")
    pq.write_table(table, out, compression="zstd")
    return int(table.num_rows)


_Names = list[tuple[str, ...]]  # of each row of a window; none for one without a prediction
_Chosen = dict[int, str]  # by the row's place, the label that is about it


class _Numbers:
    """Labels whose names are numbers, and the newest predictions of the same number, written otherwise."""

    def __init__(self, names: Iterable[str]) -> None:
        self._odd: dict[str, list[str]] = {}  # labels such as 101.0, by 101
        self._plain: set[str] = set()  # labels such as 101, which a prediction may call 101.0
        for name in names:
            if key := whole_text(name):
                self._odd.setdefault(key, []).append(name)
            elif name.isdecimal() or name[1:].isdecimal():
                self._plain.add(name)
        self._found: dict[str, tuple[int, int]] = {}

    def look(self, window: int, names: _Names, taken: Collection[int]) -> None:
        """Look through a window's rows, but for those that a label was found for."""
        if not self._odd and not self._plain:
            return
        for place in range(len(names) - 1, -1, -1):
            if place in taken:
                continue
            for name in names[place]:
                key = whole_text(name) or name
                labels = [*self._odd.get(key, ()), *([key] if key != name and key in self._plain else [])]
                for label in labels:
                    self._found.setdefault(label, (window, place))

    def chosen(self, labels: Labels) -> dict[int, _Chosen]:
        """Give by window the rows for the labels that nothing of exactly their name was found for."""
        chosen: dict[int, _Chosen] = {}
        for label, (window, place) in self._found.items():
            if label not in labels.values:
                continue
            if place in chosen.setdefault(window, {}):
                labels.drop([label])
            else:
                chosen[window][place] = label
        return chosen


def _names(path: Path) -> _Names:
    import pyarrow.parquet as pq

    table = pq.read_table(path, columns=[*NAMES, PREDICTION])
    columns = [table.column(name).to_pylist() for name in NAMES]
    predictions = table.column(PREDICTION).to_pylist()
    return [
        () if prediction is None else tuple(name.strip() for name in names if name is not None)
        for prediction, *names in zip(predictions, *columns, strict=True)
    ]


def _exact(labels: Labels, names: _Names) -> _Chosen:
    chosen: _Chosen = {}
    taken: set[str] = set()
    for place in range(len(names) - 1, -1, -1):
        for name in names[place]:
            if name in labels.values and name not in taken:
                chosen[place] = name
                taken.add(name)
                break
    return chosen


def _taken(labels: Labels, path: Path, chosen: _Chosen) -> Any:
    import pyarrow as pa
    import pyarrow.parquet as pq

    places = sorted(chosen)
    rows = pq.read_table(path).take(pa.array(places, pa.int64()))
    targets = [labels.values.pop(chosen[place])[0] for place in places]
    rows = rows.append_column(MATCHED_AS, pa.array([chosen[place] for place in places], pa.string()))
    return rows.append_column(TRUTH, pa.array(targets, pa.float64()))


def names_in(path: Path) -> Iterator[str]:
    """Give every name of the predictions in a file of matched labels, and every label's own."""
    import pyarrow.parquet as pq

    table = pq.read_table(path, columns=[*NAMES, MATCHED_AS])
    for name in (*NAMES, MATCHED_AS):
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
