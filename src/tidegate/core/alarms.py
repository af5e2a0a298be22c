"""The alarm of a model: on while its checks find drift, by a metric that they publish of the model alone."""

from __future__ import annotations

from typing import Any

from tidegate.core.monitor import Monitor, seconds_of
from tidegate.core.verdict_metrics import BY_MODEL, VERDICTS

BY_STACK = "service"  # the dimension that Powertools gives every metric of the stack
NAMESPACE = "Tidegate"
LOOKED_BACK = 2  # periods: a check that comes a little later than the one before leaves one without
_LEAST, _MOST = 300, 86_400  # seconds of a period; of longer ones CloudWatch looks back no further
_GRAIN = 60


def drift_alarm_name(stack: str, model: str) -> str:
    """Name the alarm of a model; with the slash it is no other stack's, however that is called.

    >>> drift_alarm_name("tidegate", "used-cars")
    'tidegate-drift/used-cars'
    """
    return f"{stack}-drift/{model}"


def drift_alarm(stack: str, model: str, monitor: Monitor) -> dict[str, Any]:
    """Write the alarm of a model as `PutMetricAlarm` takes it.

    It goes on when a check finds drift, or that the quality has fallen, and off when a check does not: a
    period is as long as the time from one check to the next.
    """
    period = min(_MOST, max(_LEAST, -(-seconds_of(monitor.every) // _GRAIN) * _GRAIN))
    return {
        "AlarmName": drift_alarm_name(stack, model),
        "AlarmDescription": f"Checks of {model} find drift, or its quality has fallen. "
        f"`tidegate report {model}` shows in what, `tidegate models` since when.",
        "Namespace": NAMESPACE,
        "MetricName": VERDICTS["drift"],
        "Dimensions": [{"Name": BY_STACK, "Value": stack}, {"Name": BY_MODEL, "Value": model}],
        "Statistic": "Sum",
        "Period": period,
        "EvaluationPeriods": LOOKED_BACK,
        "DatapointsToAlarm": 1,
        "ComparisonOperator": "GreaterThanOrEqualToThreshold",
        "Threshold": 1.0,
        "TreatMissingData": "notBreaching",
    }
