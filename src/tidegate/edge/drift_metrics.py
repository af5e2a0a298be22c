"""What a check found as CloudWatch metrics, put into the function's log in the embedded metric format.

By default one metric a model and verdict, as CloudWatch bills each metric by itself. On request
(``monitor.metrics: columns``) also each column's, under Model Monitor's names, namespaces and dimensions, so
that alarms which were made for its metrics go on working.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from tidegate.core.verdict_metrics import BY_MODEL, COLUMNS, VERDICTS
from tidegate.edge.metering import BY

MOST_CHARACTERS = 255  # of a metric's name
MOST_METRICS = 100  # of one line
DATA, MODEL = "aws/sagemaker/Endpoints/data-metrics", "aws/sagemaker/Endpoints/model-metrics"


class Metric(NamedTuple):
    """A metric's name, unit and value."""

    name: str
    unit: str
    value: float


def publish(model: str, checks: Collection[Mapping[str, Any]]) -> None:
    """Write the metrics of a model's check into the function's log, from which CloudWatch takes them.

    Parameters
    ----------
    model : str
        The model.
    checks : collection of mapping
        What was concluded, one an algorithm; ``metrics`` says whether each column's are wanted too.
    """
    _write(_own_namespace(), by_model(model), verdicts(checks))
    for check in checks:
        if check["metrics"] != COLUMNS:
            continue
        both = {"Endpoint": check["endpoint"], "MonitoringSchedule": model}
        _write(DATA, both, of_columns(check) if check["new_rows"] else ())
        _write(MODEL, both, of_quality(check))


def by_model(model: str) -> dict[str, str]:
    """Return the dimensions of a model's own metrics, by which its alarms find them."""
    return {BY: os.environ.get("POWERTOOLS_SERVICE_NAME", "tidegate"), BY_MODEL: model}


def verdicts(checks: Iterable[Mapping[str, Any]]) -> Iterator[Metric]:
    """Count the algorithms by the verdict of their check; a verdict that none has is not told of."""
    found = [check["verdict"] for check in checks]
    for verdict, name in VERDICTS.items():
        if count := found.count(verdict):
            yield Metric(name, "Count", count)


def of_columns(check: Mapping[str, Any]) -> Iterator[Metric]:
    """Return what Model Monitor tells of each column: its rows, those with a value, how far it drifted."""
    for column in check["comparison"]["columns"]:
        name = column["name"]
        yield Metric(_name("feature_data", name), "Count", column["present"] + column["missing"])
        yield Metric(_name("feature_non_null", name), "Count", column["present"])
        if column.get("distance") is not None:
            yield Metric(_name("feature_baseline_drift", name), "None", column["distance"])


def of_quality(check: Mapping[str, Any]) -> Iterator[Metric]:
    """Return the metrics of the model's quality that have a value."""
    for name, each in ((check["quality"] or {}).get("metrics") or {}).items():
        if each.get("value") is not None:
            yield Metric(name, "None", each["value"])


def _name(what: str, column: str) -> str:
    """Name a column's metric; a name that CloudWatch does not take is cut, with a digest of the whole."""
    name = f"{what}_{column}"
    if len(name) <= MOST_CHARACTERS:
        return name
    return f"{name[: MOST_CHARACTERS - 9]}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def _own_namespace() -> str:
    return os.environ.get("POWERTOOLS_METRICS_NAMESPACE", "Tidegate")


def _write(namespace: str, dimensions: Mapping[str, str], metrics: Iterable[Metric]) -> None:
    """Print metrics with exactly these dimensions.

    Not by Powertools, which adds the service's name to the dimensions: to CloudWatch that is another metric.
    """
    every = list(metrics)
    for start in range(0, len(every), MOST_METRICS):
        some = every[start : start + MOST_METRICS]
        directive = {
            "Namespace": namespace,
            "Dimensions": [list(dimensions)],
            "Metrics": [{"Name": each.name, "Unit": each.unit} for each in some],
        }
        document = {
            "_aws": {"Timestamp": int(time.time() * 1000), "CloudWatchMetrics": [directive]},
            **dimensions,
            **{each.name: each.value for each in some},
        }
        print(json.dumps(document), flush=True)
