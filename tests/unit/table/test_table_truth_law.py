"""Truth comes late, in parts, again and corrected: each prediction ends with the newest, and counts once."""

from __future__ import annotations

import csv
import math
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tidegate.table.quality.errors import RegressionErrors
from tidegate.table.watch.known import Known
from tidegate.table.watch.labels import Labels
from tidegate.table.watch.matching import Window, match, pairs_of

NAMES = ["a", "b", "7"]


class Made(NamedTuple):
    """A prediction."""

    row_id: str
    at: int  # minutes

    def written(self, number: int) -> dict[str, object]:
        event = f"e{number}"
        return {
            "event": event,
            "at": minute(self.at),
            "prediction_id": f"{event}/0",
            "request_id": None,
            "row_id": self.row_id,
            "prediction": float(number),
        }


class Dropped(NamedTuple):
    """A file of truth: when it was dropped, and what it says."""

    at: int
    rows: tuple[tuple[str, float], ...]


def minute(at: int) -> str:
    return f"2026-05-04T10:{at:02d}:00"


def came(at: int, file: Dropped) -> str:
    return f"{minute(file.at)} {at:03d}"


def expected(made: Sequence[Made], files: Sequence[Dropped]) -> dict[str, float]:
    """Say what each prediction's truth is, straight from the rule."""
    found: dict[str, tuple[tuple[str, int], float]] = {}
    for number, file in enumerate(files):
        for row, (name, value) in enumerate(file.rows):
            named = [
                (each.at, at)
                for at, each in enumerate(made)
                if name in (each.row_id, f"e{at}/0") or (name == "7.0" and each.row_id == "7")
            ]
            before = [each for each in named if each[0] <= file.at]
            if not named:
                continue
            event = f"e{max(before, key=lambda each: each[1])[1] if before else min(named)[1]}"
            order = (came(number, file), row)
            if event not in found or found[event][0] < order:
                found[event] = order, value
    return {event: value for event, (_, value) in found.items()}


class Watch:
    """Checks one after the other, as the function makes them."""

    def __init__(self, folder: Path, windows: Sequence[Sequence[dict[str, object]]]) -> None:
        self.folder, self.known, self.pool = folder, Known(), []
        self.waiting: Path | None = None
        self.windows = [self._window(at, rows) for at, rows in enumerate(windows)]
        self.checks = 0

    def _window(self, number: int, rows: Sequence[dict[str, object]]) -> Window:
        path = self.folder / f"window-{number}.parquet"
        texts = ("event", "at", "prediction_id", "request_id", "row_id")
        schema = pa.schema([*((name, pa.string()) for name in texts), ("prediction", pa.float64())])
        pq.write_table(pa.Table.from_pylist(list(rows), schema=schema), path)
        return Window(number, "m1", lambda: path)

    def check(self, files: Sequence[tuple[str, Dropped]]) -> dict[str, int]:
        labels, before = Labels(), 0
        if self.waiting:
            before = labels.add(self.waiting)
        for name, file in files:
            path = self.folder / "truth.csv"
            with path.open("w", newline="") as out:
                csv.writer(out).writerows([("id", "target"), *file.rows])
            before += labels.add(path, name)
        out = self.folder / f"truth-{self.checks}.parquet"
        out.unlink(missing_ok=True)  # of another example
        self.checks += 1
        result = match(labels, list(reversed(self.windows)), self.known, out)
        if out.exists():
            self.pool.append(out)
        self.known.write(self.folder / "known.parquet")
        self.known = Known.read(self.folder / "known.parquet")
        self.waiting = self.folder / "waiting.csv"
        labels.write(self.waiting)
        counts = {each: result.total(each) for each in ("matched", "corrected", "repeated")}
        assert before == sum(counts.values()) + len(labels), "each label fares in one way"
        return counts


