"""Metrics by the minute, a hundred versions of a parameter, no list of all events: what AWS keeps of them.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_concepts.html (standard resolution),
https://docs.aws.amazon.com/systems-manager/latest/userguide/sysman-paramstore-versions.html
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from typing import Any

from tidegate.local.emulator.names import buses, hold_in, metrics, parameters
from tidegate.local.emulator.retention.points import WRITING, Metrics
from tidegate.local.emulator.retention.shelf import Shelf
from tidegate.local.emulator.retention.sums import added, belong_together

# Single values stay as they are, and in memory, for so long, for percentiles; then a minute's are summed up.
# AWS has percentiles of older minutes too; here nobody asks for them, and a busy API makes dozens of values
# a second.
_SINGLE_SECONDS = 15 * 60.0
# What is old is put away together, not each value by itself.
_EVERY_SECONDS = 60.0
_MOST_VERSIONS = 100
# AWS keeps an alarm's changes for weeks; so many are more than all alarms of a town change in that time.
_MOST_CHANGES = 10_000

_held: list[Metrics] = []
_last = [0.0]


def install(shelf: Shelf) -> None:
    """Put the bounds in place."""
    # Nobody reads this list; what becomes of an event is its rules' and archives' affair.
    nobody: deque[Any] = deque(maxlen=0)
    buses.replace("log", lambda: nobody)
    held = Metrics(shelf)
    hold_in(metrics.points, held)
    # The emulator's own would go through all there is at every request, and would hold a list of its own.
    metrics.replace("evict", lambda: None)
    metrics.replace("points_of", lambda key: metrics.points.setdefault(key, []))
    metrics.replace("record", _alone(metrics.record))
    metrics.replace("store", _alone(_by_the_minute(metrics.store)))
    _held[:] = [held]


def tidy(every_seconds: float = _EVERY_SECONDS) -> None:
    """Put old values away, and let go of parameters' oldest versions."""
    for history in list(parameters.history.all_values()):
        del history[:-_MOST_VERSIONS]
    del metrics.changes()[:-_MOST_CHANGES]
    if time.monotonic() - _last[0] < every_seconds:
        return
    _last[0] = time.monotonic()
    for held in _held:
        held.put_away(time.time() - _SINGLE_SECONDS)


def _alone(original: Callable[..., None]) -> Callable[..., None]:
    def record(*given: Any, **named: Any) -> None:
        # Whoever has found where a value belongs puts it there before that place is put away.
        with WRITING:
            original(*given, **named)

    return record


def _by_the_minute(original: Callable[..., None]) -> Callable[..., None]:
    def store(namespace: str, name: str, *datum: Any) -> None:
        original(namespace, name, *datum)
        points = metrics.points_of((namespace, name, metrics.dimensions_key(datum[0])))
        if len(points) > 1 and belong_together(points[-2], points[-1]):
            # Take the new one off before the sum is there: a reader sees one value too few, never one twice.
            new = points.pop()
            points[-1] = added(points[-1], new)

    return store
