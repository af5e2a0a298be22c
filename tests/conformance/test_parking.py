"""Every asynchronous hop has somewhere to park what cannot be delivered, and leave to put it there."""

from __future__ import annotations

import pytest

from tests.conformance.synthesis import of_kind, template

pytestmark = pytest.mark.conformance

PARKED = {"Fn::GetAtt": ["DeadLetterQueue", "Arn"]}
RULES = [
    pytest.param(target, id=f"{name}: {target['Id']}")
    for name, rule in of_kind("AWS::Events::Rule").items()
    for target in rule["Targets"]
]
SCHEDULES = [
    pytest.param(schedule["Target"], id=name)
    for name, schedule in of_kind("AWS::Scheduler::Schedule").items()
]


@pytest.mark.parametrize("target", RULES + SCHEDULES)
def test_what_a_rule_or_a_schedule_cannot_deliver_is_parked(target):
    assert target["DeadLetterConfig"] == {"Arn": PARKED}
    assert target["RetryPolicy"]["MaximumRetryAttempts"] > 0


def test_the_schedules_that_a_function_makes_are_told_where_to_park_and_may():
    variables = of_kind("AWS::Lambda::Function")["RegisterModelFunction"]["Environment"]["Variables"]
    assert variables["DEAD_LETTER_QUEUE_ARN"] == PARKED
    [policy] = template()["Resources"]["ScheduleRole"]["Properties"]["Policies"]
    granted = {each["Action"]: each["Resource"] for each in policy["PolicyDocument"]["Statement"]}
    assert granted["sqs:SendMessage"] == PARKED
