"""PSI, the population stability index: below 0.1 quiet, above 0.25 much, as credit scoring has it.

Applies to: numbers, in the baseline's tenths; categories.
Formula: Σ (q - p) ln(q / p) over the bins, p and q at least 0.0001.
Source: Siddiqi, Credit Risk Scorecards, Wiley 2006; it is Jeffreys' divergence of two histograms.
"""

from __future__ import annotations

import numpy as np

from tidegate.table.columns import Floats
from tidegate.table.drift.bins import category_shares, number_shares
from tidegate.table.drift.measure import Measured, of_categories, of_numbers
from tidegate.table.drift.sample import Categories, Numbers

LEAST_SHARE = 0.0001


@of_numbers("psi")
def psi_of_numbers(baseline: Numbers, window: Numbers) -> Measured:
    """Measure numbers.

    >>> psi_of_numbers(Numbers.sampled([*range(100)]), Numbers.sampled([*range(100)])).distance
    0.0
    """
    return Measured(_psi(*number_shares(baseline, window)))


@of_categories("psi")
def psi_of_categories(baseline: Categories, window: Categories) -> Measured:
    """Measure categories.

    >>> even, odd = Categories({"a": 50, "b": 50}, 100), Categories({"a": 75, "b": 25}, 100)
    >>> round(psi_of_categories(even, odd).distance, 6)
    0.274653
    """
    return Measured(_psi(*category_shares(baseline, window)))


def _psi(p: Floats, q: Floats) -> float:
    there = (p > 0) | (q > 0)
    p, q = np.maximum(p[there], LEAST_SHARE), np.maximum(q[there], LEAST_SHARE)
    return float(((q - p) * np.log(q / p)).sum())
