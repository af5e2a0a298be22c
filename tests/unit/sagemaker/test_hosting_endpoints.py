"""The life of an endpoint, with stand-ins for its model servers: statuses, events, traffic, rollback."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hosting_stand_ins import StandInContext, Starter, make_config, make_context, make_models, settled
from tests.waiting import PATIENCE_SECONDS, until

from tidegate.local.sagemaker import control, hosting
from tidegate.local.sagemaker.containers.serving import Answer, CannotServe
from tidegate.local.sagemaker.errors import (
    ModelError,
    ResourceLimitExceeded,
    ValidationError,
    ValidationException,
)
from tidegate.local.sagemaker.hosting import build, live, traffic

CAPTURE = {
    "EnableCapture": True,
    "InitialSamplingPercentage": 100,
    "DestinationS3Uri": "s3://artifacts/captured",
    "CaptureOptions": [{"CaptureMode": "InputAndOutput"}],
    "CaptureContentTypeHeader": {"CsvContentTypes": ["text/csv"]},
}


@pytest.fixture
def starter(monkeypatch: pytest.MonkeyPatch) -> Starter:
    starter = Starter()
    monkeypatch.setattr(build, "start_model", starter)
    return starter


@pytest.fixture
def ctx(tmp_path: Path, starter: Starter) -> Iterator[StandInContext]:
    ctx = make_context(tmp_path)
    make_models(ctx, "old", "new")
    make_config(ctx, "config-old", ("All", "old", 1.0))
    make_config(ctx, "config-new", ("All", "new", 1.0))
    yield ctx
    starter.hold.set()
    hosting.shutdown(ctx)


def call(ctx: StandInContext, operation: str, **request: Any) -> dict[str, Any]:
    return hosting.OPERATIONS[operation](ctx, request)


def create(
    ctx: StandInContext, config: str = "config-old", name: str = "cars", **more: Any
) -> dict[str, Any]:
    call(ctx, "CreateEndpoint", EndpointName=name, EndpointConfigName=config, **more)
    return settled(ctx, name)


def update(ctx: StandInContext, config: str = "config-new", **more: Any) -> dict[str, Any]:
    call(ctx, "UpdateEndpoint", EndpointName="cars", EndpointConfigName=config, **more)
    return settled(ctx, "cars")


def ask(ctx: StandInContext, body: bytes = b"1", **headers: str) -> bytes:
    return hosting.invoke_endpoint(ctx, "cars", body, {"content-type": "text/csv", **headers})[2]


def refused(ctx: StandInContext, operation: str, **request: Any) -> str:
    with pytest.raises(ValidationException) as error:
        call(ctx, operation, **request)
    return error.value.message


def test_a_new_endpoint_is_creating_and_then_in_service(ctx: StandInContext, starter: Starter):
    starter.hold.clear()
    answer = call(ctx, "CreateEndpoint", EndpointName="Cars", EndpointConfigName="config-old")
    assert answer == {"EndpointArn": "arn:aws:sagemaker:us-east-1:000000000000:endpoint/cars"}
    creating = call(ctx, "DescribeEndpoint", EndpointName="Cars")
    assert creating["EndpointStatus"] == "Creating"
    assert creating["PendingDeploymentSummary"]["EndpointConfigName"] == "config-old"
    starter.hold.set()
    done = settled(ctx, "Cars")
    assert done["EndpointStatus"] == "InService"
    assert "PendingDeploymentSummary" not in done
    (variant,) = done["ProductionVariants"]
    assert variant["DeployedImages"][0]["SpecifiedImage"] == "prices:1"
    assert (variant["CurrentWeight"], variant["DesiredWeight"]) == (1.0, 1.0)
    assert (variant["CurrentInstanceCount"], variant["DesiredInstanceCount"]) == (1, 1)
    assert not [key for key in done if key.startswith("_")]


def test_an_endpoint_whose_server_does_not_start_is_failed_with_the_reason(
    ctx: StandInContext, starter: Starter
):
    starter.failures["old"] = CannotServe("It ended with exit code 1.", container=0, fault="algorithm")
    done = create(ctx)
    assert done["EndpointStatus"] == "Failed"
    assert "did not pass the ping health check" in done["FailureReason"]
    assert "/aws/sagemaker/Endpoints/cars" in done["FailureReason"]
    assert "cannot be updated" in refused(
        ctx, "UpdateEndpoint", EndpointName="cars", EndpointConfigName="config-new"
    )
    with pytest.raises(ValidationError, match="It exists and is Failed"):
        ask(ctx)


def test_one_variant_that_fails_ends_the_whole_fleet(ctx: StandInContext, starter: Starter):
    make_config(ctx, "two", ("A", "old", 1.0), ("B", "new", 1.0))
    starter.failures["new"] = CannotServe("No.", container=0, fault="client")
    assert create(ctx, "two")["EndpointStatus"] == "Failed"
    assert all(servers.stopped.is_set() for servers in starter.made)


def test_a_fleet_does_not_wait_for_slow_variants_when_one_has_failed(ctx: StandInContext, starter: Starter):
    make_config(ctx, "two", ("A", "old", 1.0), ("B", "new", 1.0))
    starter.slow.add("old")
    starter.failures["new"] = CannotServe("No.", container=0, fault="client")
    assert create(ctx, "two")["EndpointStatus"] == "Failed"


def test_a_fleet_that_drains_takes_no_more_requests(ctx: StandInContext):
    create(ctx)
    endpoint = live.hosting_of(ctx).endpoint("cars")
    assert endpoint is not None
    fleet = endpoint.current
    assert fleet is not None
    assert fleet.enter()
    assert not fleet.drain(0.01)
    assert not fleet.enter()
    fleet.leave()
    assert fleet.drain(0.01)


def test_events_tell_every_status_as_aws_writes_it(ctx: StandInContext):
    create(ctx, Tags=[{"Key": "team", "Value": "cars"}])
    # The event follows the record, and may still be on its way when the record says that it serves.
    until(lambda: len(ctx.cloud.events) == 2)
    call(ctx, "DeleteEndpoint", EndpointName="cars")
    until(lambda: ctx.store.get("endpoint", "cars") is None)
    kinds = {kind for kind, _, _ in ctx.cloud.events}
    details = [detail for _, detail, _ in ctx.cloud.events]
    assert kinds == {"SageMaker Endpoint State Change"}
    assert [detail["EndpointStatus"] for detail in details] == ["CREATING", "IN_SERVICE", "DELETING"]
    assert details[1]["Tags"] == {"team": "cars"}
    assert details[1]["EndpointConfigName"] == "config-old"
    assert isinstance(details[1]["CreationTime"], int)
    assert ctx.cloud.events[1][2] == ["arn:aws:sagemaker:us-east-1:000000000000:endpoint/cars"]
    json.dumps(details)


def test_an_endpoint_serves_even_when_nobody_can_be_told(ctx: StandInContext):
    def refuse(*_: Any) -> None:
        raise ConnectionError("EventBridge is away")

    ctx.emit = refuse
    assert create(ctx)["EndpointStatus"] == "InService"


def test_names_that_are_taken_or_unknown_get_aws_answers(ctx: StandInContext):
    create(ctx)
    taken = refused(ctx, "CreateEndpoint", EndpointName="cars", EndpointConfigName="config-old")
    assert taken.startswith("Cannot create already existing endpoint")
    unknown = refused(ctx, "CreateEndpoint", EndpointName="x", EndpointConfigName="nope")
    assert unknown.startswith("Could not find endpoint configuration")
    for operation in ("DescribeEndpoint", "DeleteEndpoint"):
        assert refused(ctx, operation, EndpointName="x").startswith("Could not find endpoint ")
    assert refused(ctx, "UpdateEndpoint", EndpointName="x", EndpointConfigName="config-new").startswith(
        "Could not find endpoint "
    )


def test_an_endpoint_in_transition_cannot_be_touched(ctx: StandInContext, starter: Starter):
    starter.hold.clear()
    call(ctx, "CreateEndpoint", EndpointName="cars", EndpointConfigName="config-old")
    for operation, more in (
        ("DeleteEndpoint", {}),
        ("UpdateEndpoint", {"EndpointConfigName": "config-new"}),
        ("UpdateEndpointWeightsAndCapacities", {"DesiredWeightsAndCapacities": [{"VariantName": "All"}]}),
    ):
        message = refused(ctx, operation, EndpointName="cars", **more)
        assert message.startswith("Cannot update in-progress endpoint")
    with pytest.raises(ValidationError, match=r"Endpoint cars of account 000000000000 not found\..*Creating"):
        ask(ctx)


def test_an_update_replaces_the_fleet_and_stops_the_old_one(ctx: StandInContext, starter: Starter):
    create(ctx)
    done = update(ctx)
    assert done["EndpointStatus"] == "InService"
    assert done["EndpointConfigName"] == "config-new"
    assert ask(ctx) == b"new:1"
    until(starter.of("old").stopped.is_set)


def test_the_old_fleet_serves_until_the_new_one_answers(ctx: StandInContext, starter: Starter):
    create(ctx)
    starter.hold.clear()
    call(ctx, "UpdateEndpoint", EndpointName="cars", EndpointConfigName="config-new")
    assert call(ctx, "DescribeEndpoint", EndpointName="cars")["EndpointConfigName"] == "config-old"
    assert ask(ctx) == b"old:1"
    starter.hold.set()
    settled(ctx, "cars")
    assert ask(ctx) == b"new:1"


def test_a_failed_update_leaves_the_old_fleet_serving_and_tells_why(ctx: StandInContext, starter: Starter):
    create(ctx)
    starter.failures["new"] = CannotServe("Its model data cannot be used.", container=0, fault="client")
    done = update(ctx)
    assert done["EndpointStatus"] == "InService"
    assert done["EndpointConfigName"] == "config-old"
    assert "config-new" in done["FailureReason"]
    assert "cannot be used" in done["FailureReason"]
    assert ask(ctx) == b"old:1"
    starter.failures.clear()
    assert "FailureReason" not in update(ctx)


def test_an_unforeseen_failure_does_not_leave_the_endpoint_in_between(ctx: StandInContext, starter: Starter):
    create(ctx)
    starter.failures["new"] = RuntimeError("boom")
    done = update(ctx)
    assert done["EndpointStatus"] == "InService"
    assert "boom" in done["FailureReason"]
    assert ask(ctx) == b"old:1"


def test_a_request_under_way_is_answered_before_its_fleet_stops(ctx: StandInContext, starter: Starter):
    create(ctx)
    old = starter.of("old")
    old.hold.clear()
    answers: list[bytes] = []
    asking = threading.Thread(target=lambda: answers.append(ask(ctx)))
    asking.start()
    assert old.entered.wait(PATIENCE_SECONDS)
    update(ctx)
    assert ask(ctx, b"2") == b"new:2"
    assert not old.stopped.is_set()
    old.hold.set()
    asking.join(PATIENCE_SECONDS)
    assert answers == [b"old:1"]
    until(old.stopped.is_set)


@pytest.mark.slow
def test_a_canary_gets_its_share_before_all_traffic_moves(
    ctx: StandInContext, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(traffic, "LONGEST_WAIT_SECONDS", 0.4)
    create(ctx)
    policy = {
        "TrafficRoutingConfiguration": {
            "Type": "CANARY",
            "WaitIntervalInSeconds": 60,
            "CanarySize": {"Type": "CAPACITY_PERCENT", "Value": 50},
        }
    }
    call(
        ctx,
        "UpdateEndpoint",
        EndpointName="cars",
        EndpointConfigName="config-new",
        DeploymentConfig={"BlueGreenUpdatePolicy": policy},
    )
    until(lambda: ask(ctx) == b"new:1")
    answers = Counter(ask(ctx) for _ in range(200))
    assert 50 < answers[b"new:1"] < 150
    done = settled(ctx, "cars")
    assert done["LastDeploymentConfig"]["BlueGreenUpdatePolicy"] == policy
    assert {ask(ctx) for _ in range(50)} == {b"new:1"}


def test_an_alarm_during_the_shift_rolls_back(ctx: StandInContext, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(traffic, "LONGEST_WAIT_SECONDS", 0.05)
    create(ctx)
    config = {
        "BlueGreenUpdatePolicy": {
            "TrafficRoutingConfiguration": {"Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": 60}
        },
        "AutoRollbackConfiguration": {"Alarms": [{"AlarmName": "too-slow"}]},
    }
    assert update(ctx, DeploymentConfig=config)["EndpointConfigName"] == "config-new"
    ctx.cloud.alarms["too-slow"] = "ALARM"
    done = update(ctx, "config-old", RetainDeploymentConfig=True)
    assert done["EndpointConfigName"] == "config-new"
    assert "too-slow" in done["FailureReason"]
    assert ask(ctx) == b"new:1"


@pytest.mark.slow
def test_a_rollback_in_the_middle_of_the_shift_gives_all_traffic_back(
    ctx: StandInContext, starter: Starter, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(traffic, "LONGEST_WAIT_SECONDS", 0.2)
    create(ctx)
    config = {
        "BlueGreenUpdatePolicy": {
            "TrafficRoutingConfiguration": {"Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": 60}
        },
        "AutoRollbackConfiguration": {"Alarms": [{"AlarmName": "too-slow"}]},
    }
    call(
        ctx,
        "UpdateEndpoint",
        EndpointName="cars",
        EndpointConfigName="config-new",
        DeploymentConfig=config,
    )
    until(lambda: ask(ctx) == b"new:1")
    ctx.cloud.alarms["too-slow"] = "ALARM"
    assert settled(ctx, "cars")["EndpointConfigName"] == "config-old"
    assert {ask(ctx) for _ in range(20)} == {b"old:1"}
    assert starter.of("new").stopped.is_set()


def test_variants_share_the_traffic_by_weight_and_can_be_targeted(ctx: StandInContext):
    make_config(ctx, "two", ("A", "old", 3.0), ("B", "new", 1.0))
    create(ctx, "two")
    answers = Counter(ask(ctx) for _ in range(400))
    assert 250 < answers[b"old:1"] < 350
    target = {"x-amzn-sagemaker-target-variant": "B"}
    assert {ask(ctx, **target) for _ in range(20)} == {b"new:1"}
    _, headers, _ = hosting.invoke_endpoint(ctx, "cars", b"1", target)
    assert headers["x-amzn-invoked-production-variant"] == "B"
    with pytest.raises(ValidationError, match=r"no variant C\. Its variants: A, B"):
        ask(ctx, **{"x-amzn-sagemaker-target-variant": "C"})


def test_weights_change_without_a_new_fleet(ctx: StandInContext, starter: Starter):
    make_config(ctx, "two", ("A", "old", 1.0), ("B", "new", 0.0))
    create(ctx, "two")
    changes = [
        {"VariantName": "A", "DesiredWeight": 0.0},
        {"VariantName": "B", "DesiredWeight": 2.0, "DesiredInstanceCount": 3},
    ]
    call(
        ctx,
        "UpdateEndpointWeightsAndCapacities",
        EndpointName="cars",
        DesiredWeightsAndCapacities=changes,
    )
    done = settled(ctx, "cars")
    assert {ask(ctx) for _ in range(50)} == {b"new:1"}
    by_name = {variant["VariantName"]: variant for variant in done["ProductionVariants"]}
    assert by_name["A"]["CurrentWeight"] == 0.0
    assert (by_name["B"]["CurrentWeight"], by_name["B"]["CurrentInstanceCount"]) == (2.0, 3)
    assert len(starter.made) == 2
    unknown = [{"VariantName": "Z", "DesiredWeight": 1.0}]
    assert "no variant Z" in refused(
        ctx,
        "UpdateEndpointWeightsAndCapacities",
        EndpointName="cars",
        DesiredWeightsAndCapacities=unknown,
    )


def test_an_update_keeps_weights_and_counts_when_asked_to(ctx: StandInContext):
    make_config(ctx, "two", ("A", "old", 1.0), ("B", "new", 1.0))
    create(ctx, "two")
    changes = [{"VariantName": "B", "DesiredWeight": 5.0, "DesiredInstanceCount": 4}]
    call(
        ctx,
        "UpdateEndpointWeightsAndCapacities",
        EndpointName="cars",
        DesiredWeightsAndCapacities=changes,
    )
    settled(ctx, "cars")
    kept = update(ctx, "two", RetainAllVariantProperties=True)["ProductionVariants"][1]
    assert (kept["CurrentWeight"], kept["CurrentInstanceCount"]) == (5.0, 4)
    partly = update(
        ctx,
        "two",
        RetainAllVariantProperties=True,
        ExcludeRetainedVariantProperties=[{"VariantPropertyType": "DesiredWeight"}],
    )["ProductionVariants"][1]
    assert (partly["CurrentWeight"], partly["CurrentInstanceCount"]) == (1.0, 4)
    fresh = update(ctx, "two")["ProductionVariants"][1]
    assert (fresh["CurrentWeight"], fresh["CurrentInstanceCount"]) == (1.0, 1)


def test_an_endpoint_outlives_its_configuration(ctx: StandInContext):
    create(ctx)
    control.OPERATIONS["DeleteEndpointConfig"](ctx, {"EndpointConfigName": "config-old"})
    control.OPERATIONS["DeleteModel"](ctx, {"ModelName": "old"})
    assert ask(ctx) == b"old:1"


def test_a_deleted_endpoint_is_gone_with_its_servers(ctx: StandInContext, starter: Starter):
    create(ctx)
    call(ctx, "DeleteEndpoint", EndpointName="cars")
    until(lambda: ctx.store.get("endpoint", "cars") is None)
    assert starter.of("old").stopped.is_set()
    with pytest.raises(ValidationError, match=r"Endpoint cars of account 000000000000 not found\.$"):
        ask(ctx)
    assert create(ctx)["EndpointStatus"] == "InService"


def test_listing_filters_by_name_and_status(ctx: StandInContext, starter: Starter):
    create(ctx, name="cars")
    create(ctx, name="vans")
    starter.failures["new"] = CannotServe("No.", container=0, fault="client")
    create(ctx, "config-new", name="cars-2")
    names = [
        item["EndpointName"]
        for item in call(ctx, "ListEndpoints", NameContains="cars", SortBy="Name")["Endpoints"]
    ]
    assert names == ["cars-2", "cars"]
    failed = call(ctx, "ListEndpoints", StatusEquals="Failed")["Endpoints"]
    assert [item["EndpointName"] for item in failed] == ["cars-2"]


def test_an_invocation_is_captured_and_counted(ctx: StandInContext):
    make_config(ctx, "capturing", ("All", "old", 1.0), DataCaptureConfig=CAPTURE)
    done = create(ctx, "capturing")
    assert done["DataCaptureConfig"]["CaptureStatus"] == "Started"
    assert done["DataCaptureConfig"]["CurrentSamplingPercentage"] == 100
    ask(ctx, b"1,2", **{"x-amzn-sagemaker-inference-id": "car-7"})
    hosting.shutdown(ctx)
    ((key, body),) = ctx.cloud.objects.items()
    assert key.startswith("artifacts/captured/cars/All/20")
    line = json.loads(body)
    assert line["captureData"]["endpointInput"]["data"] == "1,2"
    assert line["captureData"]["endpointOutput"]["data"] == "old:1,2"
    assert line["eventMetadata"]["inferenceId"] == "car-7"
    assert {datum["Namespace"] for datum in ctx.cloud.metrics} == {"AWS/SageMaker"}
    assert {datum["MetricName"] for datum in ctx.cloud.metrics} >= {"Invocations", "ModelLatency"}


def test_custom_attributes_make_the_round_trip(ctx: StandInContext):
    create(ctx)
    header = "x-amzn-sagemaker-custom-attributes"
    _, headers, _ = hosting.invoke_endpoint(ctx, "cars", b"1", {header: "trace=7", "accept": "text/plain"})
    assert headers[header] == "trace=7"
    assert headers["content-type"] == "text/plain"


@pytest.mark.parametrize(("status", "side"), [(415, "client"), (500, "server")])
def test_a_container_s_error_is_a_model_error(ctx: StandInContext, starter: Starter, status: int, side: str):
    create(ctx)
    starter.of("old").answer = lambda body: Answer(status, {}, b"bad row 3")
    with pytest.raises(ModelError) as raised:
        ask(ctx)
    error = raised.value
    assert error.http_status == 424
    assert f"Received {side} error ({status}) from primary" in error.message
    assert error.members["OriginalStatusCode"] == status
    assert error.members["OriginalMessage"] == "bad row 3"
    assert error.members["LogStreamArn"].endswith("/aws/sagemaker/Endpoints/cars")


def test_a_body_beyond_six_megabytes_is_refused(ctx: StandInContext):
    create(ctx)
    with pytest.raises(ValidationError, match="6291456"):
        ask(ctx, b"x" * (6 * 1024 * 1024 + 1))


def test_what_is_not_served_is_refused_and_not_ignored(ctx: StandInContext):
    create(ctx)
    with pytest.raises(ValidationError, match="TargetModel"):
        ask(ctx, **{"x-amzn-sagemaker-target-model": "m.tar.gz"})


def test_a_machine_bears_only_so_many_variants(ctx: StandInContext, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(live, "MOST_VARIANTS", 1)
    create(ctx)
    with pytest.raises(ResourceLimitExceeded, match="Delete endpoints that are not needed"):
        create(ctx, name="vans")
    assert ctx.store.get("endpoint", "vans") is None


def test_shutting_down_twice_stops_everything_once(ctx: StandInContext, starter: Starter):
    create(ctx)
    hosting.shutdown(ctx)
    hosting.shutdown(ctx)
    assert starter.of("old").stopped.is_set()
    assert ctx.store.get("endpoint", "cars")["EndpointStatus"] == "InService"
