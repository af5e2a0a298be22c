"""Application Auto Scaling of the local cloud: what it keeps, what it refuses, over its own wire."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from tidegate.local.emulator.autoscaling import Scaling
from tidegate.local.emulator.permissions import task_needs
from tidegate.local.emulator.sdk_errors import sdk_error

TARGET = {
    "ServiceNamespace": "sagemaker",
    "ResourceId": "endpoint/cars/variant/AllTraffic",
    "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
}
POLICY = {
    **TARGET,
    "PolicyName": "p",
    "PolicyType": "TargetTrackingScaling",
    "TargetTrackingScalingPolicyConfiguration": {"TargetValue": 100.0},
}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "scaling.json"


def ask(scaling: Scaling, operation: str, request: Any) -> tuple[int, dict]:
    body = request if isinstance(request, bytes) else json.dumps(request).encode()
    headers = {"x-amz-target": f"AnyScaleFrontendService.{operation}"}
    status, _, answer = asyncio.run(scaling.handle("POST", "/", headers, body, {}))
    return status, json.loads(answer)


def test_a_target_and_its_policy_are_kept_over_a_restart(file: Path) -> None:
    first = Scaling(file)
    assert ask(first, "RegisterScalableTarget", {**TARGET, "MinCapacity": 1, "MaxCapacity": 3})[0] == 200
    assert ask(first, "PutScalingPolicy", POLICY)[0] == 200
    again = Scaling(file)
    [target] = ask(again, "DescribeScalableTargets", {"ServiceNamespace": "sagemaker"})[1]["ScalableTargets"]
    assert (target["MinCapacity"], target["MaxCapacity"]) == (1, 3)
    [policy] = ask(again, "DescribeScalingPolicies", TARGET)[1]["ScalingPolicies"]
    assert policy["TargetTrackingScalingPolicyConfiguration"] == {"TargetValue": 100.0}


def test_registering_again_changes_the_bounds_and_keeps_the_policy(file: Path) -> None:
    scaling = Scaling(file)
    ask(scaling, "RegisterScalableTarget", {**TARGET, "MinCapacity": 1, "MaxCapacity": 3})
    ask(scaling, "PutScalingPolicy", POLICY)
    ask(scaling, "RegisterScalableTarget", {**TARGET, "MaxCapacity": 5})
    [target] = ask(scaling, "DescribeScalableTargets", {"ServiceNamespace": "sagemaker"})[1][
        "ScalableTargets"
    ]
    assert (target["MinCapacity"], target["MaxCapacity"]) == (1, 5)
    assert len(ask(scaling, "DescribeScalingPolicies", TARGET)[1]["ScalingPolicies"]) == 1


def test_a_target_that_is_let_go_takes_its_policies_along(file: Path) -> None:
    scaling = Scaling(file)
    ask(scaling, "RegisterScalableTarget", {**TARGET, "MinCapacity": 1, "MaxCapacity": 3})
    ask(scaling, "PutScalingPolicy", POLICY)
    assert ask(scaling, "DeregisterScalableTarget", TARGET)[0] == 200
    assert ask(scaling, "DescribeScalingPolicies", TARGET)[1]["ScalingPolicies"] == []
    status, answer = ask(scaling, "DeregisterScalableTarget", TARGET)
    assert (status, answer["__type"]) == (400, "ObjectNotFoundException")


@pytest.mark.parametrize(
    ("operation", "request_", "code"),
    [
        ("PutScalingPolicy", POLICY, "ObjectNotFoundException"),
        ("RegisterScalableTarget", {**TARGET, "MinCapacity": 3, "MaxCapacity": 1}, "ValidationException"),
        ("RegisterScalableTarget", TARGET, "ValidationException"),
        ("RegisterScalableTarget", {**TARGET, "Min": 1}, "ValidationException"),
        ("RegisterScalableTarget", b"{", "SerializationException"),
        ("PutScheduledAction", {}, "UnknownOperationException"),
    ],
)
def test_what_aws_refuses_is_refused(file: Path, operation: str, request_: Any, code: str) -> None:
    status, answer = ask(Scaling(file), operation, request_)
    assert (status, answer["__type"]) == (400, code)


def test_a_state_machine_s_task_needs_the_action_bounded_by_the_namespace() -> None:
    resource = "arn:aws:states:::aws-sdk:applicationautoscaling:registerScalableTarget"
    [need] = task_needs(resource, TARGET)
    assert need.action == "application-autoscaling:RegisterScalableTarget"
    assert need.resource.endswith(":scalable-target/*")
    assert need.context["application-autoscaling:service-namespace"] == "sagemaker"


def test_its_errors_have_the_names_that_step_functions_gives_them(monkeypatch: pytest.MonkeyPatch) -> None:
    from tidegate.local.emulator.names import step

    monkeypatch.setitem(step.sdk_prefixes, "applicationautoscaling", "ApplicationAutoScaling")
    named = sdk_error("applicationautoscaling", "ObjectNotFoundException")
    assert named == "ApplicationAutoScaling.ObjectNotFoundException"
