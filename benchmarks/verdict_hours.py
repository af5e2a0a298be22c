"""Made tables whose truth is known: months of hourly checks, and shifts that begin in one of twenty columns.

The windows are profiles of drawn arrays; `compare` and `Recent` are the functions that the monitor calls.
What reading files adds is measured in `verdict_tables`.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import NormalDist, median
from typing import Any

import numpy as np

from tidegate.core.monitor import DATA_FALSE_ALARMS
from tidegate.table.compare import Comparison, compare
from tidegate.table.constraints import Constraints, suggest
from tidegate.table.profile import Cells, ColumnProfile, Profile
from tidegate.table.profile.frequencies import Frequencies, Numerals
from tidegate.table.profile.value_types import ValueTypes
from tidegate.table.watch.recent import Recent

CHECKS = 90 * 24
NUMBERS, TEXTS, FLAGS = 12, 4, 4
SHARES = np.array([30, 20, 15, 10, 8, 5, 4, 3, 2, 1.5, 1, 0.5]) / 100
LETTERS = np.array(list("abcdefghijkl"))
Columns = dict[str, Any]
Change = Callable[[Columns, np.random.Generator], None]


def drawn(rng: np.random.Generator, rows: int, alike: float = 0.0) -> Columns:
    """Draw rows of twenty columns; `alike` is the correlation of neighbours."""
    numbers = rng.normal(size=(rows, NUMBERS))
    for at in range(1, rows if alike else 0):
        numbers[at] = alike * numbers[at - 1] + np.sqrt(1 - alike**2) * numbers[at]
    # The same latent walk behind categories and flags, so that they are alike too.
    normal = np.vectorize(NormalDist().cdf)
    latent = [normal(numbers[:, at]) for at in range(TEXTS + FLAGS)] if alike else None
    found: Columns = {f"n{at}": numbers[:, at] for at in range(NUMBERS)}
    found["n1"] = np.exp(found["n1"])
    for at in range(TEXTS):
        u = latent[at] if latent else rng.random(rows)
        found[f"c{at}"] = LETTERS[np.minimum(np.searchsorted(np.cumsum(SHARES), u), len(LETTERS) - 1)]
    for at in range(FLAGS):
        u = latent[TEXTS + at] if latent else rng.random(rows)
        found[f"f{at}"] = (u < 0.22).astype(np.float64)
    return found


def profile(columns: Columns) -> Profile:
    """Profile drawn rows; NaN and the empty text are gaps."""
    return Profile(len(columns["n0"]), {name: _column(values) for name, values in columns.items()})


def _column(values: Any) -> ColumnProfile:
    if values.dtype.kind == "f":
        known = values[~np.isnan(values)]
        counted = np.unique(known, return_counts=True)
        few = len(counted[0]) <= 12
        numerals = {str(int(v)): int(c) for v, c in zip(*counted, strict=True)} if few else None
        kinds = {"integral" if few else "fractional": len(known), "missing": len(values) - len(known)}
        return ColumnProfile.of(Cells(ValueTypes(**kinds), known, Numerals(numerals)))
    present = values[values != ""]
    texts, counts = np.unique(present, return_counts=True)
    counted_texts = Frequencies(dict(zip(texts.tolist(), counts.tolist(), strict=True)))
    return ColumnProfile.of(
        Cells(ValueTypes(string=len(present), missing=len(values) - len(present)), texts=counted_texts)
    )


class Watch:
    """A model that is checked again and again, as the function `compare_window` does it."""

    def __init__(self, baseline: Profile, rate: float | None = DATA_FALSE_ALARMS) -> None:
        self._baseline, self._rate = baseline, rate
        self._rules = Constraints.read(suggest(baseline))
        self._recent, self._kept, self._checks = Recent(), {}, 0

    def check(self, window: Profile) -> Comparison:
        """Make the next check."""
        before = self._recent.before([self._kept[place] for place in self._recent.places])
        more = {"before": before, "fronts": self._recent.fronts, "false_alarms": self._rate}
        found = compare(self._baseline, self._rules, window, **more)
        self._checks += 1
        place = str(self._checks)
        newer = self._kept.get(self._recent.newer)
        self._recent, self._kept[place] = self._recent.after(newer, window, place, found.denied, found.fronts)
        self._kept = {place: self._kept[place] for place in self._recent.places}
        return found


def quiet(
    times: int,
    checks: int,
    rows: int,
    of: int,
    alike: float = 0.0,
    minutes: float = 60.0,
    stretch: float = 1.0,
) -> dict[str, Any]:
    """Count the alarms in months of hourly checks of a world that does not change.

    Parameters
    ----------
    times : int
        How many months; fewer where the minutes are over before.
    stretch : float
        At so many times the rate of an hourly check: more alarms tell sooner whether they are too many.
    """
    alarms, ends = [], time.monotonic() + 60 * minutes
    for seed in range(times):
        if alarms and time.monotonic() + (time.monotonic() - ends + 60 * minutes) / len(alarms) > ends:
            break
        rng = np.random.default_rng(seed)
        watch = Watch(profile(drawn(rng, of)), DATA_FALSE_ALARMS * stretch)
        told = [watch.check(profile(drawn(rng, rows, alike))).violations for _ in range(checks)]
        alarms.append(sum(map(bool, told)))
    return {
        "times": len(alarms),
        "checks": checks,
        "rows": rows,
        "baseline": of,
        "alike": alike,
        "stretch": stretch,
        "alarms": alarms,
        "in_90_days": sum(alarms) / len(alarms) * CHECKS / checks,
        "allowed": DATA_FALSE_ALARMS * stretch * CHECKS,
    }


def rows_until_found(distance: float, times: int, rows: int, of: int, most: int = 12_000) -> dict[str, Any]:
    """Tell after how many rows a shift of one of twenty columns is found, that begins at any time."""
    by = 2 * NormalDist().inv_cdf((distance + 1) / 2)  # of two normal distributions at this distance
    took = []
    for seed in range(times):
        rng = np.random.default_rng(seed)
        watch = Watch(profile(drawn(rng, of)))
        for _ in range(int(rng.integers(3, 15))):
            watch.check(profile(drawn(rng, rows)))
        seen, found = 0, False
        while not found and seen < most:
            columns = drawn(rng, rows)
            columns["n0"] += by
            found = any("n0" in each.columns for each in watch.check(profile(columns)).violations)
            seen += rows
        took.append(seen if found else most * 10)
    return {"distance": distance, "times": times, "rows": rows, "baseline": of, "median": median(took)}


def _mean(columns: Columns, _: np.random.Generator) -> None:
    columns["n0"] += 0.5


def _spread(columns: Columns, _: np.random.Generator) -> None:
    columns["n0"] *= 1.7


def _share(columns: Columns, rng: np.random.Generator) -> None:
    columns["c0"][rng.random(len(columns["c0"])) < 0.2] = "d"


def _new(columns: Columns, rng: np.random.Generator) -> None:
    columns["c0"] = np.where(rng.random(len(columns["c0"])) < 0.04, "new", columns["c0"])


def _flag(columns: Columns, rng: np.random.Generator) -> None:
    columns["f0"] = (rng.random(len(columns["f0"])) < 0.40).astype(np.float64)


def _gaps(columns: Columns, rng: np.random.Generator) -> None:
    columns["n0"][rng.random(len(columns["n0"])) < 0.05] = np.nan


def _unit(columns: Columns, _: np.random.Generator) -> None:
    columns["n1"] *= 1.6


def _bias(columns: Columns, _: np.random.Generator) -> None:
    columns["n2"] += 0.3  # stands for the prediction: three tenths of its deviation too high


CHANGES: dict[str, tuple[Change, str]] = {
    "mean + 0.5 deviations": (_mean, "n0"),
    "spread × 1.7": (_spread, "n0"),
    "a category 10 % → 28 %": (_share, "c0"),
    "a new category, 4 %": (_new, "c0"),
    "a flag 22 % → 40 %": (_flag, "f0"),
    "gaps 0 % → 5 %": (_gaps, "n0"),
    "another unit, × 1.6": (_unit, "n1"),
    "predictions + 0.3 deviations": (_bias, "n2"),
}
POWER_SIZES = (200, 500, 1000, 5000)
