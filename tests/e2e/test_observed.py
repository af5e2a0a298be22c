"""What is seen of the stack from outside: every alarm goes on and is told; nothing of the data is in what is told."""

from __future__ import annotations

import json
import time
import uuid
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.e2e import cars, watching
from tests.e2e.town import Town, csv_bytes

CANARY = "Xq7Canary"  # letters and digits that nothing else has
QUICK = {"xgboost": {"hyperparameters": {"num_round": 3}, "instance": "ml.m5.large"}}
# Set off by what really happens; the others by a metric that is put.
REALLY = {"training-failed", "scoring-failed", "check-failed", "dead-letters"}


def alarms_of(town: Town) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = town.client("cloudwatch").describe_alarms(AlarmNamePrefix="tidegate-")[
        "MetricAlarms"
    ]
    return found


def told_of_alarms(town: Town) -> set[str]:
    keys = [key for key in town.keys(town.artifacts, "notifications/") if key.endswith("-alarm-on.json")]
    return {town.artifact_json(key)["subject"].removeprefix("Alarm: ") for key in keys}


def breach(town: Town, alarm: dict[str, Any]) -> None:
    """Put what sets an alarm off into each of the periods that it looks at."""
    now = datetime.now(UTC)
    # One in a hundred has to be among all that other tests asked meanwhile.
    times = 300 if "ExtendedStatistic" in alarm else 1
    data = [
        {
            "MetricName": alarm["MetricName"],
            "Dimensions": alarm["Dimensions"],
            "Timestamp": now - timedelta(seconds=number * alarm["Period"] + 1),
            "Value": alarm["Threshold"],
        }
        for number in range(alarm["EvaluationPeriods"])
        for _ in range(times)
    ]
    town.client("cloudwatch").put_metric_data(Namespace=alarm["Namespace"], MetricData=data)


def test_every_alarm_goes_on_and_people_hear_what_it_means_and_what_to_do(town: Town):
    alarms = alarms_of(town)
    names = {each["AlarmName"] for each in alarms}
    assert {f"tidegate-{name}" for name in REALLY} < names
    # A training, a scoring and a check that fail at once, and an event that could not be delivered.
    town.declare(cars.spec("fails-to-train", algorithms={"xgboost": {"hyperparameters": {"etaa": 1}}}))
    town.drop("fails-to-train", "cars.csv", csv_bytes(cars.rows(60)))
    town.drop("fails-to-train", "cars.csv", csv_bytes(cars.rows(3)), "score")  # there is no model yet
    watching.start(town, "nobody-checks")
    sqs, queue = town.client("sqs"), town.outputs["DeadLetterQueueUrl"]
    sqs.send_message(QueueUrl=queue, MessageBody="{}")
    for alarm in alarms:
        if alarm["AlarmName"].removeprefix("tidegate-") not in REALLY:
            breach(town, alarm)
    with suppress(AssertionError):
        town.until(lambda: names <= told_of_alarms(town), "people heard of every alarm")
    taken = sqs.receive_message(QueueUrl=queue)["Messages"]
    for message in taken:
        sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
    assert names - told_of_alarms(town) == set()
    assert {each["StateValue"] for each in alarms_of(town)} <= {"ALARM", "OK"}
    for alarm in alarms:
        assert any(word in alarm["AlarmDescription"] for word in ("`tidegate ", "log of", "help"))


def canaries(count: int) -> list[dict[str, Any]]:
    """Make cars whose every text is a canary: ids, a category, and what is not asked for."""
    made = cars.rows(count, seed=77)
    return [
        {**car, "listing": f"{CANARY}-id-{n}", "make": f"{CANARY}-make", "owner": f"{CANARY}-owner-{n}"}
        for n, car in enumerate(made)
    ]


def everything_said(town: Town, since: float) -> dict[str, str]:
    """Read every log line, notification and run record since a moment, by where it stands."""
    said = {}
    logs = town.client("logs")
    for page in logs.get_paginator("describe_log_groups").paginate():
        for group in page["logGroups"]:
            name = group["logGroupName"]
            found = logs.get_paginator("filter_log_events").paginate(
                logGroupName=name, startTime=int(since * 1000)
            )
            said[name] = "\n".join(event["message"] for each in found for event in each["events"])
    for key in town.keys(town.artifacts, "notifications/"):
        said[key] = town.read(town.artifacts, key).decode()
    for page in town.client("dynamodb").get_paginator("scan").paginate(TableName=town.outputs["RunsTable"]):
        said.update({f"record {item['run']['S']}": json.dumps(item) for item in page["Items"]})
    return said


def test_no_value_of_the_data_is_in_a_log_a_notification_or_a_record(town: Town):
    began = time.time()
    name = f"canary-{uuid.uuid4().hex[:6]}"
    town.declare(cars.spec(name, algorithms=QUICK, gate={"at_most": 1e9}))
    rows = canaries(80)
    good = town.train(name, "good.csv", csv_bytes(rows))
    assert good["status"] == "SUCCEEDED", good["reason"]
    bad = [{**row, "km": f"{CANARY}-km" if n == 40 else row["km"]} for n, row in enumerate(rows)]
    refused = town.train(name, "bad.csv", csv_bytes(bad))
    assert "line 42" in refused["reason"]
    assert "km" in refused["reason"]
    ragged = town.train(name, "ragged.csv", csv_bytes(rows) + f"{CANARY},{CANARY}-cut\n".encode())
    assert ragged["status"] == "REFUSED"
    scored = town.score(name, "bad.csv", csv_bytes(bad))
    assert scored["result"].get("rejected") == 1, scored["reason"]
    town.declare(
        cars.spec(name, algorithms={"xgboost": {"hyperparameters": {"etaa": 1}}}, gate={"at_most": 1e8})
    )
    failed = town.train(name, "failing.csv", csv_bytes(canaries(81)))
    assert "etaa" in failed["reason"]
    said = everything_said(town, began)
    assert any("TrainingJobs" in where for where in said)
    assert [where for where, text in said.items() if CANARY in text] == []
    # Who may read the data finds the value beside the file.
    kept = refused["result"]["kept_at"].removeprefix(f"s3://{town.data}/")
    assert f"{CANARY}-km" in town.read(town.data, f"{kept}.reason.json").decode()
