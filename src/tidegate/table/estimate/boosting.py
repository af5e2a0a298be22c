"""Boosted stumps over bins: what is learned is one small table a column, whose entries add up.

Friedman, Annals of Statistics 29, 2001; with one split a round it is an additive model (Hastie, Tibshirani
and Friedman, The Elements of Statistical Learning, 10.11), so that a row costs one look into each table, and
anybody can read what was learned.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tidegate.table.columns import Floats
from tidegate.table.estimate.bins import Bins, Codes

RATE = 0.3
PRIOR = 5.0  # rows that say nothing, in each half of a split
LEAST_ROWS = 10.0  # in each half of a split


@dataclass
class Booster:
    """Learns a quantity of rows whose columns are in bins.

    Attributes
    ----------
    codes : list of array
        The bins of the rows, column by column.
    target : array
        What is learned. With `positive` it is positive and its logarithm adds up: each round multiplies the
        estimate, which minimises the gamma deviance, and an error of three times the scale counts alike for
        cheap and for dear. Otherwise the squared error is minimised.
    weights : array
        How often each row counts.
    """

    bins: Sequence[Bins]
    codes: Sequence[Codes]
    target: Floats
    weights: Floats
    positive: bool = False

    def __post_init__(self) -> None:
        self._starts = np.cumsum([0, *(each.count for each in self.bins)])
        self._of = np.repeat(np.arange(len(self.bins)), np.diff(self._starts))
        self._up_to = _up_to(self.bins)
        mean = float(np.average(self.target, weights=self.weights))
        self.start = float(np.log(mean)) if self.positive else mean
        self._left = self.target / mean if self.positive else self.target - mean
        self.fitted = np.full(len(self.target), self.start)
        self._count = self._sums(self.weights)
        self.tables = [np.zeros(each.count) for each in self.bins]

    def round(self) -> tuple[int, Floats] | None:
        """Split once more; gives the column and what is added to its table, None where nothing is left."""
        if not len(self._of):
            return None
        sums = self._sums(self.weights * self._left)
        total, weight = float(sums.sum()) / len(self.bins), float(self.weights.sum())
        left, count = self._first_halves(sums), self._first_halves(self._count)
        gains, values = zip(self._gain(left, count), self._gain(total - left, weight - count), strict=True)
        gain = np.where((count >= LEAST_ROWS) & (weight - count >= LEAST_ROWS), gains[0] + gains[1], -np.inf)
        best = int(np.argmax(gain))
        if not gain[best] > 1e-9:
            return None
        column = int(self._of[best])
        places, at = np.arange(self.bins[column].count), best - self._starts[column]
        inside = places <= at if self._up_to[best] else places == at
        added = RATE * np.where(inside, values[0][best], values[1][best])
        step = added[self.codes[column]]
        self.fitted += step
        self._left = self._left / np.exp(step) if self.positive else self._left - step
        self.tables[column] += added
        return column, added

    def _gain(self, sums: Floats, count: Floats) -> tuple[Floats, Floats]:
        """Give by how much halves would lessen the loss, and what they would add."""
        if not self.positive:
            value = sums / (count + PRIOR)
            return sums * value, value
        mean = (sums + PRIOR) / (count + PRIOR)
        value = np.log(mean)
        return sums * (1 - 1 / mean) - count * value, value

    def _first_halves(self, sums: Floats) -> Floats:
        """Give the sum over each split's first half; there is a split at every bin."""
        running = np.cumsum(sums)
        before = np.r_[0.0, running][self._starts[:-1]]
        return np.where(self._up_to, running - before[self._of], sums)

    def _sums(self, values: Floats) -> Floats:
        found = np.zeros(self._starts[-1])
        for codes, start, each in zip(self.codes, self._starts, self.bins, strict=False):
            found[start : start + each.count] = np.bincount(codes, values, each.count)
        return found


def looked_up(start: float, tables: Sequence[Floats], codes: Sequence[Codes], rows: int) -> Floats:
    """Add up what the tables say of rows."""
    found = np.full(rows, start)
    for table, places in zip(tables, codes, strict=True):
        found += table[places]
    return found


def _up_to(bins: Sequence[Bins]) -> npt.NDArray[np.bool_]:
    """Say of each bin whether a split there is up to it, as in numbers, or that bin against all others."""
    return np.concatenate(
        [np.r_[np.full(each.count - 1, each.ordered), False] for each in bins] or [np.empty(0, bool)]
    )
