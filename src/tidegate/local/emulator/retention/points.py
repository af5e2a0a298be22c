"""The values of metrics: the latest in memory, older ones by the minute on the shelf, for fifteen days."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from tidegate.local.emulator.retention.shelf import Shelf, key_of, name_of
from tidegate.local.emulator.retention.sums import Point, summed_up

_KIND = "values of a metric"
_HOUR = 3600
_KEPT_SECONDS = 15 * 24 * _HOUR
# Held while values are written or put away.
WRITING = threading.RLock()

Key = tuple[str, str, tuple[str, str, str]]  # account, region; namespace, name, dimensions


class Points(list[Point]):
    """One metric's values: a list of the latest; who goes through it gets the older ones too.

    Parameters
    ----------
    shelf, place
        Where the older ones are, a document an hour.
    latest
        The latest.
    """

    def __init__(self, shelf: Shelf, place: str, latest: list[Point]) -> None:
        super().__init__(latest)
        self._shelf, self._place = shelf, place

    def __iter__(self) -> Iterator[Point]:
        return iter(self.since(0.0))

    def __getitem__(self, at: Any) -> Any:
        # Its length is that of the latest, as those who add to it need it.
        return super().__getitem__(at) if len(self) else self.since(0.0)[at]

    def __bool__(self) -> bool:
        return len(self) > 0 or self._shelf.newest(_KIND, self._place) > 0

    def since(self, at: float) -> list[Point]:
        """Give the values from then on (seconds), and perhaps some before."""
        with WRITING:
            older = [point for _, points in self._shelf.all(_KIND, self._place, at) for point in points]
            return [*older, *self.latest()]

    def latest(self) -> list[Point]:
        """Give the values that are in memory."""
        return list(super().__iter__())

    def put_away(self, before: float) -> None:
        """Put away what is older than that (seconds), summed up by the minute."""
        hours: defaultdict[int, list[Point]] = defaultdict(list)
        for point in self.latest():
            if point["Timestamp"] < before:
                hours[int(point["Timestamp"] // _HOUR)].append(point)
        for hour, points in hours.items():
            known = self._shelf.get(_KIND, self._place, str(hour)) or []
            self._shelf.put(_KIND, self._place, str(hour), before, summed_up([*known, *points]))
        self[:] = [point for point in self.latest() if point["Timestamp"] >= before]


class Metrics(dict[Key, Points]):
    """The emulator's metrics; those that nothing was measured of lately are on the shelf with their names.

    A copy, which only saving makes, holds what is in memory.
    """

    def __init__(self, shelf: Shelf) -> None:
        super().__init__()
        self._shelf = shelf

    def __missing__(self, key: Key) -> Points:
        found = self._points(key, [])
        if not found:
            raise KeyError(key)
        return found

    def __setitem__(self, key: Key, points: list[Point]) -> None:
        super().__setitem__(key, self._points(key, points))

    def __contains__(self, key: Any) -> bool:
        return super().__contains__(key) or bool(self._points(key, []))

    def __iter__(self) -> Iterator[Key]:
        return iter([key for key, _ in self.items()])

    def __deepcopy__(self, memo: dict[int, Any]) -> dict[Key, list[Point]]:
        return {key: points.latest() for key, points in list(super().items())}

    def get(self, key: Key, default: Any = None) -> Any:
        """Give the values of a metric."""
        try:
            return self[key]
        except KeyError:
            return default

    def setdefault(self, key: Key, default: Any = None) -> Points:
        """Give the values of a metric, to add to them."""
        if not super().__contains__(key):
            self[key] = default or []
        return self[key]

    def pop(self, key: Key, *default: Any) -> Any:
        """Forget a metric and give its latest values."""
        found = self.get(key)
        self._shelf.remove(_KIND, name_of(key))
        return super().pop(key, *default) if found is None else super().pop(key, found)

    def clear(self) -> None:
        """Forget all metrics."""
        self._shelf.clear(_KIND)
        super().clear()

    def items(self) -> Any:
        """Give all metrics; the values of those on the shelf are read when somebody goes through them."""
        here = dict(super().items())
        away = (key_of(place) for place in self._shelf.places(_KIND))
        return [*((key, self._points(key, [])) for key in away if key not in here), *here.items()]

    def update(self, *others: Any, **named: Any) -> None:
        """Take in saved metrics: after a crash they may hold values that were put away since."""
        for key, points in dict(*others, **named).items():
            put_away = self._shelf.newest(_KIND, name_of(key))
            self[key] = [point for point in points if point["Timestamp"] >= put_away]

    def put_away(self, before: float) -> None:
        """Put away what is older than that (seconds), and forget what is older than AWS keeps it."""
        for key, points in list(super().items()):
            with WRITING:
                points.put_away(before)
                if not len(points):
                    super().pop(key, None)
        self._shelf.forget_before(_KIND, before - _KEPT_SECONDS)

    def _points(self, key: Key, points: list[Point]) -> Points:
        return points if isinstance(points, Points) else Points(self._shelf, name_of(key), points)


def since(points: list[Point] | None, at: float) -> list[Point]:
    """Give a metric's values from then on (seconds), and perhaps some before."""
    return points.since(at) if isinstance(points, Points) else list(points or [])
