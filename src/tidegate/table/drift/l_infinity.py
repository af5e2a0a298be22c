"""L∞: Model Monitor's distance of categories, the largest change of any one category's share.

Applies to: categories; among very many only the frequent are known, and only what they surely changed counts.
Formula: max over c of |p(c) - q(c)|, less what the counts may be wrong by. The p-value is that of the
category that changed most, as a difference of two shares, times the number of categories (Bonferroni); of a
category too rare to expect five of, as if it were just not (Cochran, Biometrics 10, 1954).
Source: Deequ, `Distance.categoricalDistance` with LInfinityMethod, on the true counts.
"""

from __future__ import annotations

import math

import numpy as np

from tidegate.table.drift.measure import Measured, of_categories
from tidegate.table.drift.sample import Categories, all_names
from tidegate.table.drift.tails import normal_tail

LEAST_EXPECTED = 5.0


@of_categories("l_infinity")
def l_infinity(baseline: Categories, window: Categories) -> Measured:
    """Measure the largest change of a share.

    >>> l_infinity(Categories({"a": 3, "b": 1}, 4), Categories({"a": 1, "b": 3}, 4)).distance
    0.5
    """
    names = all_names(baseline, window)
    if not names:
        return Measured(0.0)
    unsure = max(baseline.lost / baseline.rows, window.lost / window.rows)
    before, now = baseline.shares(names), window.shares(names)
    most = int(np.abs(before - now).argmax())
    sure = max(0.0, float(abs(before[most] - now[most])) - unsure)
    both = float(before[most] * baseline.rows + now[most] * window.rows) / (baseline.rows + window.rows)
    both = max(both, min(0.5, LEAST_EXPECTED / min(baseline.rows, window.rows)))
    spread = math.sqrt(both * (1 - both) * (1 / baseline.rows + 1 / window.rows))
    chance = min(1.0, len(names) * 2 * normal_tail(sure / spread)) if spread else 1.0
    return Measured(sure, chance)
