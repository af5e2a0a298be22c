"""Dates as days: what a column of dates holds, and whether time has only gone on."""

from __future__ import annotations

from datetime import date

import numpy as np

from tidegate.table.columns import Floats
from tidegate.table.drift import Numbers
from tidegate.table.profile import ColumnProfile
from tidegate.table.read.values import parse_date

LEAST_DAYS = 90  # of going on that are expected of any column of dates
SHIFTS = 32
MOSTLY = 0.5


def days_of(column: ColumnProfile) -> Numbers | None:
    """Read dates off a profile as days since 1970; None where one of the texts is no ISO 8601 date."""
    counts = column.frequencies.counts
    if not counts or column.types.numbers:
        return None
    try:
        days = np.array([parse_date(text) for text in counts])
    except ValueError:
        return None
    weights = np.array(list(counts.values()), dtype=np.float64)
    order = np.argsort(days)
    unknown = 1 - weights.sum() / column.types.present
    return Numbers(days[order], weights[order], len(np.unique(days)), max(0.0, float(unknown)))


def allowed(baseline: Numbers, front: float | None) -> tuple[float, float]:
    """Give the first and the last day that are expected.

    As far as the baseline's own span before its first day, and after the newest day that is known.

    Parameters
    ----------
    front : float or None
        Up to where windows since have come, where none of them jumped.
    """
    first, last = float(baseline.values[0]), float(baseline.values[-1])
    span = max(last - first, LEAST_DAYS)
    return first - span, max(last, front or last) + span


def front_of(days: Numbers) -> float:
    """Give the day up to which nearly all of a window lies: a few odd ones do not move time on."""
    return float(days.quantiles(np.array([0.95]))[0])


def outside(days: Numbers, first: float, last: float) -> float:
    """Give how many rows lie outside two days."""
    return float(days.weights[(days.values < first) | (days.values > last)].sum())


def goes_on(baseline: Numbers, window: Numbers) -> bool:
    """Tell whether most of a window is later than the baseline: a time stamp, which no baseline can hold."""
    later = float(window.weights[window.values > baseline.values[-1]].sum())
    return later > MOSTLY * window.rows


def apart(baseline: Numbers, window: Numbers) -> float:
    """Give the largest difference of the distribution functions, with as much time gone by as fits best.

    A day of the past, such as a first registration, moves on with the days on which rows come. So the
    baseline may be moved on by as much as the window's newest day is newer.
    """
    late = max(0.0, float(window.values[-1] - baseline.values[-1]))
    return min(_distance(baseline, window, by) for by in np.linspace(0.0, late, SHIFTS if late else 1))


def in_words(day: float) -> str:
    """Write a day."""
    return date.fromordinal(date(1970, 1, 1).toordinal() + int(day)).isoformat()


def _distance(baseline: Numbers, window: Numbers, by: float) -> float:
    points: Floats = np.union1d(baseline.values + by, window.values)
    return float(np.abs(baseline.below_or_at(points - by) - window.below_or_at(points)).max())
