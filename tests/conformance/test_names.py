"""Every name made of a stack's, a model's or a prefix's fits where AWS takes it, also for the longest of each."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import botocore.session
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.conformance.synthesis import template
from tidegate.core import names
from tidegate.core.algorithms import BUILT_IN

pytestmark = pytest.mark.conformance

RESOURCES: dict[str, dict[str, Any]] = template()["Resources"]
# Which member of which shape bounds a resource's name; a number where botocore's models say nothing.
BOUNDS: dict[tuple[str, str], tuple[str, str] | int] = {
    ("AWS::ApiGatewayV2::Api", "Name"): 128,
    ("AWS::CloudWatch::Alarm", "AlarmName"): ("cloudwatch", "AlarmName"),
    ("AWS::CloudWatch::Dashboard", "DashboardName"): 255,
    ("AWS::Glue::Job", "Name"): ("glue", "NameString"),
    ("AWS::Logs::LogGroup", "LogGroupName"): ("logs", "LogGroupName"),
    ("AWS::SSM::Parameter", "Name"): 1011,
    ("AWS::Scheduler::ScheduleGroup", "Name"): ("scheduler", "ScheduleGroupName"),
    ("AWS::StepFunctions::StateMachine", "StateMachineName"): ("stepfunctions", "Name"),
}
# They stand inside other properties, or are no resource's: a database's name, an event's source, a metric's dimension.
INNER = {"glue database": ("{}", 255), "event source": ("tidegate.{}", 256), "dimension": ("{}", 1024)}


def shape(service: str, name: str) -> dict[str, Any]:
    model = botocore.session.get_session().get_service_model(service)
    return dict(model.shape_for(name).metadata)


def most(bound: tuple[str, str] | int) -> int:
    return bound if isinstance(bound, int) else int(shape(*bound)["max"])


def named() -> Iterator[tuple[str, str, str, str]]:
    """Give every resource that names itself after the stack: its id, type, property and the name as a form."""
    for identity, resource in RESOURCES.items():
        for member, value in resource.get("Properties", {}).items():
            if not re.search("Name$", member) or not isinstance(value, dict):
                continue
            text = value.get("Fn::Sub", "${AWS::StackName}" if value == {"Ref": "AWS::StackName"} else "")
            if "${AWS::StackName}" in text:
                yield identity, resource["Type"], member, text


def fits(stack: str) -> list[str]:
    """Name the resources whose names would be too long."""
    made = [
        (each[0], each[3].replace("${AWS::StackName}", stack), most(BOUNDS[each[1], each[2]]))
        for each in named()
    ]
    made += [(what, form.format(stack), bound) for what, (form, bound) in INNER.items()]
    return [what for what, name, bound in made if len(name) > bound]


@pytest.mark.slow
def test_the_bound_of_a_stack_s_name_is_the_one_that_the_template_gives():
    assert len(list(named())) > 12
    assert fits("s" * names.STACK_NAME_MAX) == []
    assert fits("s" * (names.STACK_NAME_MAX + 1)) == ["MonitorSchedules"]


@pytest.mark.slow
def test_the_longest_stack_model_and_prefix_fit_in_everything_a_run_makes():
    stack, model, prefix, run = (
        "s" * names.STACK_NAME_MAX,
        "m" * names.MODEL_NAME_MAX,
        "abc",
        "0" * names.RUN_ID_LENGTH,
    )
    algorithm = max(BUILT_IN, key=len)
    # What the machine appends: a dash, a letter that says what for, an attempt's digit, an s for serverless.
    made = {
        ("sagemaker", "TrainingJobName"): names.job_name(prefix, model, algorithm, run) + "-1",
        ("sagemaker", "TransformJobName"): names.job_name(prefix, model, algorithm, run) + "-c1",
        ("sagemaker", "ModelName"): names.job_name(prefix, model, algorithm, run) + "-1s",
        ("sagemaker", "EndpointConfigName"): names.job_name(prefix, model, algorithm, run) + "-1",
        ("sagemaker", "EndpointName"): names.endpoint_name(prefix, model, algorithm),
        ("sagemaker", "HyperParameterTuningJobName"): names.tuning_job_name(prefix, algorithm, run) + "1",
        ("scheduler", "Name"): model,
    }
    for (service, kind), name in made.items():
        bound = shape(service, kind)
        assert len(name) <= bound["max"], kind
        assert re.fullmatch(bound.get("pattern", ".*"), name), kind
    parameter = names.parameter_name(stack, model, algorithm, "candidate")
    # An ARN of at most 1,011 characters, whose longest region and partition these are.
    assert len(f"arn:aws-us-gov:ssm:us-isof-south-1:123456789012:parameter{parameter}") <= 1011
    assert parameter.count("/") <= 15


@given(
    st.text("abcsmwAWSM-19_.é ", max_size=70) | st.from_regex(r"[A-Za-z][A-Za-z0-9-]{0,60}", fullmatch=True)
)
def test_a_stack_s_name_that_is_accepted_is_one_that_cloudformation_and_parameter_store_take(name: str):
    taken = names.stack_trouble(name) is None
    assert taken == (
        re.fullmatch("[a-zA-Z][-a-zA-Z0-9]*", name) is not None
        and len(name) <= names.STACK_NAME_MAX
        and not re.match("aws|ssm", name, re.I)
    )


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for each in value:
            yield from _references(each)
    elif isinstance(value, dict):
        for key, each in value.items():
            if key in ("Ref", "DependsOn"):
                yield from [each] if isinstance(each, str) else each
            elif key == "Fn::GetAtt":
                yield each[0] if isinstance(each, list) else each.split(".")[0]
            elif key == "Fn::Sub":
                yield from re.findall(r"\$\{(\w+)", each if isinstance(each, str) else each[0])
            else:
                yield from _references(each)


def test_nothing_is_made_before_the_names_are_known_to_be_good():
    """CloudFormation makes side by side what does not depend on another, and buckets and tables are retained."""

    def before(identity: str) -> set[str]:
        found: set[str] = set()
        ahead = [identity]
        while ahead:
            new = {each for each in _references(RESOURCES[ahead.pop()]) if each in RESOURCES} - found
            found |= new
            ahead += new
        return found

    at_once = {name for name in RESOURCES if "MonitorSchedules" not in before(name)}
    # A role and its policy cost nothing and go with the stack.
    rights = ("AWS::IAM::Role", "AWS::IAM::ManagedPolicy")
    others = {name for name in at_once if RESOURCES[name]["Type"] not in rights}
    assert others == {"NameOfTheStack", "MonitorSchedules"}
    assert before("MonitorSchedules") == {"NameOfTheStack"}
