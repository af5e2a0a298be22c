"""Two samples as shares of the same bins, for the measures that compare histograms."""

from __future__ import annotations

import numpy as np

from tidegate.table.columns import Floats
from tidegate.table.drift.sample import Categories, Numbers, all_names

BINS = 10


def number_shares(baseline: Numbers, window: Numbers) -> tuple[Floats, Floats]:
    """Give the shares of both in bins that the baseline's tenths cut; equal tenths are one bin."""
    edges = np.unique(baseline.quantiles(np.arange(1, BINS) / BINS))
    return _steps(baseline, edges), _steps(window, edges)


def category_shares(baseline: Categories, window: Categories) -> tuple[Floats, Floats]:
    """Give the shares of both by text, all texts that are not known one by one together at the end."""
    names = all_names(baseline, window)
    ours, theirs = baseline.shares(names), window.shares(names)
    return np.append(ours, max(0.0, 1 - ours.sum())), np.append(theirs, max(0.0, 1 - theirs.sum()))


def _steps(sample: Numbers, edges: Floats) -> Floats:
    return np.diff(np.concatenate([[0.0], sample.below_or_at(edges), [1.0]]))
