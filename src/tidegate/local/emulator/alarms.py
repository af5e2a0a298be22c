"""CloudWatch's alarms, looked at as on AWS: by the metric's dimensions, period by period, with an event.

The emulator's own look takes every dimension together, and only when someone puts a metric over the wire.
"""

from __future__ import annotations

import operator
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from tidegate.local.emulator import clocks, events, metrics
from tidegate.local.emulator.names import metrics as watch
from tidegate.local.emulator.retention.points import since

EVERY_SECONDS = 2.0
_COMPARE: dict[str, Callable[[float, float], bool]] = {
    "GreaterThanOrEqualToThreshold": operator.ge,
    "GreaterThanThreshold": operator.gt,
    "LessThanThreshold": operator.lt,
    "LessThanOrEqualToThreshold": operator.le,
}


def install() -> None:
    """Have alarms looked at our way, every few seconds too."""
    watch.replace("evaluate", evaluate)
    clocks.every(EVERY_SECONDS, look, "The alarms")


def look() -> None:
    """Look at every alarm once."""
    alarms = list(watch.alarms.values())
    metrics.API_CALLS.flush()
    named = [alarm for alarm in alarms if alarm.get("Namespace") == "AWS/SQS"]
    metrics.sample_queues({each["Value"] for alarm in named for each in alarm["Dimensions"]})
    for alarm in alarms:
        evaluate(alarm)


def evaluate(alarm: dict[str, Any]) -> None:
    """Look at one alarm; a change of its state is noted, acted upon and put on the event bus."""
    state, reason = state_of(alarm, time.time())
    before = alarm["StateValue"]
    if state == before:
        return
    alarm.update(StateValue=state, StateReason=reason, StateUpdatedTimestamp=int(time.time()))
    watch.note(alarm["AlarmName"], before, state, reason)
    watch.act(alarm, before, state, reason)
    events.emit(
        "CloudWatch Alarm State Change", _detail(alarm, before), [alarm["AlarmArn"]], "aws.cloudwatch"
    )


def state_of(alarm: dict[str, Any], now: float) -> tuple[str, str]:
    """Decide which state an alarm is in, and why.

    Parameters
    ----------
    alarm
        The alarm as CloudWatch describes it; those over several metrics are not known here.
    now
        The time in seconds.
    """
    if not alarm.get("MetricName") or alarm["ComparisonOperator"] not in _COMPARE:
        return str(alarm["StateValue"]), str(alarm["StateReason"])
    values = _values(alarm, now)
    threshold, needed = float(alarm["Threshold"]), int(alarm.get("DatapointsToAlarm") or len(values))
    missing = str(alarm.get("TreatMissingData") or "missing")
    if all(value is None for value in values) and missing in ("missing", "ignore"):
        state = "INSUFFICIENT_DATA" if missing == "missing" else str(alarm["StateValue"])
        return state, "Unchecked: there are no data points."
    breaches = _COMPARE[alarm["ComparisonOperator"]]
    crossed = [missing == "breaching" if value is None else breaches(value, threshold) for value in values]
    seen = ", ".join("none" if value is None else f"{value:g}" for value in values)
    what = f"{sum(crossed)} of the last {len(values)} data points [{seen}] of {alarm['MetricName']}"
    reason = f"Threshold Crossed: {what} {alarm['ComparisonOperator']} {threshold:g}."
    return ("ALARM" if sum(crossed) >= needed else "OK"), reason


def _values(alarm: dict[str, Any], now: float) -> list[float | None]:
    """Give the statistic of each evaluated period, the newest first."""
    dimensions = {each["Name"]: each["Value"] for each in alarm.get("Dimensions") or []}
    key = metrics.key_of(alarm["Namespace"], alarm["MetricName"], dimensions)
    period, periods = float(alarm["Period"]), int(alarm["EvaluationPeriods"])
    points = since(watch.points.get(key), now - period * periods)
    statistic = alarm.get("ExtendedStatistic") or alarm.get("Statistic", "Average")
    values: list[float | None] = []
    for number in range(periods):
        end = now - number * period
        own = [point for point in points if end - period < point["Timestamp"] <= end]
        values.append(watch.statistic(watch.statistics(own), statistic, own) if own else None)
    return values


def _detail(alarm: dict[str, Any], before: str) -> dict[str, Any]:
    at = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f+0000")
    metric = {
        "namespace": alarm["Namespace"],
        "name": alarm["MetricName"],
        "dimensions": {each["Name"]: each["Value"] for each in alarm.get("Dimensions") or []},
    }
    statistic = alarm.get("ExtendedStatistic") or alarm.get("Statistic", "Average")
    measured = {"metric": metric, "period": alarm["Period"], "stat": statistic}
    return {
        "alarmName": alarm["AlarmName"],
        "state": {"value": alarm["StateValue"], "reason": alarm["StateReason"], "timestamp": at},
        "previousState": {"value": before},
        "configuration": {
            "description": alarm.get("AlarmDescription", ""),
            "metrics": [{"id": "measured", "metricStat": measured, "returnData": True}],
        },
    }
