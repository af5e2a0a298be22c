"""The shipped state machines against rules that others wrote: the ASL schema, JSONata, botocore's shapes."""

import json
import re
from pathlib import Path

import jsonata
import pytest
import yaml
from cfnlint.api import lint

from tests.conformance.asl import complaints, expressions, operation, read_machine, states

pytestmark = pytest.mark.conformance

ROOT = Path(__file__).parents[2]
MACHINES = sorted((ROOT / "statemachines").glob("*.asl.yaml"))
each_machine = pytest.mark.parametrize("path", MACHINES, ids=lambda path: path.name)


class AnyTagLoader(yaml.SafeLoader):
    """Reads a template, its !Ref and friends as plain values."""


def _plain(loader: yaml.Loader, _suffix: str, node: yaml.Node) -> object:
    if isinstance(node, yaml.ScalarNode):
        return loader.construct_scalar(node)
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    return loader.construct_mapping(node, deep=True)


AnyTagLoader.add_multi_constructor("!", _plain)
TEMPLATE = yaml.load((ROOT / "template.yaml").read_text(), Loader=AnyTagLoader)


def assigned(body: dict) -> set[str]:
    """Give the variables that a state assigns, on whichever way out of it."""
    ways = [body, *body.get("Choices", []), *body.get("Catch", [])]
    return {name for way in ways for name in way.get("Assign", {})}


def test_there_is_a_machine_to_check():
    assert MACHINES


@pytest.mark.slow
@each_machine
def test_a_machine_fits_the_asl_schema(path):
    # cfn-lint carries the schema and knows what JSONata changes in it, for a machine written into a template.
    machine = {
        "Type": "AWS::StepFunctions::StateMachine",
        "Properties": {
            "RoleArn": "arn:aws:iam::123456789012:role/a-role",
            "Definition": read_machine(path),
        },
    }
    found = lint(json.dumps({"Resources": {"Machine": machine}}), regions=["us-east-1"])
    assert [f"{match.rule.id} {match.message}" for match in found] == []


@pytest.mark.slow
@each_machine
def test_every_next_names_a_state_and_every_state_is_reached(path):
    def check(machine: dict) -> None:
        names = set(machine["States"])
        targets = {machine["StartAt"]}
        for body in machine["States"].values():
            targets |= {body[key] for key in ("Next", "Default") if key in body}
            targets |= {rule["Next"] for key in ("Choices", "Catch") for rule in body.get(key, [])}
            for part in [body["ItemProcessor"]] if "ItemProcessor" in body else body.get("Branches", []):
                check(part)
        assert targets == names

    check(read_machine(path))


@each_machine
def test_a_state_s_name_is_its_own_in_the_whole_machine_and_fits(path):
    names = [state.path[-1] for state in states(read_machine(path))]
    assert len(names) == len(set(names))
    assert max(map(len, names)) <= 80


@each_machine
def test_an_inner_scope_does_not_assign_what_an_outer_one_has(path):
    # Step Functions refuses a variable of a Map or Parallel that has the name of one outside it.
    def check(machine: dict, outer: set[str]) -> None:
        own = {name for body in machine["States"].values() for name in assigned(body)}
        assert not own & outer
        for body in machine["States"].values():
            for part in [body["ItemProcessor"]] if "ItemProcessor" in body else body.get("Branches", []):
                check(part, own | outer)

    check(read_machine(path), set())


@each_machine
def test_every_expression_is_jsonata(path):
    broken = []
    for state in states(read_machine(path)):
        body = {key: value for key, value in state.body.items() if key not in ("ItemProcessor", "Branches")}
        for text in expressions(body):
            try:
                jsonata.Jsonata(text)
            except jsonata.JException as error:
                broken.append(f"{state.name}: {text}: {error}")
    assert broken == []


@pytest.mark.slow
@each_machine
def test_every_call_has_the_members_that_the_service_knows(path):
    found = []
    for state in states(read_machine(path)):
        if state.body["Type"] == "Task":
            shape = operation(state.body["Resource"]).input_shape
            found += [f"{state.name}: {each}" for each in complaints(state.body["Arguments"], shape)]
    assert found == []


@each_machine
def test_every_task_retries_is_caught_and_has_a_timeout(path):
    for state in states(read_machine(path)):
        if state.body["Type"] == "Task":
            assert state.body.get("Retry"), f"{state.name} has no Retry"
            assert state.caught, f"nothing catches {state.name}"
            assert "TimeoutSeconds" in state.body, f"{state.name} has no TimeoutSeconds"


@each_machine
def test_every_lambda_task_retries_the_throttle_that_bounded_concurrency_gives(path):
    for state in states(read_machine(path)):
        if state.body.get("Resource") == "arn:aws:states:::lambda:invoke":
            retried = {name for rule in state.body["Retry"] for name in rule["ErrorEquals"]}
            assert "Lambda.TooManyRequestsException" in retried, state.name


@each_machine
def test_a_choice_assigns_on_its_rules_alone(path):
    # AWS's texts contradict each other on a Choice's own Assign beside a rule that has none.
    assert [state.name for state in states(read_machine(path)) if _assigns_by_itself(state.body)] == []


def _assigns_by_itself(body: dict) -> bool:
    return body["Type"] == "Choice" and "Assign" in body


def test_a_choice_that_assigns_by_itself_is_found():
    assert _assigns_by_itself({"Type": "Choice", "Assign": {"a": 1}, "Choices": [{"Next": "b"}]})
    assert not _assigns_by_itself({"Type": "Choice", "Choices": [{"Next": "b", "Assign": {"a": 1}}]})


@pytest.mark.slow
@each_machine
def test_a_machine_names_no_partition_of_its_own(path):
    # In China, GovCloud and the isolated regions an integration's ARN begins with their partition.
    assert "arn:aws:" not in path.read_text()
    for partition in ("aws-cn", "aws-us-gov", "aws-iso"):
        for state in states(read_machine(path, partition)):
            if state.body["Type"] == "Task":
                assert state.body["Resource"].startswith(f"arn:{partition}:states:::"), state.name


@each_machine
def test_every_substitution_is_defined_and_used(path):
    used = set(re.findall(r"\$\{(\w+)\}", path.read_text()))
    machine = next(
        resource["Properties"]
        for resource in TEMPLATE["Resources"].values()
        if resource["Type"] == "AWS::Serverless::StateMachine"
        and resource["Properties"]["DefinitionUri"] == f"statemachines/{path.name}"
    )
    assert used == set(machine["DefinitionSubstitutions"])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"TransformJobNme": "x"}, "TransformJobNme is not a member"),
        ({"ModelName": None}, "ModelName is missing"),
        ({"TransformResources": {"InstanceCount": "one"}}, "'one' is not a integer"),
        ({"TransformInput": {"SplitType": "Lines"}}, "'Lines' is not one of"),
    ],
)
def test_a_wrong_or_misspelt_parameter_is_found(change, complaint):
    machine = read_machine(ROOT / "statemachines" / "train.asl.yaml")
    score = next(state.body for state in states(machine) if state.path[-1] == "Score with the candidate")
    arguments = {**score["Arguments"], **change}
    arguments = {key: value for key, value in arguments.items() if value is not None}
    found = list(complaints(arguments, operation(score["Resource"]).input_shape))
    assert any(complaint in each for each in found), found
