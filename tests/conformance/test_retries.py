"""The retry rules of every Task against the one table, so that they cannot drift apart."""

import pytest

from tests.conformance.asl import read_machine, states
from tests.conformance.retries import OWN, QUOTA, RULES, mean_seconds, most_seconds, rules_of, written
from tests.conformance.test_asl import MACHINES
from tests.conformance.troubles import GENERAL, service_of

pytestmark = pytest.mark.conformance

TASKS = [
    pytest.param(state.path[-1], state.body, id=f"{path.name.split('.')[0]}: {state.path[-1]}")
    for path in MACHINES
    for state in states(read_machine(path))
    if state.body["Type"] == "Task"
]


@pytest.mark.parametrize(("name", "body"), TASKS)
def test_a_task_tries_again_what_the_table_says(name, body):
    assert written(body["Retry"]) == rules_of(name, body)


def test_the_table_has_no_rule_that_no_task_uses():
    assert set(RULES) == {service_of(param.values[1]["Resource"]) for param in TASKS}
    assert set(OWN) <= {param.values[0] for param in TASKS}


def test_a_quota_that_is_used_up_is_asked_about_for_an_hour_at_the_mean():
    assert mean_seconds((("any",), *QUOTA)) >= 3600


@pytest.mark.parametrize("service", ["sagemaker", "dynamodb", "aws-sdk:ssm"])
def test_what_no_trying_again_mends_is_told_within_half_a_minute(service):
    # A ValidationException comes under the general exception, and these services' throttles do not.
    for rule in RULES[service]:
        assert GENERAL[service] not in rule[0] or (len(rule[0]) == 1 and most_seconds(rule) <= 30)
