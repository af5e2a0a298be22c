"""What CloudFormation, IAM, Lambda and Step Functions bound, of the template as SAM translates it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conformance.synthesis import of_kind, template, texts

pytestmark = pytest.mark.conformance

ROOT = Path(__file__).parents[2]
KIB = 1024
# AWS's quotas: "AWS CloudFormation quotas", "IAM and AWS STS quotas", "Lambda quotas", "Quotas for Step Functions".
MOST_RESOURCES, MOST_PARAMETERS, MOST_OUTPUTS, MOST_TEMPLATE = 500, 200, 200, 1000 * KIB
MOST_INLINE, MOST_TRUST, MOST_ENVIRONMENT, MOST_DEFINITION = 10_240, 2_048, 4 * KIB, 1024 * KIB
ROOM = 0.8  # of a budget may be used: what a condition adds, and what comes next, must fit too


def plain(document: Any) -> str:
    """Write a policy as IAM counts it: without blanks, with each reference as long as an ARN may be."""
    text = json.dumps(document, separators=(",", ":"))
    return re.sub(r"\$\{[^}]*\}|\{\"(?:Ref|Fn::\w+)\":[^}]*\}", "x" * 60, text)


def test_the_template_stays_within_cloudformation_s_budgets():
    whole = template()
    assert len(whole["Resources"]) <= ROOM * MOST_RESOURCES
    assert len(whole["Parameters"]) <= ROOM * MOST_PARAMETERS
    assert len(whole["Outputs"]) <= ROOM * MOST_OUTPUTS
    assert len(json.dumps(whole)) <= ROOM * MOST_TEMPLATE


@pytest.mark.parametrize("name", of_kind("AWS::IAM::Role"))
def test_a_role_s_policies_fit(name):
    role = of_kind("AWS::IAM::Role")[name]
    inline = sum(len(plain(each["PolicyDocument"])) for each in role.get("Policies", []))
    assert inline <= ROOM * MOST_INLINE
    assert len(plain(role["AssumeRolePolicyDocument"])) <= ROOM * MOST_TRUST
    assert len(role.get("ManagedPolicyArns", [])) <= 10


@pytest.mark.parametrize("name", of_kind("AWS::Lambda::Function"))
def test_a_function_s_variables_fit(name):
    function = of_kind("AWS::Lambda::Function")[name]
    variables = function.get("Environment", {}).get("Variables", {})
    size = sum(len(key) + max([0, *map(len, texts(value))]) for key, value in variables.items())
    assert size <= ROOM * MOST_ENVIRONMENT
    assert len(function.get("Layers", [])) <= 5


@pytest.mark.parametrize("path", sorted((ROOT / "statemachines").glob("*.yaml")), ids=lambda path: path.name)
def test_a_machine_s_definition_fits(path):
    # CloudFormation hands it on as JSON; an address is longer than the name of its substitution.
    text = re.sub(r"\$\{\w+\}", "x" * 120, json.dumps(yaml.safe_load(path.read_text())))
    assert len(text.encode()) <= ROOM * MOST_DEFINITION


def references(value: Any) -> Iterator[str]:
    """Give the logical ids that a value mentions, in whichever form."""
    if isinstance(value, dict):
        for key, each in value.items():
            if key == "Ref":
                yield each
            elif key == "Fn::GetAtt":
                yield each[0] if isinstance(each, list) else each.split(".")[0]
            elif key == "Fn::Sub":
                text, own = (each, {}) if isinstance(each, str) else each
                names = {found.split(".")[0] for found in re.findall(r"\$\{([^!}][^}]*)\}", text)}
                yield from names - set(own)
                yield from references(own)
            else:
                yield from references(each)
    elif isinstance(value, list):
        for each in value:
            yield from references(each)


def needs(resources: dict[str, Any]) -> dict[str, set[str]]:
    """Return for each resource those that must be made before it."""
    found = {}
    for name, body in resources.items():
        told = body.get("DependsOn", [])
        other = {key: value for key, value in body.items() if key not in ("DependsOn", "Type")}
        found[name] = ({told} if isinstance(told, str) else set(told)) | set(references(other))
    return {name: {each for each in named if each in resources} for name, named in found.items()}


def test_no_resource_waits_for_itself():
    order = list(TopologicalSorter(needs(template()["Resources"])).static_order())
    assert len(order) == len(template()["Resources"])


def test_a_circle_is_found():
    circle = {
        "A": {"Properties": {"X": {"Fn::Sub": "${B.Arn}/*"}}},
        "B": {"Properties": {"Y": [{"Fn::GetAtt": ["C", "Arn"]}]}},
        "C": {"DependsOn": "A"},
    }
    with pytest.raises(CycleError):
        list(TopologicalSorter(needs(circle)).static_order())
