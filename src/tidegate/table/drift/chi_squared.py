"""χ²: whether two samples of categories may come of one distribution.

Applies to: categories; those too rare to expect five of are taken together (Cochran, Biometrics 10, 1954).
Formula: Σ (observed - expected)² / expected over both samples; the distance is Cramér's V, √(χ² / rows).
Source: Pearson, Philosophical Magazine 50, 1900; Cramér, Mathematical Methods of Statistics, 1946.
"""

from __future__ import annotations

import math

import numpy as np

from tidegate.table.drift.bins import category_shares
from tidegate.table.drift.measure import Measured, of_categories
from tidegate.table.drift.sample import Categories
from tidegate.table.drift.tails import chi_squared_tail

LEAST_EXPECTED = 5.0


@of_categories("chi_squared")
def chi_squared(baseline: Categories, window: Categories) -> Measured:
    """Measure Cramér's V and the p-value of χ²; there is none where not all counts are known.

    >>> found = chi_squared(Categories({"a": 60, "b": 40}, 100), Categories({"a": 40, "b": 60}, 100))
    >>> round(found.distance, 6), round(found.p_value, 6)
    (0.2, 0.004678)
    """
    counts = np.stack(category_shares(baseline, window)) * [[baseline.rows], [window.rows]]
    rows = counts.sum(axis=1, keepdims=True)
    rare = counts.sum(axis=0) * rows.min() / rows.sum() < LEAST_EXPECTED
    table = np.column_stack([counts[:, ~rare], counts[:, rare].sum(axis=1)])
    table = table[:, table.sum(axis=0) > 0]
    if table.shape[1] < 2:
        return Measured(0.0, 1.0)
    expected = table.sum(axis=0) * rows / rows.sum()
    statistic = float(((table - expected) ** 2 / expected).sum())
    known = not (baseline.lost or window.lost)
    tail = chi_squared_tail(statistic, table.shape[1] - 1) if known else None
    return Measured(math.sqrt(statistic / float(rows.sum())), tail)
