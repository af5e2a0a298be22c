"""Metrics, parameters and events are bounded, and metrics are answered as if all of them were in memory."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ministack.services import cloudwatch, ssm

from tidegate.local.emulator import alarms
from tidegate.local.emulator.names import buses, hold_in, metrics, parameters
from tidegate.local.emulator.retention import figures
from tidegate.local.emulator.retention.points import Metrics, since
from tidegate.local.emulator.retention.shelf import Shelf
from tidegate.local.emulator.retention.sums import summed_up

HOUR = 3600.0
WORDS = ("evict", "points_of", "record", "store")


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path / "shelf.db")


@pytest.fixture
def held(shelf: Shelf) -> Iterator[Metrics]:
    words = {word: getattr(metrics, word) for word in WORDS}
    log, entries = buses.log, metrics.points._data
    metrics.points._data = {}
    figures.install(shelf)
    [made] = figures._held
    yield made
    for word, before in words.items():
        metrics.replace(word, before)
    buses.replace("log", log)
    metrics.points._data = entries
    figures._held.clear()


def put(name: str, value: float, at: float, **dimensions: str) -> None:
    metrics.store("Of/ATest", name, dimensions, at, "Count", value, None, None, None)


def sums(name: str, begin: float, end: float) -> list[float]:
    query = {"Namespace": "Of/ATest", "MetricName": name, "Statistics": ["Sum"], "Period": 60}
    request = {**query, "StartTime": begin, "EndTime": end}
    _, _, body = cloudwatch._get_metric_statistics({}, request, False, True)
    return [point["Sum"] for point in json.loads(body)["Datapoints"]]


def test_old_values_are_on_disk_and_answered_as_before(held: Metrics):
    now = time.time()
    begin = now // 60 * 60 - 3 * HOUR
    for minute in range(180):
        put("Runs", float(minute), begin + 60.0 * minute + 1)
    before = sums("Runs", begin, now + HOUR)
    assert len(before) == 180
    held.put_away(now - 900)
    key = ("Of/ATest", "Runs", metrics.dimensions_key({}))
    [latest] = dict.values(held)
    assert all(point["Timestamp"] >= now - 900 for point in latest.latest())
    assert sums("Runs", begin, now + HOUR) == before
    put("Runs", 7.0, begin + 60.0)
    put("Runs", 7.0, now + HOUR)
    held.put_away(now - 900)
    after = sums("Runs", begin, now + 2 * HOUR)
    assert after[1] == before[1] + 7.0
    assert after[-1] == 7.0
    assert len(since(metrics.points.get(key), now)) < 100


def test_a_metric_that_nothing_was_measured_of_lately_is_on_disk_with_its_name(held: Metrics):
    now = time.time()
    put("Old", 1.0, now - HOUR, job="a")
    put("New", 1.0, now, job="a")
    held.put_away(now - 900)
    assert [key[2][1] for key in dict.keys(held)] == ["New"]
    _, _, body = cloudwatch._list_metrics({}, {"Namespace": "Of/ATest"}, False, True)
    listed = {each["MetricName"]: each["Dimensions"] for each in json.loads(body)["Metrics"]}
    assert listed == {name: [{"Name": "job", "Value": "a"}] for name in ("Old", "New")}
    assert sums("Old", now - 2 * HOUR, now) == [1.0]
    key = ("Of/ATest", "Old", metrics.dimensions_key({"job": "a"}))
    assert key in metrics.points
    assert [point["Value"] for point in metrics.points[key]] == [1.0]
    assert metrics.points[key][-1]["Value"] == 1.0
    assert metrics.points.get(("Of/ATest", "None", "")) is None
    metrics.points.pop(key)
    assert key not in metrics.points


def test_what_is_saved_is_what_is_in_memory_and_counts_nothing_twice_after_a_crash(
    held: Metrics, shelf: Shelf
):
    now = time.time()
    put("Runs", 1.0, now - HOUR)
    put("Runs", 1.0, now)
    saved = cloudwatch.get_state()["metrics"]
    held.put_away(now - 900)
    metrics.points._data = {}
    hold_in(metrics.points, Metrics(shelf))
    metrics.points.update(saved)
    assert sums("Runs", now - 2 * HOUR, now + HOUR) == [1.0, 1.0]
    latest = cloudwatch.get_state()["metrics"]._data.values()
    assert [[point["Timestamp"] for point in points] for points in latest] == [[now]]


def test_values_are_forgotten_after_fifteen_days_and_not_before(held: Metrics):
    now = time.time()
    for days in (14, 16):
        put("Runs", float(days), now - days * 24 * HOUR)
        held.put_away(now - days * 24 * HOUR + 1)
    held.put_away(now - 900)
    assert sums("Runs", 0.0, now) == [14.0]


def test_an_alarm_over_a_day_sees_what_was_put_away(held: Metrics):
    now = time.time()
    for hours in (1, 5, 20):
        put("Rejected", 1.0, now - hours * HOUR)
    held.put_away(now - 900)
    rule = {"Namespace": "Of/ATest", "MetricName": "Rejected", "Statistic": "Sum", "Period": 24 * HOUR}
    compare = {"ComparisonOperator": "GreaterThanOrEqualToThreshold", "Threshold": 3}
    state, reason = alarms.state_of({**rule, **compare, "EvaluationPeriods": 1, "StateValue": "OK"}, now)
    assert (state, "[3]" in reason) == ("ALARM", True)


@given(
    st.lists(
        st.tuples(
            st.integers(0, 300), st.integers(-9, 9).map(float), st.integers(1, 4), st.sampled_from("ab")
        ),
        min_size=1,
    )
)
def test_statistics_stay_what_they_were_when_minutes_are_summed_up(
    values: list[tuple[int, float, int, str]],
):
    points: list[dict[str, Any]] = [
        {"Timestamp": float(at), "Unit": unit, "Dimensions": {}, "Value": value, "Count": float(count)}
        for at, value, count, unit in values
    ]
    kept = summed_up(points)
    assert len(kept) == len({(at // 60, unit) for at, _, _, unit in values})
    assert cloudwatch._calc_stats(kept) == pytest.approx(cloudwatch._calc_stats(points))
    assert summed_up(kept) == kept


def test_statistic_sets_of_one_minute_are_one_and_single_values_keep_their_percentiles(held: Metrics):
    key = ("Of/ATest", "Latency", metrics.dimensions_key({}))
    minute = time.time() // 60 * 60
    for number in range(6):
        values = {"SampleCount": 2.0, "Sum": 6.0 + number, "Minimum": 1.0, "Maximum": 5.0 + number}
        metrics.store(*key[:2], {}, minute + number, "None", None, None, None, values)
    [one] = metrics.points[key]
    assert one["_stat"] == {"SampleCount": 12.0, "Sum": 51.0, "Minimum": 1.0, "Maximum": 10.0}
    metrics.points.pop(key)
    for number in range(4):
        alone = dict.fromkeys(("Sum", "Minimum", "Maximum"), 2.0 + number)
        metrics.store(*key[:2], {}, minute, "None", None, None, None, {"SampleCount": 1.0, **alone})
    assert cloudwatch._percentile_samples(metrics.points[key]) == [(2.0 + n, 1.0) for n in range(4)]


def test_a_parameter_keeps_a_hundred_versions_and_events_are_not_kept_at_all(held: Metrics):
    for number in range(130):
        ssm._put_parameter({"Name": "/of/a/test", "Value": str(number), "Type": "String", "Overwrite": True})
    figures.tidy()
    assert [each["Version"] for each in parameters.history["/of/a/test"]] == list(range(31, 131))
    for _ in range(3):
        buses.log().append("an event")
    assert list(buses.log()) == []
