"""What is seen of the stack from outside: every alarm goes on, and people hear what it means."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.e2e import cars, watching
from tests.e2e.town import Town, csv_bytes

# Set off by what really happens; the others by a metric that is put.
REALLY = {"training-failed", "scoring-failed", "check-failed", "dead-letters"}


def alarms_of(town: Town) -> list[dict[str, Any]]:
    """Give the stack's own alarms; of a model's drift its check has told people when its alarm goes on."""
    found = town.client("cloudwatch").describe_alarms(AlarmNamePrefix=f"{town.stack}-")["MetricAlarms"]
    return [each for each in found if not each["AlarmName"].startswith(f"{town.stack}-drift/")]


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
    assert {f"{town.stack}-{name}" for name in REALLY} < names
    # A training, a scoring and a check that fail at once, and an event that could not be delivered.
    logistic = {"num_round": 3, "objective": "reg:logistic"}  # which prices are not fit for
    town.declare(cars.spec("fails-to-train", algorithms={"xgboost": {"hyperparameters": logistic}}))
    town.drop("fails-to-train", "cars.csv", csv_bytes(cars.rows(60)))
    town.drop("fails-to-train", "cars.csv", csv_bytes(cars.rows(3)), "score")  # there is no model yet
    watching.start(town, "nobody-checks")
    sqs, queue = town.client("sqs"), town.outputs["DeadLetterQueueUrl"]
    sqs.send_message(QueueUrl=queue, MessageBody="{}")
    for alarm in alarms:
        if alarm["AlarmName"].removeprefix(f"{town.stack}-") not in REALLY:
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
