"""Endpoint metrics: AWS's names, dimensions and units."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from tests.waiting import until

from tidegate.local.sagemaker.hosting.metrics import InvocationMetrics


def record(metrics: InvocationMetrics, status: int = 200) -> None:
    metrics.record("cars", "All", status=status, model_seconds=0.002, overhead_seconds=0.0005)


def test_invocations_become_one_statistic_set_per_metric():
    sent: list[dict[str, Any]] = []
    metrics = InvocationMetrics(sent.extend)
    for status in (200, 200, 415, 500, 0):
        record(metrics, status)
    metrics.flush()
    by_name = {datum["MetricName"]: datum for datum in sent}
    sums = {name: datum["StatisticValues"]["Sum"] for name, datum in by_name.items()}
    assert sums["Invocations"] == 5
    assert sums["Invocation4XXErrors"] == 1
    assert sums["Invocation5XXErrors"] == 2
    assert by_name["ModelLatency"]["Unit"] == "Microseconds"
    assert by_name["ModelLatency"]["StatisticValues"]["Maximum"] == pytest.approx(2000)
    assert by_name["OverheadLatency"]["StatisticValues"]["SampleCount"] == 5
    assert by_name["Invocations"]["Dimensions"] == [
        {"Name": "EndpointName", "Value": "cars"},
        {"Name": "VariantName", "Value": "All"},
    ]
    metrics.close()


def test_numbers_are_sent_without_anybody_asking_and_only_once():
    sent: list[dict[str, Any]] = []
    metrics = InvocationMetrics(sent.extend, every_seconds=0.02)
    record(metrics)
    until(lambda: sent)
    metrics.close()
    assert [datum["MetricName"] for datum in sent].count("Invocations") == 1


def test_a_cloudwatch_that_is_away_is_logged_and_harms_nobody(caplog: pytest.LogCaptureFixture):
    def refuse(data: list[dict[str, Any]]) -> None:
        raise ConnectionError("CloudWatch is away")

    metrics = InvocationMetrics(refuse)
    record(metrics)
    with caplog.at_level(logging.WARNING):
        metrics.close()
    assert "CloudWatch is away" in caplog.text
