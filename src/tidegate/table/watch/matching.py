"""Labels matched to predictions, however much later they come, and however often.

A label is about the newest prediction of its name that was made before the label came; where there is none,
about the first that was made after it. So an id that is predicted every week gets each week's truth, and
whatever the order in which files of truth are read, each prediction ends with the newest that was said of it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from tidegate.core.own_names import PREDICTION
from tidegate.serving.texts import whole_text
from tidegate.table.watch.known import Known, Truth
from tidegate.table.watch.labels import Label, Labels
from tidegate.table.watch.parts import tells_the_time

__all__ = ["Label", "Labels", "Matched", "Window", "match", "pairs_of"]

NAMES = ("prediction_id", "request_id", "row_id")
TRUTH = "target"
MATCHED_AS = "label"
IN_ORDER = "in_order"
SECONDS = 19  # characters of an ISO time up to its seconds


class Window(NamedTuple):
    """Rows that labels may be about.

    Attributes
    ----------
    fetch : callable
        Brings its rows; called only while labels are left.
    """

    number: int
    champion: str | None
    fetch: Callable[[], Path]


@dataclass
class Matched:
    """How labels fared.

    Attributes
    ----------
    by_file : dict of str to Counter
        For each file (`Label.came`) how many labels were ``matched`` (its prediction had no truth before),
        ``corrected`` (it had another) or ``repeated`` (it had the same, or a newer one).
    """

    by_file: dict[str, Counter[str]] = field(default_factory=dict)

    def count(self, what: str, came: str, times: int = 1) -> None:
        """Count labels of a file."""
        self.by_file.setdefault(came, Counter())[what] += times

    def total(self, what: str) -> int:
        """Count labels of all files."""
        return sum(each[what] for each in self.by_file.values())


class _Hit(NamedTuple):
    """A prediction that a label may be about; the least is the best."""

    otherwise: bool  # a name that is the same number, written otherwise
    later: bool  # made after the label came
    window: int
    place: int
    event: str


def match(labels: Labels, windows: Iterable[Window], known: Known, out: Path) -> Matched:
    """Find the predictions that labels are about, and write those that learn something, as Parquet.

    A label is about the prediction of exactly its name. Where there is none, and the name is a number, it is
    about the one of the same number: a data frame makes 101.0 of 101, on either side.

    Parameters
    ----------
    labels : Labels
        Those that find their prediction are taken out.
    windows : iterable of Window
        The newest first; labels that waited before are looked for in the first alone.
    known : Known
        The truth that is known; what is learned is added to it.
    out : Path
        Not written where nothing is learned.
    """
    near = list(windows)
    waiting = list(labels)
    search = _Search(waiting, labels.new, near)
    hits = search.hits()
    result = Matched()
    for came, times in labels.repeated.items():
        result.count("repeated", came, times)
    labels.leave([waiting[at] for at in range(len(waiting)) if at not in hits])
    learned = _learned(waiting, hits, known, result)
    tables = []
    for window in sorted({hits[at].window for at in learned}, key=lambda each: each != search.last):
        places = {hits[at].place: waiting[at] for at in learned if hits[at].window == window}
        path = search.path if window == search.last else near[window].fetch()
        assert path is not None
        tables.append((window, _taken(path, near[window], places, known)))
    if tables:
        import pyarrow as pa
        import pyarrow.parquet as pq

        tables.sort(key=lambda each: each[0])
        whole = pa.concat_tables([table for _, table in tables], promote_options="default")
        pq.write_table(whole, out, compression="zstd")
    return result


def _learned(
    labels: Sequence[tuple[str, Label]], hits: Mapping[int, _Hit], known: Known, result: Matched
) -> list[int]:
    """Say which labels tell something new; of several about one prediction the newest is asked."""
    newest: dict[str, int] = {}
    for at, hit in hits.items():
        before = newest.get(hit.event)
        if before is None or labels[before][1][:2] < labels[at][1][:2]:
            newest[hit.event] = at
    learned = []
    for at, hit in hits.items():
        label = labels[at][1]
        truth = known.truths.get(hit.event)
        if newest[hit.event] != at or (truth is not None and truth.came >= label.came):
            result.count("repeated", label.came)
        elif truth is not None and truth.target == label.target:
            # Said again: from now on only what is newer than this corrects it.
            known.truths[hit.event] = truth._replace(came=label.came)
            result.count("repeated", label.came)
        else:
            result.count("matched" if truth is None else "corrected", label.came)
            learned.append(at)
    return learned


class _Search:
    """The predictions that labels are about, looked for window by window."""

    def __init__(self, labels: Sequence[tuple[str, Label]], new: set[str], windows: Sequence[Window]) -> None:
        self._labels, self._windows = labels, windows
        self._hits: dict[int, _Hit] = {}
        self._new = [label.came in new for _, label in labels]
        self.last = -1
        self.path: Path | None = None

    def hits(self) -> dict[int, _Hit]:
        """Give the prediction of each label that has one."""
        left = list(range(len(self._labels)))
        for at, window in enumerate(self._windows):
            left = [each for each in left if (not at or self._new[each]) and self._open(each)]
            if not left:
                break
            self.last, self.path = at, window.fetch()
            self._look(at, self.path, left)
        return self._hits

    def _open(self, label: int) -> bool:
        """Tell whether an earlier window may hold a better one."""
        hit = self._hits.get(label)
        return hit is None or hit.otherwise or hit.later

    def _look(self, window: int, path: Path, left: Sequence[int]) -> None:
        wanted: dict[str, list[int]] = {}
        numbers: dict[str, list[int]] = {}
        for at in left:
            name = self._labels[at][0]
            wanted.setdefault(name, []).append(at)
            if number := _number(name):
                numbers.setdefault(number, []).append(at)
        for place, event, made, names in _rows(path):
            for name in names:
                for at in wanted.get(name, ()):
                    self._better(at, window, place, event, made, otherwise=False)
                if numbers and (number := _number(name)):
                    for at in numbers.get(number, ()):
                        if self._labels[at][0] != name:
                            self._better(at, window, place, event, made, otherwise=True)

    def _better(self, label: int, window: int, place: int, event: str, made: str, *, otherwise: bool) -> None:
        """Take a prediction for a label's if it is better; they come the newest first."""
        later = made > self._labels[label][1].came[:SECONDS]
        hit, before = _Hit(otherwise, later, window, place, event), self._hits.get(label)
        if before is None or hit[:2] < before[:2] or (later and hit[:2] == before[:2]):
            self._hits[label] = hit


