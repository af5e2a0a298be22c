"""The alarm of a model in CloudWatch, made or changed as its file is put in force."""

from __future__ import annotations

import os

from tidegate.core.alarms import drift_alarm
from tidegate.core.spec import ModelSpec
from tidegate.edge.storage import client


def set_alarm(spec: ModelSpec) -> None:
    """Have an alarm say when a model drifts; repeating it changes nothing."""
    stack = os.environ["POWERTOOLS_SERVICE_NAME"]  # by which the stack's metrics are kept apart
    client("cloudwatch").put_metric_alarm(**drift_alarm(stack, spec.name, spec.monitor))
