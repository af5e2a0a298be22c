"""What a check found as CloudWatch metrics, under Model Monitor's names, so that its alarms go on working."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit

MOST_CHARACTERS = 255  # of a metric's name
DATA, MODEL = "aws/sagemaker/Endpoints/data-metrics", "aws/sagemaker/Endpoints/model-metrics"


def publish(model: str, checks: Iterable[Mapping[str, Any]]) -> None:
    """Write the metrics of checks into the function's log, from which CloudWatch takes them."""
    for check in checks:
        if check["new_rows"]:
            data = _metrics(DATA, model, check)
            for column in check["comparison"]["columns"]:
                name = column["name"]
                rows = column["present"] + column["missing"]
                data.add_metric(_metric("feature_data", name), MetricUnit.Count, rows)
                data.add_metric(_metric("feature_non_null", name), MetricUnit.Count, column["present"])
                if column.get("distance") is not None:
                    drift = _metric("feature_baseline_drift", name)
                    data.add_metric(drift, MetricUnit.NoUnit, column["distance"])
            data.flush_metrics()
        metrics = (check["quality"] or {}).get("metrics") or {}
        if any(each.get("value") is not None for each in metrics.values()):
            quality = _metrics(MODEL, model, check)
            for name, each in metrics.items():
                if each.get("value") is not None:
                    quality.add_metric(name, MetricUnit.NoUnit, each["value"])
            quality.flush_metrics()


def _metric(what: str, column: str) -> str:
    """Name a column's metric; a name that CloudWatch does not take is cut, with a digest of the whole."""
    name = f"{what}_{column}"
    if len(name) <= MOST_CHARACTERS:
        return name
    return f"{name[: MOST_CHARACTERS - 9]}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def _metrics(namespace: str, model: str, check: Mapping[str, Any]) -> Any:
    metrics = EphemeralMetrics(namespace=namespace)
    metrics.add_dimension("Endpoint", check["endpoint"])
    metrics.add_dimension("MonitoringSchedule", model)
    return metrics
