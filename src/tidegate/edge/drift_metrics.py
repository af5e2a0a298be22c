"""What a check found as CloudWatch metrics, under Model Monitor's names, so that its alarms go on working."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit

DATA, MODEL = "aws/sagemaker/Endpoints/data-metrics", "aws/sagemaker/Endpoints/model-metrics"


def publish(model: str, checks: Iterable[Mapping[str, Any]]) -> None:
    """Write the metrics of checks into the function's log, from which CloudWatch takes them."""
    for check in checks:
        if check["new_rows"]:
            data = _metrics(DATA, model, check)
            for column in check["comparison"]["columns"]:
                name = column["name"]
                data.add_metric(
                    f"feature_data_{name}", MetricUnit.Count, column["present"] + column["missing"]
                )
                data.add_metric(f"feature_non_null_{name}", MetricUnit.Count, column["present"])
                if column.get("distance") is not None:
                    data.add_metric(f"feature_baseline_drift_{name}", MetricUnit.NoUnit, column["distance"])
            data.flush_metrics()
        metrics = (check["quality"] or {}).get("metrics") or {}
        if any(each.get("value") is not None for each in metrics.values()):
            quality = _metrics(MODEL, model, check)
            for name, each in metrics.items():
                if each.get("value") is not None:
                    quality.add_metric(name, MetricUnit.NoUnit, each["value"])
            quality.flush_metrics()


def _metrics(namespace: str, model: str, check: Mapping[str, Any]) -> Any:
    metrics = EphemeralMetrics(namespace=namespace)
    metrics.add_dimension("Endpoint", check["endpoint"])
    metrics.add_dimension("MonitoringSchedule", model)
    return metrics
