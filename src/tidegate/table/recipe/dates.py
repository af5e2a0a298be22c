"""The parts of a date that a model can use."""

from __future__ import annotations

import numpy as np

from tidegate.table.columns import Floats

DATE_PARTS = ("year", "month", "day", "weekday")


def date_parts(days: Floats) -> list[Floats]:
    """Split days since 1970-01-01, without gaps, into year, month, day and weekday (Monday is 0)."""
    whole = days.astype(np.int64)
    stamps = whole.astype("datetime64[D]")
    months = stamps.astype("datetime64[M]")
    years = stamps.astype("datetime64[Y]")
    return [
        years.astype(np.int64).astype(np.float64) + 1970.0,
        (months - years).astype(np.int64).astype(np.float64) + 1.0,
        (stamps - months).astype(np.int64).astype(np.float64) + 1.0,
        ((whole + 3) % 7).astype(np.float64),  # 1970-01-01 was a Thursday
    ]
