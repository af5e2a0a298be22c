"""Whether categories have other shares than before, and by how much.

The test joins two: Pearson's χ² over all categories of which ten may be expected on either side, the rarer
ones together, and Fisher's exact test of each category against all others (times their number, Bonferroni).
The first finds what is spread over many categories, the second what happened to one, however rare; their
smaller p-value counts twice. Two categories are compared by Fisher's test alone.

The effect is the larger of two: the largest change of one share (L∞), and the total variation, the share of
rows that would have to be other ones, less what chance alone gives rows so few.
"""

from __future__ import annotations

import math
from functools import cached_property

import numpy as np

from tidegate.table.columns import Floats
from tidegate.table.drift import Categories
from tidegate.table.drift.sample import all_names
from tidegate.table.drift.tails import chi_squared_tail, more_marked, other_share

LEAST_EXPECTED = 10.0  # twice Cochran's five, as the tail is asked for far out
LOOKED_AT = 3  # of each category's own tests the few that differ most


class SharesChanged:
    """A change of shares: how much, and how probable so much is by chance.

    Parameters
    ----------
    rows_for_one_before, rows_for_one : float
        How many of the baseline's and of the window's rows tell as much as one independent row.
    """

    def __init__(
        self,
        baseline: Categories,
        window: Categories,
        rows_for_one_before: float = 1.0,
        rows_for_one: float = 1.0,
    ) -> None:
        names = all_names(baseline, window)
        counts = np.array(
            [[side.counts.get(name, 0) for name in names] for side in (baseline, window)], float
        )
        self._rows = np.array([baseline.rows, window.rows])
        self._counts = np.column_stack([counts, np.maximum(0.0, self._rows - counts.sum(axis=1))])
        self._told = self._rows / (rows_for_one_before, rows_for_one)
        common = _common(self._counts, self._rows, self._told)
        self._table = np.column_stack([self._counts[:, common], self._counts[:, ~common].sum(axis=1)])
        self._lost = np.array([baseline.lost, window.lost]) / self._rows

    @cached_property
    def effect(self) -> float:
        """By how much they have changed."""
        return _effect(self._table / self._rows[:, None], self._told, float(self._lost.sum()))

    @cached_property
    def p_value(self) -> float:
        """The probability of so much by chance."""
        single = _one_by_one(self._counts, self._rows, self._told, self._lost)
        shares = self._table[:, self._table.sum(axis=0) > 0]
        if shares.shape[1] < 3 or self._lost.any():
            return single
        many = _chi_squared(shares / self._rows[:, None] * self._told[:, None])
        return min(1.0, 2 * min(single, many))


def _common(counts: Floats, rows: Floats, told: Floats) -> np.ndarray:
    """Tell of which categories enough are to be expected on either side, had nothing changed."""
    both = (counts / rows[:, None] * told[:, None]).sum(axis=0) / told.sum()
    found: np.ndarray = both * told.min() >= LEAST_EXPECTED
    found[-1] = False  # what is not known one by one
    return found


def _effect(shares: Floats, told: Floats, lost: float) -> float:
    apart = np.abs(shares[1] - shares[0])
    both = (shares * told[:, None]).sum(axis=0) / told.sum()
    chance = np.sqrt(2 / math.pi * both * (1 - both) * (1 / told).sum())
    return max(0.0, float(apart[:-1].max(initial=0.0)) - lost, float(apart.sum() - chance.sum()) / 2 - lost)


def _one_by_one(counts: Floats, rows: Floats, told: Floats, lost: Floats) -> float:
    """Test the categories that changed most, each against all others, each count as unlike as it may be."""
    shares = counts[:, :-1] / rows[:, None]
    kinds = shares.shape[1]
    if not kinds:
        return 1.0
    more = shares[1] > shares[0]
    low = np.where(more, np.minimum(shares[0] + lost[0], 1), shares[0])
    high = np.where(more, shares[1], np.minimum(shares[1] + lost[1], 1))
    both = (low * told[0] + high * told[1]) / told.sum()
    spread = np.sqrt(np.maximum(both * (1 - both), 1 / told.sum()) * (1 / told).sum())
    surely = np.where(more, high - low, low - high) / spread
    least = 1.0
    for at in np.argsort(-surely)[:LOOKED_AT]:
        if surely[at] > 0:
            marked, before = round(high[at] * told[1]), round(low[at] * told[0])
            least = min(least, _apart(marked, round(told[1]), before, round(told[0]), kinds))
    return least


def _apart(marked: int, rows: int, before: int, rows_before: int, kinds: int) -> float:
    if kinds <= 2:  # of two the one is what the other is not
        return other_share(marked, rows, before, rows_before)
    more = more_marked(marked, rows, before, rows_before)
    fewer = more_marked(rows - marked, rows, rows_before - before, rows_before)
    return min(1.0, 2 * kinds * min(more, fewer))


def _chi_squared(table: Floats) -> float:
    rows = table.sum(axis=1, keepdims=True)
    expected = table.sum(axis=0) * rows / rows.sum()
    statistic = float(((table - expected) ** 2 / expected).sum())
    return chi_squared_tail(statistic, table.shape[1] - 1)
