"""Endpoints after a restart of the local cloud: nothing that served is lost, nothing hangs in between."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hosting_stand_ins import StandInContext, Starter, make_config, make_context, make_models, settled
from tests.waiting import until

from tidegate.local.sagemaker import hosting
from tidegate.local.sagemaker.containers.serving import CannotServe, ModelUnread
from tidegate.local.sagemaker.hosting import build, rollout
from tidegate.local.sagemaker.hosting.live import hosting_of
from tidegate.local.sagemaker.store import Store


@pytest.fixture
def starter(monkeypatch: pytest.MonkeyPatch) -> Starter:
    starter = Starter()
    monkeypatch.setattr(build, "start_model", starter)
    return starter


@pytest.fixture
def listening() -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


@pytest.fixture
def ctx(tmp_path: Path, starter: Starter, listening: str) -> Iterator[StandInContext]:
    ctx = make_context(tmp_path)
    ctx.endpoint_url = listening
    make_models(ctx, "old", "new")
    make_config(ctx, "config-old", ("All", "old", 1.0))
    make_config(ctx, "config-new", ("All", "new", 1.0))
    hosting.OPERATIONS["CreateEndpoint"](ctx, {"EndpointName": "cars", "EndpointConfigName": "config-old"})
    settled(ctx, "cars")
    yield ctx
    starter.hold.set()
    hosting.shutdown(ctx)


def restarted(ctx: StandInContext) -> StandInContext:
    """Stop this local SageMaker and return the next one, which finds the same records."""
    hosting.shutdown(ctx)
    again = make_context(ctx.root)
    again.endpoint_url = ctx.endpoint_url
    return again


def ask(ctx: StandInContext) -> bytes:
    return hosting.invoke_endpoint(ctx, "cars", b"1", {})[2]


def describe(ctx: StandInContext) -> dict[str, Any]:
    return hosting.OPERATIONS["DescribeEndpoint"](ctx, {"EndpointName": "cars"})


def update(ctx: StandInContext) -> None:
    hosting.OPERATIONS["UpdateEndpoint"](ctx, {"EndpointName": "cars", "EndpointConfigName": "config-new"})


def test_an_endpoint_that_served_serves_again(ctx: StandInContext, starter: Starter):
    again = restarted(ctx)
    starter.hold.clear()
    hosting.recover(again)
    assert describe(again)["EndpointStatus"] == "SystemUpdating"
    starter.hold.set()
    assert settled(again, "cars")["EndpointStatus"] == "InService"
    assert ask(again) == b"old:1"
    hosting.shutdown(again)


def test_an_interrupted_update_comes_back_with_the_earlier_configuration(
    ctx: StandInContext, starter: Starter
):
    starter.hold.clear()
    update(ctx)
    again = restarted(ctx)
    assert describe(again)["EndpointStatus"] == "Updating"
    starter.hold.set()
    hosting.recover(again)
    done = settled(again, "cars")
    assert done["EndpointConfigName"] == "config-old"
    assert "stopped during the update to endpoint configuration config-new" in done["FailureReason"]
    assert "PendingDeploymentSummary" not in done
    assert ask(again) == b"old:1"
    hosting.shutdown(again)


def test_an_interrupted_creation_is_done_anew(ctx: StandInContext, starter: Starter):
    starter.hold.clear()
    request = {"EndpointName": "vans", "EndpointConfigName": "config-new"}
    hosting.OPERATIONS["CreateEndpoint"](ctx, request)
    again = restarted(ctx)
    starter.hold.set()
    hosting.recover(again)
    assert settled(again, "vans")["EndpointStatus"] == "InService"
    hosting.shutdown(again)


def test_an_interrupted_deletion_is_finished(ctx: StandInContext):
    ctx.store.update("endpoint", "cars", EndpointStatus="Deleting")
    again = restarted(ctx)
    hosting.recover(again)
    assert again.store.get("endpoint", "cars") is None
    hosting.shutdown(again)


def test_an_endpoint_that_cannot_come_back_is_failed_with_the_reason(ctx: StandInContext, starter: Starter):
    again = restarted(ctx)
    starter.failures["old"] = CannotServe("Its model data is gone.", container=0, fault="client")
    hosting.recover(again)
    done = settled(again, "cars")
    assert done["EndpointStatus"] == "Failed"
    assert "model data is gone" in done["FailureReason"]
    hosting.shutdown(again)


def test_a_model_that_cannot_be_read_yet_is_read_again(
    ctx: StandInContext, starter: Starter, monkeypatch: pytest.MonkeyPatch
):
    again = restarted(ctx)
    unread = ModelUnread("Its model data could not be fetched.", container=0, fault="client")
    starter.failures["old"] = unread
    looks: list[float] = []

    def mended(seconds: float) -> bool:
        looks.append(seconds)
        if len(looks) == 2:
            del starter.failures["old"]
        return False

    monkeypatch.setattr(hosting_of(again).stopping, "wait", mended)
    hosting.recover(again)
    assert settled(again, "cars")["EndpointStatus"] == "InService"
    assert looks == list(rollout.READ_AGAIN_SECONDS[:2])
    assert ask(again) == b"old:1"
    hosting.shutdown(again)


def test_what_could_not_come_back_comes_back_at_the_next_start(ctx: StandInContext, starter: Starter):
    again = restarted(ctx)
    starter.failures["old"] = CannotServe("Its model data is another's.", container=0, fault="client")
    hosting.recover(again)
    assert settled(again, "cars")["EndpointStatus"] == "Failed"
    del starter.failures["old"]
    third = restarted(again)
    hosting.recover(third)
    done = settled(third, "cars")
    assert (done["EndpointStatus"], done.get("FailureReason")) == ("InService", None)
    assert hosting.invoke_endpoint(third, "cars", b"1", {})[2] == b"old:1"
    hosting.shutdown(third)


def test_weights_set_by_hand_survive(ctx: StandInContext):
    change = {"VariantName": "All", "DesiredWeight": 0.5, "DesiredInstanceCount": 2}
    hosting.OPERATIONS["UpdateEndpointWeightsAndCapacities"](
        ctx, {"EndpointName": "cars", "DesiredWeightsAndCapacities": [change]}
    )
    settled(ctx, "cars")
    again = restarted(ctx)
    hosting.recover(again)
    (variant,) = settled(again, "cars")["ProductionVariants"]
    assert (variant["CurrentWeight"], variant["CurrentInstanceCount"]) == (0.5, 2)
    hosting.shutdown(again)


def test_stopping_while_endpoints_come_back_is_quick_and_loses_nothing(ctx: StandInContext, starter: Starter):
    again = restarted(ctx)
    starter.hold.clear()
    hosting.recover(again)
    until(lambda: describe(again)["EndpointStatus"] == "SystemUpdating")
    hosting.shutdown(again)
    assert Store(ctx.root / "sagemaker.db").get("endpoint", "cars")["EndpointStatus"] == "SystemUpdating"
