"""A metric's values summed up by the minute, as CloudWatch keeps them."""

from __future__ import annotations

from typing import Any

_MINUTE = 60

Point = dict[str, Any]


def belong_together(one: Point, other: Point) -> bool:
    """Tell whether two statistic sets are of one minute and may become one."""
    return (
        "_stat" in one
        and "_stat" in other
        and one["Unit"] == other["Unit"]
        and one["Timestamp"] // _MINUTE == other["Timestamp"] // _MINUTE
        # One value, however often, still counts for percentiles.
        and all(each["_stat"]["Minimum"] != each["_stat"]["Maximum"] for each in (one, other))
    )


def summed_up(points: list[Point]) -> list[Point]:
    """Make one statistic set of each minute's values of one unit.

    >>> points = [{"Timestamp": t, "Unit": "Count", "Dimensions": {}, "Value": 2.0} for t in (60, 65, 130)]
    >>> [(p["Timestamp"], p["_stat"]["Sum"]) for p in summed_up(points)]
    [(60, 4.0), (130, 2.0)]
    """
    minutes: dict[tuple[float, str], Point] = {}
    for point in points:
        minute = (point["Timestamp"] // _MINUTE, point["Unit"])
        minutes[minute] = (
            added(minutes[minute], point) if minute in minutes else {**point, "_stat": _set(point)}
        )
    return list(minutes.values())


def added(one: Point, other: Point) -> Point:
    """Make one statistic set of two values or sets."""
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
