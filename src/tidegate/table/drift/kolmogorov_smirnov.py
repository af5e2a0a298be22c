"""Kolmogorov-Smirnov: whether two samples of numbers may come of one distribution.

Applies to: numbers; with ties it errs on the quiet side.
Formula: D as in Simple; the p-value is Kolmogorov's tail of D at n m / (n + m) rows, where what the sketches
may have added to D is taken off first.
Source: Smirnov, Bulletin de l'Université de Moscou 2, 1939.
"""

from __future__ import annotations

from tidegate.table.drift.measure import Measured, of_numbers
from tidegate.table.drift.sample import Numbers
from tidegate.table.drift.simple import simple
from tidegate.table.drift.tails import kolmogorov_tail


@of_numbers("kolmogorov_smirnov")
def kolmogorov_smirnov(baseline: Numbers, window: Numbers) -> Measured:
    """Measure D and its p-value.

    >>> found = kolmogorov_smirnov(Numbers.sampled([*range(100)]), Numbers.sampled([*range(25, 125)]))
    >>> round(found.distance, 6), round(found.p_value, 5)
    (0.25, 0.00386)
    """
    distance = simple(baseline, window).distance
    sure = max(0.0, distance - baseline.rank_error - window.rank_error)
    n, m = baseline.rows, window.rows
    return Measured(distance, kolmogorov_tail(sure, n * m / (n + m)))