def _number(name: str) -> str:
    """Write a name that is a whole number as one; nothing for any other."""
    return whole_text(name) or (name if name.isdecimal() or name[1:].isdecimal() else "")


def _rows(path: Path) -> Iterable[tuple[int, str, str, tuple[str, ...]]]:
    """Give the rows that have a prediction, the last one first: place, event, when it was made, names."""
    import pyarrow.parquet as pq

    table = pq.read_table(path, columns=["event", "at", *NAMES, PREDICTION])
    events, made, *names, predictions = (column.to_pylist() for column in table.columns)
    for place in range(table.num_rows - 1, -1, -1):
        if predictions[place] is not None:
            own = dict.fromkeys(each[place].strip() for each in names if each[place] is not None)
            yield place, events[place], (made[place] or "")[:SECONDS], tuple(own)


def _taken(path: Path, window: Window, chosen: Mapping[int, tuple[str, Label]], known: Known) -> Any:
    import pyarrow as pa
    import pyarrow.parquet as pq

    places = sorted(chosen)
    rows = pq.read_table(path).take(pa.array(places, pa.int64()))
    labels = [chosen[place] for place in places]
    for event, prediction, (_, label) in zip(
        rows.column("event").to_pylist(), rows.column(PREDICTION).to_pylist(), labels, strict=True
    ):
        known.truths[event] = Truth(window.number, window.champion, prediction, label.target, label.came)
    rows = rows.append_column(MATCHED_AS, pa.array([name for name, _ in labels], pa.string()))
    return rows.append_column(TRUTH, pa.array([label.target for _, label in labels], pa.float64()))


def pairs_of(
    paths: Sequence[Path], known: Known | None = None, champion: str | None = None
) -> dict[str, Any]:
    """Give the targets and predictions of files of matched labels as arrays, each prediction once.

    And the ``event`` of each, and whether they are ``in_order``: a scored file's rows have their own order.

    Parameters
    ----------
    paths : sequence of Path
        The oldest first: what a later file says of a prediction holds.
    known, champion : optional
        What is known; predictions of other models than this are then left out.
    """
    import numpy as np
    import pyarrow.parquet as pq

    pairs: dict[str, tuple[float, float]] = {}
    in_order = True
    for path in paths:
        table = pq.read_table(path, columns=["event", TRUTH, PREDICTION, "at"])
        for event, *pair, at in zip(*(column.to_pylist() for column in table.columns), strict=True):
            pairs[event] = (pair[0], pair[1])
            in_order = in_order and tells_the_time(at)
    if known is not None:
        truths = known.truths
        pairs = {
            event: pair
            for event, pair in pairs.items()
            if event not in truths or truths[event].champion in (None, champion)
        }
    targets, predictions = np.array(list(pairs.values()), dtype=np.float64).reshape(-1, 2).T
    return {TRUTH: targets, PREDICTION: predictions, "event": list(pairs), IN_ORDER: in_order}
