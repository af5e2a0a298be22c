"""Jensen-Shannon: how well one could tell which of two samples a value is from; 0 not at all, 1 surely.

Applies to: numbers, in the baseline's tenths; categories.
Formula: √(½ KL(p, m) + ½ KL(q, m)) in bits, m the mean of p and q.
Source: Lin, IEEE Transactions on Information Theory 37, 1991; the root is a metric (Endres, Schindelin 2003).
"""

from __future__ import annotations

import math

import numpy as np

from tidegate.table.columns import Floats
from tidegate.table.drift.bins import category_shares, number_shares
from tidegate.table.drift.measure import Measured, of_categories, of_numbers
from tidegate.table.drift.sample import Categories, Numbers


@of_numbers("jensen_shannon")
def jensen_shannon_of_numbers(baseline: Numbers, window: Numbers) -> Measured:
    """Measure numbers.

    >>> jensen_shannon_of_numbers(Numbers.sampled([1, 2, 3]), Numbers.sampled([1, 2, 3])).distance
    0.0
    """
    return Measured(_distance(*number_shares(baseline, window)))


@of_categories("jensen_shannon")
def jensen_shannon_of_categories(baseline: Categories, window: Categories) -> Measured:
    """Measure categories.

    >>> jensen_shannon_of_categories(Categories({"a": 9}, 9), Categories({"b": 5}, 5)).distance
    1.0
    """
    return Measured(_distance(*category_shares(baseline, window)))


def _distance(p: Floats, q: Floats) -> float:
    middle = (p + q) / 2
    return math.sqrt(max(0.0, (_divergence(p, middle) + _divergence(q, middle)) / 2))


def _divergence(p: Floats, q: Floats) -> float:
    there = p > 0
    return float((p[there] * np.log2(p[there] / q[there])).sum())
