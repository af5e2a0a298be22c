"""Models whose quality is known: months of checks with truth, and a quality that falls at once or slowly.

Each check has the truth of so many rows; `judge` and `Known` are what the function `match_truth` calls.
"""

from __future__ import annotations

from statistics import median
from typing import Any

import numpy as np

from tidegate.core.monitor import QUALITY_FALSE_ALARMS
from tidegate.table.quality.answers import Answers, quality_files
from tidegate.table.watch.known import Known, Truth
from tidegate.table.watch.quality import judge

HELD_OUT = 2000
KEPT = 20  # checks, of which no more than the last 3,000 truths are asked
Pairs = dict[str, Any]


def truths(rng: np.random.Generator, rows: int, worse: float = 1.0, alike: float = 0.0) -> Pairs:
    """Draw truths with predictions whose errors are so much larger than at training; R² was .8."""
    truth, errors = (walk(rng, rows, alike) for _ in range(2))
    return {"target": truth, "prediction": truth + worse * errors / 2, "in_order": True}


def walk(rng: np.random.Generator, rows: int, alike: float) -> Any:
    """Draw normal values whose neighbours are correlated."""
    found = rng.normal(size=rows)
    for at in range(1, rows if alike else 0):
        found[at] = alike * found[at - 1] + np.sqrt(1 - alike**2) * found[at]
    return found


class QualityWatch:
    """A model whose truth comes again and again, as the function `match_truth` judges it."""

    def __init__(self, rng: np.random.Generator, rate: float = QUALITY_FALSE_ALARMS) -> None:
        held = truths(rng, HELD_OUT)
        answers = Answers.of_numbers("Regression", held["target"], held["prediction"])
        self._statistics, self._rules = quality_files(answers)
        self._rate, self._known, self._since, self._checks = rate, Known(), "", 0

    def check(self, pairs: Pairs) -> dict[str, Any]:
        """Judge the truths of the next check."""
        self._checks += 1
        came = f"{self._checks:06}"
        events = [f"{came}-{at}" for at in range(len(pairs["target"]))]
        for event, target, prediction in zip(events, pairs["target"], pairs["prediction"], strict=True):
            self._known.truths[event] = Truth(self._checks, "m", float(prediction), float(target), came)
        self._known = self._known.only(range(self._checks - KEPT, self._checks + 1))
        before = self._known.before("m", events, self._since)
        found = judge(pairs, {}, self._rules, 200, self._statistics, self._rate, before)
        if found["denied"]:
            self._since = self._known.since(events)
        return found


def steady(times: int, checks: int, rows: int, alike: float, rate: float) -> dict[str, Any]:
    """Count the alarms of a model that is as good as it was."""
    alarms = []
    for seed in range(times):
        rng = np.random.default_rng(seed)
        watch = QualityWatch(rng, rate)
        told = [watch.check(truths(rng, rows, alike=alike))["verdict"] for _ in range(checks)]
        alarms.append(told.count("drift"))
    return {"times": times, "checks": checks, "rows": rows, "alike": alike, "rate": rate, "alarms": alarms}


def until_found(times: int, rows: int, by: float, over: int, most: int = 120) -> dict[str, Any]:
    """Tell after how many truths errors that grow by so much, over so many checks, are found."""
    took = []
    for seed in range(times):
        rng = np.random.default_rng(seed)
        watch = QualityWatch(rng)
        for _ in range(int(rng.integers(3, 15))):
            watch.check(truths(rng, rows))
        checks = 0
        while checks < most:
            checks += 1
            if watch.check(truths(rng, rows, 1 + by * min(1.0, checks / over)))["verdict"] == "drift":
                break
        took.append(checks * rows)
    return {"by": by, "over": over, "rows": rows, "median": median(took), "took": took}
