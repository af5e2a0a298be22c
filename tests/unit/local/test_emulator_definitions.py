"""State machine definitions in YAML reach Step Functions as JSON."""

import json

from tidegate.local.emulator.definitions import _as_json


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
