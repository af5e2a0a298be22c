"""What a check publishes: one metric a verdict by default; on request Model Monitor's, with exactly its dimensions."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tidegate.core.verdict_metrics import OF_QUALITY, VERDICTS, most_of_columns
from tidegate.edge.drift_metrics import DATA, MODEL, MOST_CHARACTERS, publish
from tidegate.table.quality.regression import model_quality

NAMES = st.lists(st.text(min_size=1, max_size=300), unique=True, min_size=1, max_size=120)


def check(
    verdict: str, columns: list[str], quality: dict[str, Any] | None = None, metrics: str = "verdicts"
) -> dict[str, Any]:
    measured = [{"name": name, "present": 9, "missing": 1, "distance": 0.25} for name in columns]
    return {
        "verdict": verdict,
        "endpoint": "tg-cars-xgboost",
        "new_rows": 10,
        "comparison": {"columns": measured},
        "quality": quality,
        "metrics": metrics,
    }


@pytest.fixture
def published(capsys, monkeypatch):
    """Publish, and read back what CloudWatch would: a list of (namespace, dimensions, name, value)."""
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "a-stack")
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "Tidegate")

    def read(model: str, checks: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
        capsys.readouterr()
        publish(model, checks)
        found = []
        for line in capsys.readouterr().out.splitlines():
            document = json.loads(line)
            [directive] = document["_aws"]["CloudWatchMetrics"]
            [names] = directive["Dimensions"]
            assert 0 < len(directive["Metrics"]) <= 100
            dimensions = {name: document[name] for name in names}
            found += [
                (directive["Namespace"], dimensions, each["Name"], document[each["Name"]])
                for each in directive["Metrics"]
            ]
        return found

    return read


def test_by_default_a_check_publishes_one_metric_for_each_verdict_that_it_found(published):
    checks = [check("ok", ["km"]), check("drift", ["km"]), check("ok", ["km"])]
    by_model = {"service": "a-stack", "model": "cars"}
    assert published("cars", checks) == [
        ("Tidegate", by_model, "VerdictOk", 2),
        ("Tidegate", by_model, "VerdictDrift", 1),
    ]
    assert {
        name for verdict in VERDICTS for _, _, name, _ in published("cars", [check(verdict, ["km"])])
    } == {
        "VerdictOk",
        "VerdictDrift",
        "VerdictBadData",
        "VerdictInsufficient",
    }


def test_on_request_each_column_and_the_quality_are_published_as_model_monitor_does(published):
    quality = {"metrics": {"rmse": {"value": 1.5}, "r2": {"value": None}}}
    found = published("cars", [check("ok", ["km"], quality, "columns")])[1:]
    both = {"Endpoint": "tg-cars-xgboost", "MonitoringSchedule": "cars"}
    assert found == [
        (DATA, both, "feature_data_km", 10),
        (DATA, both, "feature_non_null_km", 9),
        (DATA, both, "feature_baseline_drift_km", 0.25),
        (MODEL, both, "rmse", 1.5),
    ]


@given(NAMES)
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_whatever_columns_are_called_each_has_its_metrics_with_two_dimensions_and_no_more(published, names):
    found = published("cars", [check("ok", names, None, "columns")])[1:]
    assert (
        len(found)
        == 3 * len(names)
        == len({(dimensions["Endpoint"], name) for _, dimensions, name, _ in found})
    )
    assert all(sorted(dimensions) == ["Endpoint", "MonitoringSchedule"] for _, dimensions, _, _ in found)
    assert all(len(name) <= MOST_CHARACTERS for _, _, name, _ in found)


def test_a_bill_counts_as_many_metrics_as_a_check_of_all_columns_publishes(published):
    names = ["km", "fuel", "prediction"]
    statistics, _ = model_quality(np.array([1.0, 2.0, 3.0]), np.array([1.0, 2.5, 3.0]))
    quality = {"metrics": statistics["regression_metrics"]}
    found = published("cars", [check("ok", names, quality, "columns")])[1:]
    assert len(found) == most_of_columns(2)
    assert len(quality["metrics"]) == OF_QUALITY


def test_a_window_without_new_rows_says_nothing_of_columns(published):
    empty = {**check("ok", ["km"], None, "columns"), "new_rows": 0}
    assert [name for _, _, name, _ in published("cars", [empty])] == ["VerdictOk"]
