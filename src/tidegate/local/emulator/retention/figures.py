"""Metrics by the minute, a hundred versions of a parameter, no list of all events: what AWS keeps of them.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_concepts.html (standard resolution),
https://docs.aws.amazon.com/systems-manager/latest/userguide/sysman-paramstore-versions.html
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from typing import Any

from tidegate.local.emulator.names import buses, metrics, parameters

_MINUTE = 60
# Single values stay as they are for so long, for percentiles; then a minute's are summed up. AWS has
# percentiles of older minutes too; here nobody asks for them, and a busy API makes dozens of values a second.
_SINGLE_SECONDS = 15 * 60.0
_MOST_VERSIONS = 100

Point = dict[str, Any]


def install() -> None:
    """Put the bounds in place."""
    # Nobody reads this list; what becomes of an event is its rules' and archives' affair.
    nobody: deque[Any] = deque(maxlen=0)
    buses.replace("log", lambda: nobody)
    metrics.replace("store", _by_the_minute(metrics.store))


def tidy() -> None:
    """Sum up old values, and let go of parameters' oldest versions."""
    before = time.time() - _SINGLE_SECONDS
    for points in list(metrics.points.all_values()):
        if points and points[0]["Timestamp"] < before and "Value" in points[0]:
            points[:] = summed_up(points, before)
    for history in list(parameters.history.all_values()):
        del history[:-_MOST_VERSIONS]


def _by_the_minute(original: Callable[..., None]) -> Callable[..., None]:
    def store(namespace: str, name: str, *datum: Any) -> None:
        original(namespace, name, *datum)
        points = metrics.points_of((namespace, name, metrics.dimensions_key(datum[0])))
        if len(points) > 1 and _belong_together(points[-2], points[-1]):
            # Take the new one off before the sum is there: a reader sees one value too few, never one twice.
            new = points.pop()
            points[-1] = _sum(points[-1], new)

    return store


def _belong_together(one: Point, other: Point) -> bool:
    return (
        "_stat" in one
        and "_stat" in other
        and one["Unit"] == other["Unit"]
        and one["Timestamp"] // _MINUTE == other["Timestamp"] // _MINUTE
        # One value, however often, still counts for percentiles.
        and all(each["_stat"]["Minimum"] != each["_stat"]["Maximum"] for each in (one, other))
    )


def summed_up(points: list[Point], before: float) -> list[Point]:
    """Make one statistic set of each minute's values of one unit, where they are older than ``before``.

    >>> old = [{"Timestamp": t, "Unit": "Count", "Dimensions": {}, "Value": 2.0} for t in (60, 65, 130)]
    >>> [(p["Timestamp"], p["_stat"]["Sum"]) for p in summed_up(old, before=200)]
    [(60, 4.0), (130, 2.0)]
    """
    kept: list[Point] = []
    at: dict[tuple[float, str], int] = {}
    for point in points:
        minute = (point["Timestamp"] // _MINUTE, point["Unit"])
        if point["Timestamp"] >= before:
            kept.append(point)
        elif minute in at:
            kept[at[minute]] = _sum(kept[at[minute]], point)
        else:
            at[minute] = len(kept)
            kept.append({**point, "_stat": _set(point)})
    return kept


def _sum(one: Point, other: Point) -> Point:
    first, second = _set(one), _set(other)
    both = {
        "SampleCount": first["SampleCount"] + second["SampleCount"],
        "Sum": first["Sum"] + second["Sum"],
        "Minimum": min(first["Minimum"], second["Minimum"]),
        "Maximum": max(first["Maximum"], second["Maximum"]),
    }
    mean = both["Sum"] / both["SampleCount"] if both["SampleCount"] else 0.0
    return {**one, "Value": mean, "_stat": both}


def _set(point: Point) -> dict[str, float]:
    if "_stat" in point:
        return {name: float(value) for name, value in point["_stat"].items()}
    count = float(point.get("Count", 1.0))
    return {
        "SampleCount": count,
        "Sum": point["Value"] * count,
        "Minimum": point["Value"],
        "Maximum": point["Value"],
    }
