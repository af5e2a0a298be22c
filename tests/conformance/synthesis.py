"""The template as CloudFormation gets it: SAM's short forms written out, every policy's statements as plain ARNs.

Conditions are not decided: both sides of an ``!If`` are there, so that what holds here holds for every choice.
"""

from __future__ import annotations

import functools
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse

from tests.conformance.authorization import forms

ROOT = Path(__file__).parents[2]
REGION, ACCOUNT = "us-east-1", "123456789012"
PSEUDO = {
    "AWS::Partition": "aws",
    "AWS::Region": REGION,
    "AWS::AccountId": ACCOUNT,
    "AWS::StackName": "tidegate",
    "AWS::URLSuffix": "amazonaws.com",
}
PARAMETERS = {"KmsKeyArn": f"arn:aws:kms:{REGION}:{ACCOUNT}:key/a-key", "NamePrefix": "tg"}
# What a resource of the template is to the authorization reference, whose forms say what its ARN looks like.
KINDS = {
    "AWS::DynamoDB::Table": ("dynamodb", "table"),
    "AWS::IAM::Role": ("iam", "role"),
    "AWS::Lambda::Function": ("lambda", "function"),
    "AWS::Lambda::LayerVersion": ("lambda", "layerVersion"),
    "AWS::Logs::LogGroup": ("logs", "log-group"),
    "AWS::S3::Bucket": ("s3", "bucket"),
    "AWS::Scheduler::Schedule": ("scheduler", "schedule"),
    "AWS::Scheduler::ScheduleGroup": ("scheduler", "schedule-group"),
    "AWS::SNS::Topic": ("sns", "topic"),
    "AWS::SQS::Queue": ("sqs", "queue"),
    "AWS::StepFunctions::StateMachine": ("states", "statemachine"),
}
REFERS_BY_ARN = {"AWS::Lambda::LayerVersion", "AWS::SNS::Topic", "AWS::StepFunctions::StateMachine"}


@dataclass(frozen=True)
class Statement:
    """One statement of a policy, its intrinsics worked out.

    Attributes
    ----------
    owner : str
        The logical id of what carries the policy: a role, a bucket's policy.
    resources : tuple of str
        Those that it is about, or of a ``NotResource`` those that it is not about.
    trust : bool
        Whether it says who may take a role on, and therefore names no resource.
    """

    owner: str
    sid: str
    effect: str
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    condition_keys: tuple[str, ...] = ()
    trust: bool = False

    @property
    def name(self) -> str:
        return f"{self.owner} / {self.sid}"


class _ManagedPolicies:
    """SAM asks for the ARNs of AWS's managed policies; it knows these by heart."""

    def load(self) -> dict[str, str]:
        return {}


@functools.cache
def template(tracing: str = "Disabled") -> dict[str, Any]:
    """Give the template with SAM's resources replaced by those that CloudFormation makes of them."""
    source = yaml_parse((ROOT / "template.yaml").read_text())
    for resource in source["Resources"].values():
        for place in ("CodeUri", "ContentUri", "DefinitionUri"):  # `sam package` puts an address there
            if place in resource["Properties"]:
                resource["Properties"][place] = "s3://packaged/key"
    os.environ.setdefault("AWS_DEFAULT_REGION", REGION)
    made: dict[str, Any] = transform(source, {"Tracing": tracing}, _ManagedPolicies())
    return made


def of_kind(kind: str, tracing: str = "Disabled") -> dict[str, dict[str, Any]]:
    """Give the resources of one type, their properties by name."""
    found = template(tracing)["Resources"].items()
    return {name: each.get("Properties", {}) for name, each in found if each["Type"] == kind}


@functools.cache
def statements() -> tuple[Statement, ...]:
    """Give every statement of every policy: of roles, managed policies, buckets and queues, and who trusts whom."""
    return tuple(_statements())


def _statements() -> Iterator[Statement]:
    for owner, resource in template()["Resources"].items():
        properties = resource.get("Properties", {})
        for place in ("PolicyDocument", "AssumeRolePolicyDocument"):
            if place in properties:
                yield from _read(owner, properties[place], trust=place.startswith("Assume"))
        if resource["Type"] == "AWS::IAM::Role":
            for policy in properties.get("Policies", []):
                yield from _read(owner, policy["PolicyDocument"], trust=False)


def _read(owner: str, document: dict[str, Any], trust: bool) -> Iterator[Statement]:
    for number, body in enumerate(_alternatives(document["Statement"])):
        conditions = body.get("Condition", {})
        yield Statement(
            owner,
            body.get("Sid", f"statement {number + 1}"),
            body["Effect"],
            tuple(texts(body["Action"])),
            tuple(texts(body.get("Resource", body.get("NotResource", [])))),
            tuple(key for comparison in conditions.values() for key in comparison),
            trust,
        )


def _alternatives(value: Any) -> Iterator[Any]:
    """Give what a value may be, list by list, both sides of an ``!If``, without what is left out."""
    if isinstance(value, list):
        for each in value:
            yield from _alternatives(each)
    elif isinstance(value, dict) and "Fn::If" in value:
        yield from _alternatives(value["Fn::If"][1:])
    elif value != {"Ref": "AWS::NoValue"}:
        yield value


def texts(value: Any) -> Iterator[str]:
    """Give the texts that a value of the template may come to."""
    for each in _alternatives(value):
        yield _text(each)


def _text(value: Any) -> str:
    if isinstance(value, str | int):
        return str(value)
    [(function, argument)] = value.items()
    if function == "Ref":
        return _reference(argument)
    if function == "Fn::GetAtt":
        name, attribute = argument if isinstance(argument, list) else argument.split(".", 1)
        return _attribute(name, attribute)
    if function == "Fn::Sub":
        text, own = argument if isinstance(argument, list) else (argument, {})
        return re.sub(r"\$\{([^}]+)\}", lambda found: _variable(found.group(1), own), text)
    if function == "Fn::FindInMap":
        table, *keys = argument
        found = template()["Mappings"][table]
        for key in keys:
            found = found[_text(key)]
        return str(found)
    raise LookupError(f"tests/conformance/synthesis.py does not know {function}; teach it")


def _variable(name: str, own: dict[str, Any]) -> str:
    if name in own:
        return _text(own[name])
    return _attribute(*name.split(".", 1)) if "." in name else _reference(name)


def _reference(name: str) -> str:
    if name in PSEUDO:
        return PSEUDO[name]
    if name in template()["Parameters"]:
        return PARAMETERS.get(name, str(template()["Parameters"][name].get("Default", name)))
    kind = template()["Resources"][name]["Type"]
    return _attribute(name, "Arn") if kind in REFERS_BY_ARN else name


def _attribute(name: str, attribute: str) -> str:
    if not attribute.endswith("Arn"):
        return name
    kind = template()["Resources"][name]["Type"]
    if kind not in KINDS:
        raise LookupError(f"tests/conformance/synthesis.py does not know the ARN of {kind}; add it to KINDS")
    service, what = KINDS[kind]
    known = {"Partition": PSEUDO["AWS::Partition"], "Region": PSEUDO["AWS::Region"], "Account": ACCOUNT}
    form = forms(service)[what]
    arn = re.sub(r"\$\{(\w+)\}", lambda found: known.get(found.group(1), name), form)
    return f"{arn}:*" if kind == "AWS::Logs::LogGroup" else arn  # CloudFormation means its streams too