values = st.integers(0, 5).map(float)
names = st.sampled_from([*NAMES, "7.0", "e0/0", "e2/0", "nobody"])
drops = st.builds(Dropped, st.integers(0, 50), st.lists(st.tuples(names, values), max_size=4).map(tuple))


@pytest.mark.slow
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    made=st.lists(st.builds(Made, st.sampled_from(NAMES), st.integers(0, 50)), min_size=1, max_size=6),
    cut=st.integers(0, 6),
    files=st.lists(drops, max_size=5),
    order=st.randoms(use_true_random=False),
)
def test_whatever_the_order_and_repetition_of_files_each_prediction_has_the_newest_truth_once(
    tmp_path, made, cut, files, order
):
    made = sorted(made, key=lambda each: each.at)
    rows = [each.written(at) for at, each in enumerate(made)]
    watch = Watch(tmp_path, [rows[:cut], rows[cut:], []])
    todo = [(came(at, each), each) for at, each in enumerate(files)]
    todo += order.sample(todo, len(todo) // 2)
    order.shuffle(todo)
    counts: dict[str, int] = {"matched": 0, "corrected": 0, "repeated": 0}
    while todo:
        some = order.randint(1, len(todo))
        for what, times in watch.check(todo[:some]).items():
            counts[what] += times
        todo = todo[some:]
    wanted = expected(made, files)
    assert {event: truth.target for event, truth in watch.known.truths.items()} == wanted
    assert counts["matched"] == len(wanted)
    pairs = pairs_of(watch.pool, watch.known, "m1")
    truth = np.array(list(wanted.values()))
    answers = np.array([float(event[1:]) for event in wanted])
    assert sorted(zip(pairs["target"], pairs["prediction"], strict=True)) == sorted(
        zip(truth, answers, strict=True)
    )
    so_far = watch.known.so_far("m1")
    if wanted:
        assert so_far["rows"] == len(wanted)
        for name, value in RegressionErrors.of(truth, answers).metrics().items():
            assert so_far["metrics"][name] == pytest.approx(value, nan_ok=True) or math.isnan(value)
    else:
        assert so_far is None


def test_an_id_that_is_predicted_every_week_gets_each_weeks_truth(tmp_path):
    weeks = [Made("a", 10), Made("a", 20)]
    rows = [each.written(at) for at, each in enumerate(weeks)]
    files = [Dropped(15, (("a", 1.0),)), Dropped(25, (("a", 2.0),))]
    named = [(came(at, each), each) for at, each in enumerate(files)]
    for batches in ([named], [named[:1], named[1:]], [named[1:], named[:1]], [named[::-1]]):
        watch = Watch(tmp_path, [rows[:1], rows[1:]])
        for batch in batches:
            watch.check(batch)
        assert {event: truth.target for event, truth in watch.known.truths.items()} == {"e0": 1.0, "e1": 2.0}


def test_truth_that_came_before_its_prediction_waits_for_it_and_one_prediction_takes_it(tmp_path):
    early = Dropped(5, (("a", 1.0), ("b", 2.0)))
    watch = Watch(tmp_path, [[]])
    assert watch.check([(came(0, early), early)])["matched"] == 0
    watch.windows.append(watch._window(1, [Made("a", 10).written(0), Made("a", 11).written(1)]))
    assert watch.check([])["matched"] == 1
    assert {event: truth.target for event, truth in watch.known.truths.items()} == {"e0": 1.0}


def test_what_is_known_of_an_earlier_model_says_nothing_of_this_one(tmp_path):
    watch = Watch(tmp_path, [[Made("a", 10).written(0)], [Made("b", 10).written(1)]])
    watch.windows = [watch.windows[0], watch.windows[1]._replace(champion="m2")]
    file = Dropped(15, (("a", 9.0), ("b", 1.0)))
    watch.check([(came(0, file), file)])
    assert pairs_of(watch.pool, watch.known, "m2")["target"].tolist() == [1.0]
    assert watch.known.so_far("m2")["rows"] == 1
