"""Traffic: weights, shifts of canary, linear and rolling deployments, and the configurations AWS refuses."""

from __future__ import annotations

import random
from typing import Any

import pytest

from tidegate.local.sagemaker.errors import ValidationException
from tidegate.local.sagemaker.hosting.traffic import (
    LONGEST_WAIT_SECONDS,
    check_deployment_config,
    pick,
    traffic_steps,
)


def routing(kind: str, wait: int = 60, **more: Any) -> dict[str, Any]:
    return {
        "BlueGreenUpdatePolicy": {
            "TrafficRoutingConfiguration": {"Type": kind, "WaitIntervalInSeconds": wait, **more}
        }
    }


def percent(value: int) -> dict[str, Any]:
    return {"Type": "CAPACITY_PERCENT", "Value": value}


def test_weights_decide_how_often_a_variant_is_picked():
    draws = random.Random(7)
    picked = [pick([1.0, 3.0, 0.0], draws.random()) for _ in range(20_000)]
    assert 0.23 < picked.count(0) / 20_000 < 0.27
    assert picked.count(2) == 0


def test_variants_that_all_weigh_nothing_share_evenly():
    draws = random.Random(7)
    picked = [pick([0.0, 0.0], draws.random()) for _ in range(10_000)]
    assert 4500 < picked.count(0) < 5500


def test_without_a_deployment_configuration_all_traffic_moves_at_once():
    assert [(step.share, step.wait_seconds) for step in traffic_steps(None, 1)] == [(1.0, 0.0)]


def test_a_canary_takes_its_share_waits_and_then_all():
    steps = traffic_steps(routing("CANARY", CanarySize=percent(10)), 1)
    assert [(step.share, step.wait_seconds) for step in steps] == [(0.1, 1.0), (1.0, 1.0)]


def test_a_linear_shift_goes_in_equal_steps_to_all():
    steps = traffic_steps(routing("LINEAR", LinearStepSize=percent(33)), 1)
    assert [step.share for step in steps] == [0.33, 0.66, 0.99, 1.0]


def test_a_size_in_instances_is_a_part_of_the_fleet():
    steps = traffic_steps(routing("CANARY", CanarySize={"Type": "INSTANCE_COUNT", "Value": 1}), 4)
    assert [step.share for step in steps] == [0.25, 1.0]


def test_a_rolling_policy_goes_batch_by_batch():
    config = {"RollingUpdatePolicy": {"MaximumBatchSize": percent(50), "WaitIntervalInSeconds": 0}}
    assert [step.share for step in traffic_steps(config, 1)] == [0.5, 1.0]


def test_waits_are_scaled_down_and_bounded():
    config = routing("ALL_AT_ONCE", wait=3600)
    config["BlueGreenUpdatePolicy"]["TerminationWaitInSeconds"] = 60
    (step,) = traffic_steps(config, 1)
    assert step.wait_seconds == LONGEST_WAIT_SECONDS + 1.0


@pytest.mark.parametrize(
    ("config", "word"),
    [
        (routing("CANARY"), "CanarySize"),
        (routing("CANARY", CanarySize=percent(51)), "50 percent"),
        (routing("LINEAR", LinearStepSize=percent(5)), "10 to 50"),
        (routing("ALL_AT_ONCE", CanarySize=percent(10)), "CanarySize"),
        (routing("ALL_AT_ONCE") | {"RollingUpdatePolicy": {}}, "both"),
    ],
)
def test_sizes_that_aws_refuses_are_refused(config: dict[str, Any], word: str):
    with pytest.raises(ValidationException, match=word):
        check_deployment_config(config)


def test_a_fitting_configuration_is_accepted():
    check_deployment_config(routing("LINEAR", LinearStepSize=percent(25)))
    check_deployment_config(None)
