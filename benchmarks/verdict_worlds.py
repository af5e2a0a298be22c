"""Two real worlds that change: cars of 2024 by a model of 2023, rentals of 2012 by a model of 2011.

- vehicles: a linear model of price fitted on New Zealand's auctions of 2023, windows of each month of 2024;
- bikes: a model of hourly rentals fitted on 2011, the same quarters of 2012: the world of the features is
  the same, what people do with it is not.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from tidegate.table.compare import compare
from tidegate.table.constraints import Constraints, suggest
from tidegate.table.quality.answers import Answers, quality_files
from tidegate.table.quality.judge import judge
from tidegate.table.scan import profile_records

Row = dict[str, str]


def vehicles(path: Path) -> dict[str, Any]:
    """Fit on 2023, check each month of 2024."""
    features = [
        "manufacturer",
        "year",
        "mileage",
        "fuel_type",
        "transmission",
        "seats",
        "registration_status",
    ]
    rows = [row for row in _rows(path) if float(row["price_last_nzd"] or 0) > 0]
    before = [row for row in rows if row["first_seen"] < "2024"]
    fitted = Linear(
        before, ["year", "mileage", "seats"], ["manufacturer", "fuel_type", "registration_status"]
    )
    return _months(
        before, rows, features, fitted, "price_last_nzd", lambda row: row["first_seen"][:7], "2024"
    )


def bikes(path: Path) -> dict[str, Any]:
    """Fit on 2011, check the quarters of 2012 against the same quarters."""
    numbers, texts = (
        ["temp", "atemp", "hum", "windspeed"],
        ["season", "hr", "holiday", "weekday", "weathersit"],
    )
    rows = list(_rows(path))
    fitted = Linear([row for row in rows if row["yr"] == "0"], numbers, texts)
    found: dict[str, Any] = {}
    for season in "1234":
        like = [row for row in rows if row["season"] == season]
        before = [row for row in like if row["yr"] == "0"]
        after = [row for row in like if row["yr"] == "1"]
        found |= _window(before, after, numbers + texts, fitted, "cnt", f"2012, season {season}")
    return found


class Linear:
    """Least squares on numbers and one column for each frequent text: a model good enough to grow old."""

    def __init__(self, rows: list[Row], numbers: list[str], texts: list[str]) -> None:
        self._numbers, self._texts = numbers, texts
        self._means = {name: np.mean([float(row[name]) for row in rows if row[name]]) for name in numbers}
        self._levels = {
            name: [text for text, count in Counter(row[name] for row in rows).most_common(40) if count > 20]
            for name in texts
        }
        target = next(name for name in ("price_last_nzd", "cnt") if name in rows[0])
        train = [row for at, row in enumerate(rows) if at % 5]
        self.held_out = {id(row) for row in rows[::5]}
        self._weights = np.linalg.lstsq(self._matrix(train), np.log1p(_column(train, target)), rcond=None)[0]

    def predict(self, rows: list[Row]) -> np.ndarray:
        """Predict rows."""
        return np.expm1(np.clip(self._matrix(rows) @ self._weights, -1, 20))

    def _matrix(self, rows: list[Row]) -> np.ndarray:
        columns = [np.ones(len(rows))]
        columns += [np.array([float(row[n] or self._means[n]) for row in rows]) for n in self._numbers]
        for name in self._texts:
            columns += [
                np.array([float(row[name] == text) for row in rows]) for text in self._levels[name][1:]
            ]
        return np.stack(columns, axis=1)


def _months(
    before: list[Row],
    rows: list[Row],
    features: list[str],
    fitted: Linear,
    target: str,
    month: Any,
    since: str,
) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name in sorted({month(row) for row in rows if month(row) >= since}):
        found |= _window(before, [row for row in rows if month(row) == name], features, fitted, target, name)
    return found


def _window(
    before: list[Row], after: list[Row], features: list[str], fitted: Linear, target: str, name: str
) -> dict[str, Any]:
    baseline = profile_records({key: row[key] for key in features} for row in before)
    window = profile_records({key: row[key] for key in features} for row in after)
    data = compare(baseline, Constraints.read(suggest(baseline)), window)
    held = [row for row in before if id(row) in fitted.held_out]
    statistics, rules = quality_files(Answers("Regression", _column(held, target), fitted.predict(held)))
    given = Answers("Regression", _column(after, target), fitted.predict(after))
    quality = judge(given, rules, statistics, least_rows=200)
    drifted = {v.feature_name: v.check for v in data.violations}
    moved = [column.moved for column in data.columns.values() if column.moved]
    return {
        name: {
            "rows": len(after),
            "features": data.verdict().verdict,
            "columns": drifted,
            "largest_distance": max(each.distance for each in moved),
            "quality": quality.verdict,
            "mae": next(each.value for each in quality.metrics if each.name == "mae"),
            "mae_before": rules["regression_constraints"]["mae"]["threshold"],
        }
    }


def _rows(path: Path) -> Iterable[Row]:
    with path.open(newline="", encoding="utf-8") as file:
        yield from csv.DictReader(file)


def _column(rows: list[Row], name: str) -> np.ndarray:
    return np.array([float(row[name]) for row in rows])
