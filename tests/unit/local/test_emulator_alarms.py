"""Alarms are looked at as CloudWatch does: by dimensions, period by period, missing data as the alarm says."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tidegate.local.emulator import alarms, metrics
from tidegate.local.emulator.names import metrics as watch

NOW = 1_000_000.0
DIMENSIONS = {"QueueName": "parked"}


def alarm(**changes: Any) -> dict[str, Any]:
    return {
        "AlarmName": "a",
        "Namespace": "Tests",
        "MetricName": "m",
        "Dimensions": [{"Name": "QueueName", "Value": "parked"}],
        "Statistic": "Sum",
        "Period": 60,
        "EvaluationPeriods": 1,
        "ComparisonOperator": "GreaterThanOrEqualToThreshold",
        "Threshold": 2.0,
        "TreatMissingData": "notBreaching",
        "StateValue": "OK",
        "StateReason": "",
        **changes,
    }


@pytest.fixture(autouse=True)
def points() -> Iterator[list[dict[str, Any]]]:
    own: list[dict[str, Any]] = []
    key = metrics.key_of("Tests", "m", DIMENSIONS)
    watch.points[key] = own
    yield own
    del watch.points[key]


def point(value: float, seconds_ago: float) -> dict[str, Any]:
    return {"Timestamp": NOW - seconds_ago, "Value": value, "Unit": "Count", "Dimensions": DIMENSIONS}


def test_the_points_of_one_period_are_taken_together(points):
    points += [point(1, 5), point(1, 50)]
    assert alarms.state_of(alarm(), NOW)[0] == "ALARM"
    assert alarms.state_of(alarm(), NOW + 30)[0] == "OK"


def test_another_dimension_s_points_do_not_count(points):
    points.append(point(5, 5))
    other = alarm(Dimensions=[{"Name": "QueueName", "Value": "other"}])
    assert alarms.state_of(other, NOW)[0] == "OK"


def test_every_period_must_cross_the_threshold_unless_fewer_are_asked_for(points):
    points += [point(2, 5), point(0, 65), point(2, 125)]
    assert alarms.state_of(alarm(EvaluationPeriods=3), NOW)[0] == "OK"
    assert alarms.state_of(alarm(EvaluationPeriods=3, DatapointsToAlarm=2), NOW)[0] == "ALARM"


@pytest.mark.parametrize(
    ("missing", "state"),
    [("notBreaching", "OK"), ("breaching", "ALARM"), ("missing", "INSUFFICIENT_DATA"), ("ignore", "OK")],
)
def test_without_points_an_alarm_is_what_it_says_of_missing_data(missing, state):
    assert alarms.state_of(alarm(TreatMissingData=missing), NOW)[0] == state


def test_a_percentile_looks_past_the_slow_few(points):
    points += [point(1, 5)] * 99 + [point(1000, 5)]
    slow = alarm(ExtendedStatistic="p50", Threshold=100.0)
    assert alarms.state_of(slow, NOW)[0] == "OK"
    assert alarms.state_of({**slow, "ExtendedStatistic": "p100"}, NOW)[0] == "ALARM"


@pytest.mark.parametrize("line", ["plain", '{"_aws": 3}', '{"_aws"', '["_aws"]'])
def test_a_log_line_that_only_looks_like_a_metric_is_none(line):
    assert metrics.embedded(line) == []
