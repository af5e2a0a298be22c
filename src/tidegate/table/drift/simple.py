"""Simple: Model Monitor's L∞ distance of two distribution functions of numbers.

Applies to: numbers.
Formula: D = max over x of |F(x) - G(x)|, F and G the shares of the numbers up to x.
Source: Deequ, `Distance.numericalDistance` with correctForLowNumberOfSamples false
(https://github.com/awslabs/deequ, Apache-2.0); the statistic is Smirnov's (1939).
"""

from __future__ import annotations

import numpy as np

from tidegate.table.drift.measure import Measured, of_numbers
from tidegate.table.drift.sample import Numbers


@of_numbers("simple")
def simple(baseline: Numbers, window: Numbers) -> Measured:
    """Measure the largest difference of the distribution functions.

    >>> simple(Numbers.sampled([1, 2, 3, 4]), Numbers.sampled([3, 4, 5, 6])).distance
    0.5
    """
    _, before, now = farthest(baseline, window)
    return Measured(abs(before - now))


def apart(baseline: Numbers, window: Numbers) -> tuple[float, float]:
    """Give by how much the window's distribution function lies at most below the baseline's, and above.

    >>> apart(Numbers.sampled([1, 2, 3, 4]), Numbers.sampled([0, 2.5, 2.5, 9]))
    (0.25, 0.25)
    """
    points = np.concatenate([baseline.values, window.values])
    found = window.below_or_at(points) - baseline.below_or_at(points)
    return max(0.0, -float(found.min())), max(0.0, float(found.max()))


def farthest(baseline: Numbers, window: Numbers) -> tuple[float, float, float]:
    """Give the number at which the distribution functions differ most, and both of them there.

    >>> farthest(Numbers.sampled([1, 2, 3, 4]), Numbers.sampled([3, 4, 5, 6]))
    (2.0, 0.5, 0.0)
    """
    points = np.concatenate([baseline.values, window.values])
    before, now = baseline.below_or_at(points), window.below_or_at(points)
    most = int(np.abs(before - now).argmax())
    return float(points[most]), float(before[most]), float(now[most])
