"""How large a regression's errors will turn out to be, before their truth comes.

Direct loss estimation, as NannyML has it: the absolute error of the held-out rows is learned from their
columns and the prediction, and what was learned is asked about rows whose truth is not known. It tells that
rows came of a kind for which the model errs more or less. It cannot tell that the world has changed so that
the same rows now come to something else: only truth does.

Several models are learned, each of a resample of the rows (Breiman, Machine Learning 24, 1996). On the rows
that a resample left out it is measured how sure the estimate is, so that nothing is judged by what it was
learned from.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tidegate.table.columns import Column, Floats, Indices
from tidegate.table.estimate.bins import Bins, Codes, coded, cut
from tidegate.table.estimate.boosting import Booster, looked_up

LEAST_ROWS = 60  # held-out rows of which anything is learned
MOST_ROWS = 6_000
BAGS = 12
MOST_ROUNDS = 100
PARTS = 5  # of the rows by one column, in which it is looked how far estimates are off
PATIENCE = 10  # rounds that bring nothing new on the rows left out
CONFIDENCE = 0.95
_SURE, _OF_BAGS = 1.96, 2.20  # normal, and Student with 11 degrees
METRICS = ("mae", "rmse")


@dataclass(frozen=True)
class Estimator:
    """What was learned of a model's errors.

    Attributes
    ----------
    starts, tables : sequence
        Of each resample: the logarithm of the error to begin with, and what each column's bins add to it.
    scale : float
        What the estimates are multiplied by to be right in the mean over the held-out rows.
    square : float
        The mean squared error of rows whose absolute error is estimated to be 1.
    square_unsure : float
        How unsure that is, as a share of it.
    spread, square_spread : float
        The variance of errors, and of squared ones, as shares of the estimates' squares.
    rows : int
        The held-out rows it was learned from.
    bias : float
        By how much estimates are off, as a share, for a part of the rows that a column tells apart.
    """

    bins: tuple[Bins, ...]
    starts: tuple[float, ...]
    tables: tuple[tuple[Floats, ...], ...]
    scale: float
    square: float
    square_unsure: float
    spread: float
    square_spread: float
    rows: int
    bias: float = 0.0

    def errors(self, columns: Mapping[str, Column], rows: int) -> Floats:
        """Give the absolute error that is expected of each row, in units of `scale`: resample × row."""
        codes = coded(self.bins, columns, rows)
        found = [
            looked_up(start, tables, codes, rows)
            for start, tables in zip(self.starts, self.tables, strict=True)
        ]
        return np.exp(np.array(found))

    def to_dict(self) -> dict[str, Any]:
        """Give the JSON form."""
        facts = ("scale", "square", "square_unsure", "spread", "square_spread", "rows", "bias")
        return {
            "version": 1,
            "bins": [each.to_dict() for each in self.bins],
            "starts": list(self.starts),
            "tables": [[table.tolist() for table in tables] for tables in self.tables],
            **{name: getattr(self, name) for name in facts},
        }

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> Estimator:
        """Read the JSON form."""
        facts = {name: each for name, each in document.items() if name not in ("version", "bins", "tables")}
        return cls(
            **{**facts, "starts": tuple(document["starts"])},
            bins=tuple(map(Bins.from_dict, document["bins"])),
            tables=tuple(
                tuple(np.array(table, dtype=np.float64) for table in tables) for tables in document["tables"]
            ),
        )


@dataclass
class Expected:
    """What is expected of some rows, as sums that add: rows are read block by block."""

    estimator: Estimator
    rows: int = 0

    def __post_init__(self) -> None:
        bags = len(self.estimator.starts)
        self._first, self._second = np.zeros(bags), np.zeros(bags)
        self._mean = np.zeros(3)  # of the resamples' mean: its first, second and fourth powers

    def add(self, columns: Mapping[str, Column], rows: int) -> None:
        """Add rows."""
        found = self.estimator.errors(columns, rows)
        mean = found.mean(axis=0)
        self.rows += rows
        self._first += found.sum(axis=1)
        self._second += (found**2).sum(axis=1)
        self._mean += [mean.sum(), (mean**2).sum(), (mean**4).sum()]

    def metrics(self) -> dict[str, dict[str, float]]:
        """Give the mean absolute and the root mean squared error that truth would show, each an interval.

        The interval is as wide as the chance of these rows, that of the held-out ones, and what estimates
        were off by in parts of those make it.
        """
        if not self.rows:
            return {}
        known = self.estimator
        first, second, fourth = self._mean
        of_bags = np.std(np.log(self._first), ddof=1), np.std(np.log(self._second), ddof=1)
        of_rows = (
            math.sqrt(known.spread * second) / first,
            math.sqrt(known.square_spread * fourth) / second,
        )
        absolute = known.scale * first / self.rows
        squared = known.scale * math.sqrt(known.square * second / self.rows)
        wide = (
            math.hypot(_OF_BAGS * float(of_bags[0]), _SURE * of_rows[0], _SURE * known.bias),
            math.hypot(
                _OF_BAGS * float(of_bags[1]) / 2,
                _SURE * of_rows[1] / 2,
                _SURE * known.square_unsure / 2,
                _SURE * known.bias,
            ),
        )
        values = absolute, squared
        return {
            name: {
                "value": float(value),
                "low": float(value * math.exp(-width)),
                "high": float(value * math.exp(width)),
            }
            for name, value, width in zip(METRICS, values, wide, strict=True)
        }


def learn(columns: Mapping[str, Column], errors: Floats) -> Estimator | None:
    """Learn how large errors are; None of too few rows, or where the model never errs.

    Parameters
    ----------
    columns : mapping of str to Column
        The held-out rows: the model's inputs, and its prediction.
    errors : array
        The absolute error of each row.
    """
    rows = min(len(errors), MOST_ROWS)
    if rows < LEAST_ROWS or not np.isfinite(errors).all() or not errors.any():
        return None
    # The rows lie as they were dropped, maybe sorted; some of them are some of all.
    chosen = np.sort(np.random.default_rng(len(errors)).permutation(len(errors))[:rows])
    unit = float(errors[chosen].max()) or 1.0
    errors = errors[chosen] / unit
    columns = {name: column.take(chosen) for name, column in columns.items()}
    bins = cut(columns)
    codes = coded(bins, columns, rows)
    bags, outside = _bags(bins, codes, errors)
    updates = _boosted(bags, outside, errors)
    tables = [_tables(bins, each) for each in updates]
    found = np.array([looked_up(bag.start, of, codes, rows) for bag, of in zip(bags, tables, strict=True)])
    measured = _measured(bins, [bag.start for bag in bags], tables, np.exp(found), outside, errors, codes)
    return replace(measured, scale=measured.scale * unit)


def _bags(
    bins: Sequence[Bins], codes: Sequence[Codes], errors: Floats
) -> tuple[list[Booster], list[Indices]]:
    """Draw resamples, each with the rows that it leaves out."""
    rows = len(errors)
    rng = np.random.default_rng(rows)
    bags: list[Booster] = []
    outside: list[Indices] = []
    while len(bags) < BAGS:
        weights = np.bincount(rng.integers(0, rows, rows), minlength=rows).astype(np.float64)
        if not (weights @ errors) > 0:
            continue  # only rows without any error
        bags.append(Booster(bins, codes, errors, weights, positive=True))
        outside.append(np.flatnonzero(weights == 0))
    return bags, outside


def _boosted(
    bags: Sequence[Booster], outside: Sequence[Indices], errors: Floats
) -> list[list[tuple[int, Floats]]]:
    """Boost all resamples side by side, as long as the rows that each leaves out are told better."""
    updates: list[list[tuple[int, Floats]]] = [[] for _ in bags]
    best, at = _deviance(bags, outside, errors), 0
    for number in range(1, MOST_ROUNDS + 1):
        steps = [bag.round() for bag in bags]
        for step, kept in zip(steps, updates, strict=True):
            if step is not None:
                kept.append(step)
        if all(step is None for step in steps):
            break
        now = _deviance(bags, outside, errors)
        if now < best:
            best, at = now, number
        elif number - at >= PATIENCE:
            break
    return [kept[:at] for kept in updates]


def _deviance(bags: Sequence[Booster], outside: Sequence[Indices], errors: Floats) -> float:
    total = 0.0
    for bag, out in zip(bags, outside, strict=True):
        fitted = bag.fitted[out]
        total += float((errors[out] * np.exp(-fitted) + fitted).sum())
    return total


def _tables(bins: Sequence[Bins], updates: Sequence[tuple[int, Floats]]) -> tuple[Floats, ...]:
    tables = [np.zeros(each.count) for each in bins]
    for column, added in updates:
        tables[column] += added
    return tuple(tables)


def _measured(
    bins: Sequence[Bins],
    starts: Sequence[float],
    tables: Sequence[tuple[Floats, ...]],
    found: Floats,
    outside: Sequence[Indices],
    errors: Floats,
    codes: Sequence[Codes],
) -> Estimator:
    """Measure on the rows that resamples left out how sure their estimates are."""
    total, times = np.zeros(len(errors)), np.zeros(len(errors))
    for estimates, out in zip(found, outside, strict=True):
        total[out] += estimates[out]
        times[out] += 1
    seen = times > 0
    honest, true = total[seen] / times[seen], errors[seen]
    scale = float(true.sum() / honest.sum()) or 1.0
    honest *= scale
    square = float((true**2).sum() / (honest**2).sum())
    left = true**2 - square * honest**2
    return Estimator(
        tuple(bins),
        tuple(starts),
        tuple(tables),
        scale,
        square,
        float(np.sqrt((left**2).sum()) / (true**2).sum()) if true.any() else 0.0,
        float(np.mean((true / honest - 1) ** 2)),
        float(np.mean((left / (square * honest**2)) ** 2)) if square else 0.0,
        len(errors),
        _bias(honest, true, [each[seen] for each in codes]),
    )


def _bias(estimates: Floats, true: Floats, codes: Sequence[Codes]) -> float:
    """Tell by how much estimates are off in parts of the rows, beyond what chance explains.

    A window that is of one part is off by as much. Of each column the rows are cut in fifths; the mean over
    all of them counts, as nobody knows along which column rows will shift.
    """
    excess = []
    for each in codes:
        fifth = np.minimum(np.argsort(np.argsort(each, kind="stable")) * PARTS // len(each), PARTS - 1)
        expected = np.bincount(fifth, estimates, PARTS)
        found = np.bincount(fifth, true, PARTS)
        left = np.bincount(fifth, (true - estimates) ** 2, PARTS)
        excess.append(float(np.mean((found / expected - 1) ** 2 - left / expected**2)))
    return math.sqrt(max(0.0, float(np.mean(excess)))) if excess else 0.0
