"""The metrics of a finished training job, by name."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any


def latest_by_name(entries: Iterable[Mapping[str, Any]]) -> dict[str, float]:
    """Pick the newest value of each metric.

    Parameters
    ----------
    entries : iterable of mapping
        A job's ``FinalMetricDataList``: MetricName, Value, Timestamp. Its order means nothing, and a value
        that is not finite cannot be carried in JSON, so it is left out.
    """
    newest: dict[str, Mapping[str, Any]] = {}
    for entry in entries:
        seen = newest.get(entry["MetricName"])
        if seen is None or entry["Timestamp"] >= seen["Timestamp"]:
            newest[entry["MetricName"]] = entry
    return {
        name: float(entry["Value"])
        for name, entry in sorted(newest.items())
        if math.isfinite(float(entry["Value"]))
    }
