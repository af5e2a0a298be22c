"""Which rights of the deployed roles were needed by what a suite did, decided by the evaluator that allowed it.

A right is a statement of a role's policies, or one action of one. It was needed if one of the requests that
the local cloud allowed (`TIDEGATE_IAM_RECORD`) would be denied without it: the same evaluator is asked again,
with the role's policies less that right, so that nothing has to run a second time.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.e2e.town import Town
from tidegate.local.emulator.names import policies
from tidegate.local.settings import ACCOUNT, REGION

Statement = dict[str, Any]


@dataclass(frozen=True)
class Right:
    """A statement of a role, or one action of it."""

    role: str
    sid: str
    actions: frozenset[str]
    action: str | None = None

    def __str__(self) -> str:
        return f"{self.role}/{self.sid}{f': {self.action}' if self.action else ''}"


@dataclass(frozen=True)
class Role:
    """A role of the stack by its names in template and account, with every statement that it has."""

    logical: str
    name: str
    statements: tuple[Statement, ...]

    def rights(self) -> Iterator[tuple[Right, list[Statement]]]:
        """Give each right, with the statements that are left without it."""
        for at, statement in enumerate(self.statements):
            if statement["Effect"] != "Allow":
                continue
            sid = statement.get("Sid") or f"statement of {self.logical}"
            others = [*self.statements[:at], *self.statements[at + 1 :]]
            actions = frozenset(actions_of(statement))
            yield Right(self.logical, sid, actions), others
            for action in sorted(actions):
                less = {**statement, "Action": [each for each in actions_of(statement) if each != action]}
                if less["Action"]:
                    yield Right(self.logical, sid, actions, action), [*others, less]


def actions_of(statement: Statement) -> list[str]:
    """Give the actions of a statement."""
    action = statement["Action"]
    return action if isinstance(action, list) else [action]


def roles_of(town: Town) -> list[Role]:
    """Read every role of the stack, with its own policies and those managed ones that are the stack's."""
    iam = town.client("iam")
    pages = town.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=town.stack)
    resources = [each for page in pages for each in page["StackResourceSummaries"]]
    found = []
    for each in resources:
        if each["ResourceType"] == "AWS::IAM::Role":
            name = each["PhysicalResourceId"]
            documents = [
                iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]
                for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]
            ]
            for policy in iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]:
                if not policy["PolicyArn"].startswith("arn:aws:iam::aws:"):
                    version = iam.get_policy(PolicyArn=policy["PolicyArn"])["Policy"]["DefaultVersionId"]
                    documents.append(
                        iam.get_policy_version(PolicyArn=policy["PolicyArn"], VersionId=version)[
                            "PolicyVersion"
                        ]["Document"]
                    )
            statements = [statement for document in documents for statement in document["Statement"]]
            found.append(Role(each["LogicalResourceId"], name, tuple(statements)))
    return found


def read_requests(record: Path) -> dict[str, list[dict[str, Any]]]:
    """Read what was allowed, by the names of the roles."""
    found: dict[str, list[dict[str, Any]]] = {}
    for line in record.read_text().splitlines():
        request = json.loads(line)
        found.setdefault(request["role"], []).append(request)
    return found


def allowed(request: dict[str, Any], statements: list[Statement]) -> bool:
    """Ask the local cloud's evaluator whether a role with these statements may do this."""
    question = policies.Question(
        principal_arn=f"arn:aws:sts::{ACCOUNT}:assumed-role/{request['role']}/session",
        principal_type="AssumedRole",
        principal_account=ACCOUNT,
        action=request["action"],
        resource_arn=request["resource"],
        region=REGION,
        secure_transport=True,
        service_context=request["context"],
    )
    granted = [policies.parse({"Statement": statements})]
    return bool(policies.evaluate(question, granted).decision == "Allow")


def spare_rights(roles: list[Role], requests: dict[str, list[dict[str, Any]]]) -> list[Right]:
    """Give the rights without which every recorded request would have been allowed all the same."""
    spare = []
    for role in roles:
        asked = requests.get(role.name, [])
        for right, left in role.rights():
            # Only what the right speaks of can be denied for the lack of it.
            named = {right.action} if right.action else right.actions
            about = [each for each in asked if each["action"] in named]
            if all(allowed(each, left) for each in about):
                spare.append(right)
    return spare
