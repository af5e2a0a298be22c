"""Wasserstein: how far the mass of numbers has to be moved, in standard deviations of the baseline.

Applies to: numbers.
Formula: ∫ |F(x) - G(x)| dx / s, s the baseline's standard deviation (1 where it never varies).
Source: Vallender, Theory of Probability and its Applications 18, 1974; Evidently normalises it the same way.
"""

from __future__ import annotations

import numpy as np

from tidegate.table.drift.measure import Measured, of_numbers
from tidegate.table.drift.sample import Numbers


@of_numbers("wasserstein")
def wasserstein(baseline: Numbers, window: Numbers) -> Measured:
    """Measure the mean distance that the mass moves.

    >>> round(wasserstein(Numbers.sampled([0, 2]), Numbers.sampled([1, 3])).distance, 6)
    1.0
    """
    points = np.union1d(baseline.values, window.values)
    apart = np.abs(baseline.below_or_at(points) - window.below_or_at(points))[:-1]
    mean = float(np.average(baseline.values, weights=baseline.weights))
    spread = float(np.sqrt(np.average((baseline.values - mean) ** 2, weights=baseline.weights)))
    return Measured(float((apart * np.diff(points)).sum()) / (spread or 1.0))
