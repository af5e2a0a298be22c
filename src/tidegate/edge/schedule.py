"""When a model is checked: one schedule a model, made or changed as its file is put in force."""

from __future__ import annotations

import json
import os

from botocore.exceptions import ClientError

from tidegate.core.monitor import rate
from tidegate.core.spec import ModelSpec
from tidegate.edge.storage import client

# What the scheduler puts in its place: with it the same delivery twice is the same run.
SCHEDULED_TIME = "<aws.scheduler.scheduled-time>"


def schedule_checks(spec: ModelSpec) -> None:
    """Have a model checked as often as its file says; repeating it changes nothing."""
    wanted = {
        "Name": spec.name,
        "GroupName": os.environ["SCHEDULE_GROUP"],
        "ScheduleExpression": rate(spec.monitor.every),
        "FlexibleTimeWindow": {"Mode": "OFF"},
        "Description": f"Check what {spec.name} predicts",
        "Target": {
            "Arn": os.environ["MONITOR_MACHINE_ARN"],
            "RoleArn": os.environ["SCHEDULE_ROLE_ARN"],
            "Input": json.dumps({"model": spec.name, "asked": SCHEDULED_TIME}),
            "RetryPolicy": {"MaximumRetryAttempts": 5, "MaximumEventAgeInSeconds": 3600},
            "DeadLetterConfig": {"Arn": os.environ["DEAD_LETTER_QUEUE_ARN"]},
        },
    }
    try:
        client("scheduler").create_schedule(**wanted)
    except ClientError as error:
        if error.response["Error"]["Code"] != "ConflictException":
            raise
        client("scheduler").update_schedule(**wanted)
