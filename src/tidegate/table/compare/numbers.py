"""Whether two samples of numbers may come of one distribution: the smallest of three p-values, three times.

- Kolmogorov's and Smirnov's test, by the largest difference of the distribution functions: of any kind of
  change the one that is largest at one place;
- Kuiper's (Tests Concerning Random Points on a Circle, Indagationes Mathematicae 22, 1960), by the sum of the
  largest differences to either side: a spread that grows shows half of itself on each;
- Wilcoxon's (Individual Comparisons by Ranking Methods, Biometrics Bulletin 1, 1945), by how often a number
  of the one is greater than one of the other: a shift of all shows in every rank.

All three know the order of the numbers alone, so that a few that are far off make none of them.
"""

from __future__ import annotations

import math

import numpy as np

from tidegate.table.compare.evidence import Side
from tidegate.table.drift import Numbers
from tidegate.table.drift.simple import apart
from tidegate.table.drift.tails import kolmogorov_tail, kuiper_tail, normal_tail

# Of normal values that follow each other, ranks stay alike for so much longer than sides of the median do, at
# the most: the integral of (2 / π) asin(exp(-t)) is ln 2.
RANKS_LAST = 1 / math.log(2)


def same_numbers(baseline: Side, window: Side) -> float:
    """Give the probability of so different samples by chance."""
    before, now = baseline.numbers, window.numbers
    rows = [side.numbers.rows / side.alike.rows.rows_for_one for side in (baseline, window)]
    effective = rows[0] * rows[1] / (rows[0] + rows[1])
    inexact = before.rank_error + now.rank_error
    below, above = apart(before, now)
    return min(
        1.0,
        3
        * min(
            kolmogorov_tail(max(0.0, max(below, above) - inexact), effective),
            kuiper_tail(max(0.0, below + above - 2 * inexact), effective),
            _by_ranks(baseline, window, inexact),
        ),
    )


def greater(before: Numbers, now: Numbers) -> float:
    """Give how often a number of the second sample is the greater one; where both are the same, half.

    >>> greater(Numbers.sampled([1, 2, 3]), Numbers.sampled([2, 9, 9]))
    0.8333333333333334
    """
    up_to, less = before.below_or_at(now.values), before.below(now.values)
    return float(now.weights @ (up_to + less)) / (2 * now.rows)


def _by_ranks(baseline: Side, window: Side, inexact: float) -> float:
    before, now = baseline.numbers, window.numbers
    one, other = (
        side.numbers.rows / (1 + (side.alike.rows.rows_for_one - 1) * RANKS_LAST)
        for side in (baseline, window)
    )
    far = max(0.0, abs(greater(before, now) - 0.5) - inexact)
    varies = _not_tied(before, now) * (one + other + 1) / (12 * one * other)
    return min(1.0, 2 * normal_tail(far / math.sqrt(varies))) if varies > 0 else 1.0


def _not_tied(before: Numbers, now: Numbers) -> float:
    """Give the share of the variance of ranks that ties leave."""
    values = np.concatenate([before.values, now.values])
    weights = np.concatenate([before.weights, now.weights])
    order = np.argsort(values, kind="stable")
    ordered = values[order]
    starts = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
    tied = np.add.reduceat(weights[order], starts) / weights.sum()
    return float(1 - (tied**3).sum())
