"""Really killed and really stopped: functions at work, and jobs, by hand; the matrix has the rest by their errors."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from typing import Any

import pytest

from tests.e2e import cars
from tests.e2e.test_line import entered
from tests.e2e.town import Town, csv_bytes, tidegate
from tidegate.local import settings
from tidegate.local.emulator import processes

QUICK = {"xgboost": {"hyperparameters": {"num_round": 3}, "instance": "ml.m5.large"}}
# A training of a few seconds: long enough to be stopped by hand, short enough to be done again.
SLOW = {"xgboost": {"hyperparameters": {"num_round": 1500, "max_depth": 6}, "instance": "ml.m5.large"}}
LOOSE = {"metric": "rmse", "at_most": 1e9, "against_champion": "off"}


def physical_name(town: Town, function: str) -> str:
    """Give the name that a function of the template has."""
    return town.resource(f"{function}Function")


def workers(town: Town, function: str) -> list[int]:
    """Find the processes that serve a function of the template in this local cloud."""
    ours = processes.marked(settings.MARKER, str(town.cloud.state))
    return sorted(
        set(ours) & set(processes.marked("AWS_LAMBDA_FUNCTION_NAME", physical_name(town, function)))
    )


def send(pids: list[int], what: signal.Signals) -> None:
    for pid in pids:
        os.kill(pid, what)


def last_word(town: Town, run: str) -> str:
    """Give what people were told in the end."""
    return str(town.notifications(run)[-1])


def test_a_function_that_is_killed_at_its_work_is_called_again_and_the_run_succeeds(town: Town):
    name = "cars-killed-once"
    town.declare(cars.spec(name, algorithms=QUICK, gate=LOOSE))
    assert town.train(name, "first.csv", csv_bytes(cars.rows(60)))["status"] == "SUCCEEDED"
    frozen = workers(town, "Preprocess")
    assert frozen
    # Frozen, they take the call and do not answer; so the kill cannot come too late.
    send(frozen, signal.SIGSTOP)
    run = town.drop(name, "second.csv", csv_bytes(cars.rows(70)))
    town.until(lambda: (r := town.record(run)) and entered(town, r, "Preprocess"), "it is preprocessed")
    send(frozen, signal.SIGKILL)
    record = town.ended(run)
    assert record["status"] == "SUCCEEDED", record["reason"]
    assert not set(frozen) & set(workers(town, "Preprocess"))
    assert len(town.notifications(run)) == 1


def test_a_function_that_needs_more_memory_than_it_has_fails_the_run_which_can_be_retried_with_more(
    town: Town,
):
    name = "cars-out-of-memory"
    town.declare(cars.spec(name, algorithms=QUICK, gate=LOOSE))
    function, functions = physical_name(town, "Preprocess"), town.client("lambda")
    before = functions.get_function_configuration(FunctionName=function)["MemorySize"]
    # Less than Python with the function's libraries takes, whatever the data.
    functions.update_function_configuration(FunctionName=function, MemorySize=128)
    content = csv_bytes(cars.rows(60_000))
    try:
        record = town.ended(town.drop(name, "cars.csv", content))
    finally:
        functions.update_function_configuration(FunctionName=function, MemorySize=before)
    assert record["status"] == "FAILED"
    assert "'Preprocess'" in record["reason"]
    assert "out of memory" in record["reason"]
    assert "Give it more memory" in last_word(town, record["run"])
    code, document = tidegate(town, "retry", record["run"], "--wait")
    assert (code, document["status"]) == (0, "SUCCEEDED"), document


@pytest.mark.faults
def test_a_function_that_is_killed_again_and_again_fails_the_run_with_its_state_and_can_be_retried(
    town: Town,
):
    name = "cars-killed-always"
    town.declare(cars.spec(name, algorithms=QUICK, gate=LOOSE))
    over = threading.Event()

    def hunt() -> None:
        while not over.wait(0.02):
            for pid in workers(town, "Preprocess"):
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    continue

    hunter = threading.Thread(target=hunt)
    hunter.start()
    try:
        record = town.ended(town.drop(name, "cars.csv", csv_bytes(cars.rows(60))))
    finally:
        over.set()
        hunter.join()
    assert record["status"] == "FAILED"
    assert "'Preprocess'" in record["reason"]
    assert "tidegate retry" in last_word(town, record["run"])
    code, document = tidegate(town, "retry", record["run"], "--wait")
    assert (code, document["status"]) == (0, "SUCCEEDED"), document


def stopped_by_hand(town: Town, model: str, kind: str, look: Callable[[], list[dict[str, Any]]]) -> None:
    """Wait for a job that is in progress, and stop it."""
    sagemaker = town.client("sagemaker")

    def on() -> str | None:
        names = [
            each[f"{kind}JobName"]
            for each in look()
            if each[f"{kind}JobStatus"] == "InProgress" and model in each[f"{kind}JobName"]
        ]
        return names[0] if names else None

    job = town.until(on, f"a {kind} job is in progress")
    getattr(sagemaker, f"stop_{kind.lower()}_job")(**{f"{kind}JobName": job})


def test_a_training_job_that_is_stopped_by_hand_fails_the_run_and_is_trained_anew_by_a_retry(town: Town):
    name = "cars-job-stopped"
    town.declare(cars.spec(name, algorithms=SLOW, gate=LOOSE))
    run = town.drop(name, "cars.csv", csv_bytes(cars.rows(400)))
    sagemaker = town.client("sagemaker")
    stopped_by_hand(town, name, "Training", lambda: sagemaker.list_training_jobs()["TrainingJobSummaries"])
    record = town.ended(run)
    assert record["status"] == "FAILED"
    told = record["result"]["algorithms"]["xgboost"]
    assert told["state"] == "Train the model"
    assert "stopped" in told["reason"].lower()
    assert town.parameter(name, "xgboost", "endpoint") is None
    code, document = tidegate(town, "retry", run, "--wait")
    assert (code, document["status"]) == (0, "SUCCEEDED"), document


@pytest.mark.faults
def test_a_transform_job_that_is_stopped_by_hand_fails_the_scoring_run_and_a_retry_scores_every_row(
    town: Town,
):
    name = "cars-scoring-stopped"
    town.declare(cars.spec(name, algorithms=SLOW, gate=LOOSE))
    assert town.train(name, "cars.csv", csv_bytes(cars.rows(400)))["status"] == "SUCCEEDED"
    unpriced = [{key: value for key, value in car.items() if key != "price"} for car in cars.rows(20_000)]
    run = town.drop(name, "market.csv", csv_bytes(unpriced), "score")
    sagemaker = town.client("sagemaker")
    stopped_by_hand(town, name, "Transform", lambda: sagemaker.list_transform_jobs()["TransformJobSummaries"])
    record = town.ended(run)
    assert record["status"] == "FAILED"
    assert "stopped" in last_word(town, run).lower()
    code, document = tidegate(town, "retry", run, "--wait")
    assert (code, document["status"]) == (0, "SUCCEEDED"), document
    assert document["rows"] == document["scored"] + document["rejected"] == 20_000
