"""Least privilege as the template states it; `tests/e2e/test_privileges.py` shows that all of it is needed."""

import dataclasses
import re

import pytest

from tests.conformance.authorization import action
from tests.conformance.synthesis import ROOT, Statement, of_kind, statements, template

pytestmark = pytest.mark.conformance

ALLOWED = [each for each in statements() if each.effect == "Allow" and not each.trust]
# Actions that AWS could grant on a named resource, where another thing bounds them.
BOUNDED = {
    "cloudwatch:PutMetricData": "by the condition on the namespace; its resource is a dataset, which we have none of",
    "logs:DescribeLogGroups": "log delivery asks it of all log groups, as the guide of Step Functions says",
}
# The policies of AWS itself that SAM adds to the roles of functions.
FROM_SAM = {"arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"}
ALL_OF_A_KIND = re.compile(r"\*|(?:[^:]*:){5}[a-z-]+[/:]\*")


def too_wide(statement: Statement) -> list[str]:
    """Give the actions of a statement that are wildcards, or granted on everything where AWS takes a name."""
    found = [each for each in statement.actions if "*" in each]
    if "*" in statement.resources:
        named = [each for each in statement.actions if "*" not in each and action(each).resources]
        found += sorted(set(named) - BOUNDED.keys())
    return found


def test_nothing_is_allowed_by_a_wildcard_where_aws_takes_a_name():
    assert {each.name: too_wide(each) for each in ALLOWED if too_wide(each)} == {}


def test_nothing_is_allowed_by_what_it_is_not():
    bodies = str(template()["Resources"])
    assert "NotAction" not in bodies
    assert bodies.count("'NotResource'") == 1  # the Deny that keeps functions to their own logs


@pytest.mark.parametrize(
    ("actions", "wide"),
    [(("s3:*",), ["s3:*"]), (("s3:GetObject",), ["s3:GetObject"]), (("sagemaker:ListModels",), [])],
)
def test_a_statement_that_is_too_wide_is_found(actions, wide):
    narrow = Statement("Role", "Read", "Allow", ("s3:GetObject",), ("arn:aws:s3:::bucket/*/spec.json",))
    assert too_wide(narrow) == []
    assert too_wide(dataclasses.replace(narrow, actions=actions, resources=("*",))) == wide


def test_every_resource_that_stands_for_all_of_its_kind_is_explained_in_place():
    lines = (ROOT / "template.yaml").read_text().splitlines()
    broad = {each.sid for each in ALLOWED if any(map(ALL_OF_A_KIND.fullmatch, each.resources))}
    assert broad
    for sid in broad:
        places = [at for at, line in enumerate(lines) if re.search(rf"Sid: {sid}\b", line)]
        assert places
        for at in places:
            told = "#" in lines[at] or lines[at - 1].strip().startswith("#")
            assert told, f"template.yaml:{at + 1}: say why {sid} names no resource"


def test_a_role_passed_on_goes_to_one_service_alone():
    passing = [each for each in ALLOWED if "iam:PassRole" in each.actions]
    assert passing
    assert [each.name for each in passing if "iam:PassedToService" not in each.condition_keys] == []


def test_the_wide_policy_that_sam_gives_to_functions_is_narrowed_to_the_stack_s_own_log_group():
    # It allows to write all logs of the account; a Deny that every such role has takes back the others.
    narrowing = of_kind("AWS::IAM::ManagedPolicy")["OwnLogsOnlyPolicy"]
    [statement] = narrowing["PolicyDocument"]["Statement"]
    assert statement["Effect"] == "Deny"
    assert statement["NotResource"] == {"Fn::GetAtt": ["FunctionsLogGroup", "Arn"]}
    assert set(statement["Action"]) == {"logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"}
    narrowed = {each["Ref"] for each in narrowing["Roles"]}
    for name, role in of_kind("AWS::IAM::Role").items():
        managed = role.get("ManagedPolicyArns") or []
        assert set(managed) <= FROM_SAM, name
        assert not managed or name in narrowed, f"{name} may write every log group: see OwnLogsOnlyPolicy"


def test_a_service_that_acts_in_a_role_of_ours_does_so_for_this_account_alone():
    for name in ("SageMakerRole", "ScheduleRole", "CollectAtNightRole"):
        [trust] = of_kind("AWS::IAM::Role")[name]["AssumeRolePolicyDocument"]["Statement"]
        assert trust["Condition"] == {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}
