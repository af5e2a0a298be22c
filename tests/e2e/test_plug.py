"""Pull the plug: the local cloud is killed at each state of a training run, started again, the run retried.

`pytest -m faults` goes through every state, entered and (for tasks) done but not yet written down.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ConnectionClosedError, EndpointConnectionError

from tests.conformance.asl import read_machine, states
from tests.e2e import cars
from tests.e2e.conftest import ROOT
from tests.e2e.test_retry import tidegate
from tests.e2e.town import FAULTS, Town, csv_bytes
from tests.free_ports import free_port
from tidegate.core import names
from tidegate.local import cloud as local_cloud
from tidegate.local import settings
from tidegate.local.deploy import deploy
from tidegate.local.emulator import processes

MODEL = "cars-plug"
QUICK = {"xgboost": {"hyperparameters": {"num_round": 3}, "instance": "ml.m5.large"}}
# States that a run of this model does not come to, each with the reason.
NOT_ENTERED = {
    "Not a drop": "this is one",
    "The run was claimed before": "it was not",
    "Gather the refusal": "the file is good",
    "Gather the failure": "nothing else fails",
    "Give way": "the model's runs queue",
    "Call the older run off": "the model's runs queue",
    "Stop the older run": "the model's runs queue",
    "Look at the run ahead": "there is none",
    "Is it still on?": "there is no run ahead",
    "Take it out of the line": "there is no run ahead",
    "Wait for its turn": "its turn comes at once",
    "It was done before": "the first attempt comes to the state itself",
    "Take the trained model": "the first attempt comes to the state itself",
    "Tune the hyperparameters": "the model file gives them",
    "Model accuracy too low": "the gate lets it pass",
    "Save the model without its recipe": "it is served by instances",
    "Gave way to a newer run": "there is none",
    "No champion yet": "there is one after the first run",
    "Wait for the endpoint": "it depends on the machine's speed",
    "Roll back the endpoint": "it comes into service",
    "Did it scale before?": "the update does not fail",
    "Did the update fail?": "its instances are fixed",
    "Say why it failed": "the update does not fail",
    "Let it scale": "its instances are fixed",
    "Say when it scales": "its instances are fixed",
    "This algorithm failed": "nothing else fails",
    "Tell people plainly": "telling works",
    "The run failed": "nothing else fails",
}
# Tasks of such a run whose call fails, so that it is never done.
NOT_DONE = {"Fix the number of instances": "nothing is registered for scaling"}
BEFORE_THE_CLAIM = ("Is it a drop?", "Name the run", "Claim the run")


def moments() -> list[Any]:
    """Give every state that a run comes to, and how it is met: entered, or its task done."""
    found: list[Any] = []
    for state in states(read_machine(ROOT / "statemachines" / "train.asl.yaml")):
        name = state.path[-1]
        if name in NOT_ENTERED:
            continue
        is_done = state.body["Type"] == "Task" and name not in NOT_DONE
        for how in ("entered", "called") if is_done else ("entered",):
            found.append(pytest.param(name, how, id=f"{name}, {how}", marks=(pytest.mark.faults,)))
    return found


class Plugged:
    """A local cloud of its own whose plug is pulled again and again."""

    def __init__(self, state: Path, auth: bool) -> None:
        self.state, self.port, self.auth = state, free_port(), auth
        deploy(local_cloud.up(state, self.port, auth=auth), ROOT, "tidegate")
        self.town = self.up()

    def up(self) -> Town:
        """Start it, or find it running, with no fault in it."""
        (self.state / FAULTS).unlink(missing_ok=True)
        self.town = Town(local_cloud.up(self.state, self.port, auth=self.auth))
        return self.town

    def processes(self) -> set[int]:
        return set(processes.marked(settings.MARKER, str(local_cloud.status(self.state).state)))


@pytest.fixture(scope="module")
def plugged(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Plugged]:
    state = tmp_path_factory.mktemp("plugged")
    before = os.environ.get("TIDEGATE_FAULTS")
    os.environ["TIDEGATE_FAULTS"] = str(state / FAULTS)
    try:
        made = Plugged(state, request.config.getoption("--iam"))
        gate = {"metric": "rmse", "at_most": 1e9, "against_champion": "off"}
        made.town.declare(cars.spec(MODEL, algorithms=QUICK, gate=gate))
        yield made
    finally:
        local_cloud.down(state)
        os.environ.pop("TIDEGATE_FAULTS")
        if before is not None:
            os.environ["TIDEGATE_FAULTS"] = before


@pytest.mark.parametrize(("state", "how"), moments())
def test_a_run_that_was_cut_off_is_told_and_taken_up_again_and_nothing_is_left(
    plugged: Plugged, state: str, how: str
):
    town = plugged.up()  # it is, unless a test before this one gave up
    pid, name = town.cloud.pid, f"{state} {how}.csv"
    town.fail(state, MODEL, kill=how)
    # At the first states the plug may be pulled before S3 has answered.
    with suppress(EndpointConnectionError, ConnectionClosedError):
        town.drop(MODEL, name, csv_bytes(cars.rows(60)))
    town.until(lambda: not processes.alive(pid), f"the plug was pulled at {state}")
    left = plugged.processes()
    town = plugged.up()
    assert not left & plugged.processes()
    key = names.drop_key(MODEL, "train", name)
    run = names.run_id(town.data, key, town.client("s3").head_object(Bucket=town.data, Key=key)["VersionId"])
    record = town.ended(run)
    execution = town.execution(record)
    if execution["status"] == "SUCCEEDED":
        # Its event was still on its way, was delivered again, and found a run that nobody had claimed.
        assert state in BEFORE_THE_CLAIM
    else:
        assert execution["status"] == "FAILED"
        assert execution["error"] == "States.ServiceRestart"
    if record["status"] == "FAILED":
        assert "The local cloud ended while the run was on" in record["reason"]
        assert f"tidegate retry {run}" in record["reason"]
        assert any("local cloud ended" in each["message"] for each in town.notifications(run))
        code, document = tidegate(town, "retry", run, "--wait")
        assert code == 0, document
        record = town.ended(run)
    assert record["status"] == "SUCCEEDED", record["reason"]
    entry = record["result"]["algorithms"]["xgboost"]
    assert town.parameter(MODEL, "xgboost", "model") == entry["model"]
    described = town.client("sagemaker").describe_endpoint(EndpointName=entry["endpoint"])
    assert (described["EndpointStatus"], described["EndpointConfigName"]) == ("InService", entry["config"])
    line = town.client("dynamodb").get_item(
        TableName=town.outputs["RunsTable"], Key={"run": {"S": names.queue_id(MODEL)}}
    )["Item"]
    assert not [key for key in line if key.startswith("ticket ")]
    completed = town.client("sagemaker").list_training_jobs(NameContains=run, StatusEquals="Completed")
    assert len(completed["TrainingJobSummaries"]) == 1


def test_a_drop_whose_event_was_on_its_way_is_not_lost(plugged: Plugged):
    town = plugged.town
    key = names.drop_key(MODEL, "train", "on its way.csv")
    put = town.client("s3").put_object(Bucket=town.data, Key=key, Body=csv_bytes(cars.rows(60)))
    # The put is answered; nothing else need have happened yet.
    os.kill(town.cloud.pid, signal.SIGKILL)
    town.until(lambda: not processes.alive(town.cloud.pid), "the plug was pulled")
    town = plugged.up()
    run = names.run_id(town.data, key, put["VersionId"])
    record = town.ended(run)
    if record["status"] == "FAILED":
        assert tidegate(town, "retry", run, "--wait")[0] == 0
    assert town.ended(run)["status"] == "SUCCEEDED"
    assert town.read(town.data, key) == csv_bytes(cars.rows(60))
