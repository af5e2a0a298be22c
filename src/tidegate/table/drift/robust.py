"""Robust: Model Monitor's L∞ distance with an allowance for few values.

Applies to: numbers.
Formula: max(0, D - 1.8 √((n + m) / (n m))), D the Simple distance, n and m the counts of distinct values.
Source: Deequ, `Distance.numericalDistance` with correctForLowNumberOfSamples true; its rank map has one entry
a distinct value, so that is what n and m count there, whatever the rows are.
"""

from __future__ import annotations

import math

from tidegate.table.drift.measure import Measured, of_numbers
from tidegate.table.drift.sample import Numbers
from tidegate.table.drift.simple import simple

ALLOWANCE = 1.8


@of_numbers("robust")
def robust(baseline: Numbers, window: Numbers) -> Measured:
    """Measure the Simple distance less the allowance.

    >>> base, window = Numbers.sampled([*range(100)]), Numbers.sampled([*range(60, 160)])
    >>> round(robust(base, window).distance, 6)
    0.345442
    """
    n, m = baseline.distinct, window.distinct
    return Measured(max(0.0, simple(baseline, window).distance - ALLOWANCE * math.sqrt((n + m) / (n * m))))
