"""What a column's page shows: baseline and window in the same bins, read off the two profiles."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tidegate.table.drift import Categories, Numbers
from tidegate.table.profile import ColumnProfile

BINS = 24
MOST_BARS = 10
TAIL = 0.005  # what lies farther out would leave the rest no room


def drawing(expected: str, baseline: ColumnProfile, window: ColumnProfile) -> dict[str, Any] | None:
    """Give the shares of both by bin or by text; None where either side holds nothing to draw."""
    if expected in ("Integral", "Fractional"):
        return _numbers(baseline, window) if baseline.moments.count and window.moments.count else None
    return _texts(baseline, window) if baseline.types.present and window.types.present else None


def _numbers(baseline: ColumnProfile, window: ColumnProfile) -> dict[str, Any]:
    both = Numbers.of(baseline), Numbers.of(window)
    ends = np.array([TAIL, 1 - TAIL])
    low = float(min(each.quantiles(ends)[0] for each in both))
    high = float(max(each.quantiles(ends)[1] for each in both))
    if not high > low:
        low, high = low - 0.5, high + 0.5
    edges = np.linspace(low, high, BINS + 1)
    shares = []
    for each in both:
        up_to = each.below_or_at(edges[1:-1])
        shares.append(np.diff(np.concatenate([[0.0], up_to, [1.0]])).tolist())
    return {
        "kind": "numbers",
        "edges": edges.tolist(),
        "baseline": shares[0],
        "window": shares[1],
        "facts": [_facts(column) for column in (baseline, window)],
    }


def _facts(column: ColumnProfile) -> dict[str, float]:
    moments = column.moments
    median = float(Numbers.of(column).quantiles(np.array([0.5]))[0])
    facts = {
        "mean": moments.mean,
        "deviation": moments.deviation,
        "least": moments.least,
        "median": median,
        "most": moments.most,
    }
    return {name: value for name, value in facts.items() if math.isfinite(value)}


def _texts(baseline: ColumnProfile, window: ColumnProfile) -> dict[str, Any]:
    both = Categories.of(baseline), Categories.of(window)
    names = sorted(
        {*both[0].counts, *both[1].counts},
        key=lambda name: -max(each.counts.get(name, 0) / each.rows for each in both),
    )[:MOST_BARS]
    shares = [each.shares(names).tolist() for each in both]
    return {
        "kind": "texts",
        "names": names,
        "baseline": shares[0],
        "window": shares[1],
        "others": [max(0.0, 1 - sum(each)) for each in shares],
    }
