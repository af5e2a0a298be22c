"""State machine definitions in YAML reach Step Functions as JSON."""

import json

import pytest

from tidegate.local.emulator.definitions import _as_json, _under_a_new_name
from tidegate.local.emulator.names import deployments


def test_a_yaml_definition_becomes_json_and_json_stays_as_it_is():
    convert = _as_json(lambda props: props["text"])
    assert json.loads(convert({"text": "# why\nStartAt: A\nStates: {A: {Type: Succeed}}\n"})) == {
        "StartAt": "A",
        "States": {"A": {"Type": "Succeed"}},
    }
    assert convert({"text": '{"StartAt":  "A"}'}) == '{"StartAt":  "A"}'


def test_what_is_neither_is_left_for_step_functions_to_refuse():
    convert = _as_json(lambda props: props["text"])
    assert convert({"text": "{[not: yaml"}) == "{[not: yaml"
    assert convert({"text": "just words"}) == "just words"


@pytest.mark.slow
def test_what_a_stack_makes_is_never_called_as_what_one_of_the_same_name_made_before():
    seeds = []

    def make(*_):
        seeds.append(deployments.seed.get())

    for _ in range(2):
        token = deployments.seed.set("")
        _under_a_new_name(make)("AWS::DynamoDB::Table", "RunsTable", {}, "tidegate")
        deployments.seed.reset(token)
    token = deployments.seed.set("of the record")
    _under_a_new_name(make)("AWS::DynamoDB::Table", "RunsTable", {}, "tidegate")
    deployments.seed.reset(token)
    first, second, updated = seeds
    assert first
    assert first != second
    assert updated == "of the record"
