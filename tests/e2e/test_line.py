"""One run a drop, one run of a model at a time: repeated, overwritten, simultaneous and superseded drops."""

from __future__ import annotations

import itertools
import json
import random
import time
from typing import Any

import pytest

from tests.e2e import cars
from tests.e2e.town import Town, csv_bytes, tidegate
from tidegate.core import names

QUICK = {"xgboost": {"hyperparameters": {"num_round": 3}, "instance": "ml.m5.large"}}
LOOSE = {"metric": "rmse", "at_most": 1e9, "against_champion": "off"}
STRICT = {"metric": "rmse", "at_most": 0.001}


def entered(town: Town, record: dict[str, Any], state: str) -> list[float]:
    pages = town.client("stepfunctions").get_paginator("get_execution_history")
    events = [e for page in pages.paginate(executionArn=record["execution"]) for e in page["events"]]
    return [
        e["timestamp"].timestamp()
        for e in events
        if e.get("stateEnteredEventDetails", {}).get("name") == state
    ]


def line_of(town: Town, model: str) -> dict[str, Any]:
    table = town.outputs["RunsTable"]
    key = {"run": {"S": names.queue_id(model)}}
    return dict(town.client("dynamodb").get_item(TableName=table, Key=key).get("Item", {}))


def runs_of(town: Town, model: str) -> list[dict[str, Any]]:
    answer = town.client("dynamodb").query(
        TableName=town.outputs["RunsTable"],
        IndexName="by-model",
        KeyConditionExpression="model = :m",
        ExpressionAttributeValues={":m": {"S": model}},
    )
    return list(answer["Items"])


def test_two_drops_at_once_train_one_after_the_other_in_the_order_of_the_drops(town: Town):
    name = "cars-line"
    town.declare(cars.spec(name, algorithms=QUICK, gate=LOOSE))
    runs = [town.drop(name, f"{number}.csv", csv_bytes(cars.rows(80, seed=number))) for number in range(2)]
    records = [town.ended(run) for run in runs]
    assert [each["status"] for each in records] == ["SUCCEEDED"] * 2, [each["reason"] for each in records]
    spans = [
        (entered(town, each, "For each algorithm")[0], entered(town, each, "Leave the line")[0])
        for each in records
    ]
    assert spans == sorted(spans)
    for (_, end), (start, _) in itertools.pairwise(spans):
        assert end <= start
    assert not [key for key in line_of(town, name) if key.startswith("ticket ")]
    # The last one serves: nobody's endpoint was left behind.
    last = records[-1]["result"]["algorithms"]["xgboost"]
    described = town.client("sagemaker").describe_endpoint(EndpointName=last["endpoint"])
    assert described["EndpointConfigName"] == last["config"]


def test_a_newer_drop_supersedes_the_older_run_where_the_model_file_says_so(town: Town):
    name = "cars-newest"
    slow = {"xgboost": {"hyperparameters": {"num_round": 4000, "max_depth": 8}, "instance": "ml.m5.large"}}
    newest_counts = {"when_busy": "supersede"}
    town.declare(cars.spec(name, algorithms=slow, gate=LOOSE, training=newest_counts))
    older = town.drop(name, "old.csv", csv_bytes(cars.rows(600, seed=1)))
    town.until(lambda: (r := town.record(older)) and entered(town, r, "Train the model"), "it trains")
    waiting = town.drop(name, "middle.csv", csv_bytes(cars.rows(80, seed=2)))
    town.until(lambda: town.record(waiting), "the second one was claimed")
    town.declare(cars.spec(name, algorithms=QUICK, gate={**LOOSE, "at_most": 1e8}, training=newest_counts))
    newest = town.drop(name, "new.csv", csv_bytes(cars.rows(80, seed=3)))
    last = town.ended(newest)
    assert last["status"] == "SUCCEEDED", last["reason"]
    first = town.until(lambda: (r := town.record(older)) and r["status"] != "RUNNING" and r, "it is closed")
    assert first["status"] == "SUPERSEDED", first
    assert "newer drop" in first["reason"]
    assert town.execution(first)["status"] == "ABORTED"
    jobs = town.client("sagemaker").list_training_jobs(NameContains=older)["TrainingJobSummaries"]
    town.until(
        lambda: (
            {
                town.client("sagemaker").describe_training_job(TrainingJobName=each["TrainingJobName"])[
                    "TrainingJobStatus"
                ]
                for each in jobs
            }
            == {"Stopped"}
        ),
        "its job was stopped",
    )
    assert [each["subject"] for each in town.notifications(older)] == [
        f"{name}: a run gave way to a newer drop"
    ]
    assert town.ended(waiting)["status"] == "SUPERSEDED"


def test_an_object_overwritten_while_its_run_is_on_is_two_runs_each_of_its_own_version(town: Town):
    name = "cars-overwritten"
    town.declare(cars.spec(name, algorithms=QUICK, gate=STRICT))
    first = town.drop(name, "cars.csv", csv_bytes(cars.rows(70, seed=1)))
    second = town.drop(name, "cars.csv", csv_bytes(cars.rows(90, seed=2)))
    assert first != second
    for run, rows in ((first, 70), (second, 90)):
        assert town.ended(run)["status"] == "REJECTED"
        assert town.artifact_json(names.prepared_key(name, run))["rows"]["rows"] == rows


def test_an_event_fifty_times_and_out_of_order_is_one_run(town: Town):
    name = "cars-fifty"
    town.declare(cars.spec(name, algorithms=QUICK, gate=STRICT))
    runs = [town.drop(name, f"{n}.csv", csv_bytes(cars.rows(60, seed=n))) for n in range(2)]
    records = [town.ended(run) for run in runs]
    events = [json.loads(town.execution(record)["input"]) for record in records] * 25
    random.Random(5).shuffle(events)
    started = [
        town.client("stepfunctions").start_execution(
            stateMachineArn=town.outputs["TrainMachineArn"], input=json.dumps(event)
        )["executionArn"]
        for event in events
    ]
    for arn in started:
        town.until(lambda a=arn: town.execution({"execution": a})["status"] == "SUCCEEDED", "a repeat ended")
    assert [town.record(run) for run in runs] == records
    assert len(runs_of(town, name)) == 2
    jobs = town.client("sagemaker").list_training_jobs(NameContains=name)["TrainingJobSummaries"]
    assert len(jobs) == 2
    assert [len(town.notifications(run)) for run in runs] == [1, 1]


@pytest.mark.faults
def test_an_event_that_comes_again_minutes_later_is_the_same_run(town: Town):
    name = "cars-late-again"
    town.declare(cars.spec(name, algorithms=QUICK, gate=STRICT))
    record = town.ended(town.drop(name, "cars.csv", csv_bytes(cars.rows(60))))
    machine, event = town.outputs["TrainMachineArn"], town.execution(record)["input"]
    for pause in (60, 120):
        time.sleep(pause)
        again = town.client("stepfunctions").start_execution(stateMachineArn=machine, input=event)
        arn = {"execution": again["executionArn"]}
        town.until(lambda a=arn: town.execution(a)["status"] == "SUCCEEDED", "the repeat ended")
        assert town.states_of(arn)[-1] == "The run was claimed before"
    assert town.record(record["run"]) == record
    assert len(town.notifications(record["run"])) == 1


def test_a_run_that_was_stopped_from_outside_is_closed_and_does_not_hold_up_the_next(town: Town):
    name = "cars-stopped"
    slow = {"xgboost": {"hyperparameters": {"num_round": 4000, "max_depth": 8}}}
    town.declare(cars.spec(name, algorithms=slow, gate=STRICT))
    first = town.drop(name, "a.csv", csv_bytes(cars.rows(600, seed=1)))
    record = town.until(lambda: (r := town.record(first)) and entered(town, r, "Train the model") and r, "on")
    town.declare(cars.spec(name, algorithms=QUICK, gate={**STRICT, "at_most": 0.002}))
    second = town.drop(name, "b.csv", csv_bytes(cars.rows(60, seed=2)))
    town.until(lambda: town.record(second), "the second was claimed")
    town.client("stepfunctions").stop_execution(
        executionArn=record["execution"], error="Enough", cause="a person stopped it"
    )
    assert town.ended(second)["status"] == "REJECTED"
    closed = town.until(lambda: (r := town.record(first)) and r["status"] != "RUNNING" and r, "closed")
    assert closed["status"] == "FAILED"
    assert f"tidegate retry {first}" in closed["reason"]
    [told] = town.notifications(first)
    assert "stopped from outside" in told["message"]


def test_a_burst_of_drops_over_a_few_models_is_all_accounted_for(town: Town):
    models = [f"cars-burst-{number}" for number in range(3)]
    for model in models:
        town.declare(cars.spec(model, algorithms=QUICK, gate=STRICT, training={"when_busy": "supersede"}))
    content = csv_bytes(cars.rows(60))
    dropped = {town.drop(model, f"{number}.csv", content): model for number in range(8) for model in models}
    assert len(dropped) == 24
    records = {run: town.ended(run) for run in dropped}
    statuses = [record["status"] for record in records.values()]
    assert set(statuses) <= {"REJECTED", "SUPERSEDED"}, [r["reason"] for r in records.values()]
    for model in models:
        own = runs_of(town, model)
        assert {each["run"]["S"] for each in own} == {run for run, of in dropped.items() if of == model}
        # The newest drop of each model is one that was trained.
        newest = max(own, key=lambda each: each["key"]["S"])
        assert newest["status"]["S"] == "REJECTED"
        assert not [key for key in line_of(town, model) if key.startswith("ticket ")]
    for run in dropped:
        assert len(town.notifications(run)) == 1


def contents_of_one_file(town: Town, name: str) -> list[dict[str, Any]]:
    """Write a file twice while its events are held back; gives the events, the older content's first."""
    events = town.client("events")
    rule = next(each["Name"] for each in events.list_rules()["Rules"] if "TrainMachine" in each["Name"])
    key, held = names.drop_key(name, "train", "cars.csv"), []
    events.disable_rule(Name=rule)
    try:
        for number in (1, 2):
            body = csv_bytes(cars.rows(70 + number, seed=number))
            put = town.client("s3").put_object(Bucket=town.data, Key=key, Body=body)
            stored = {"key": key, "size": len(body), "etag": put["ETag"].strip('"')}
            stored |= {"version-id": put["VersionId"], "sequencer": f"{number:018X}"}
            detail = {"version": "0", "bucket": {"name": town.data}, "object": stored}
            held.append({"source": "aws.s3", "time": "2026-11-28T12:00:00Z", "detail": detail})
    finally:
        events.enable_rule(Name=rule)
    return held


def deliver(town: Town, event: dict[str, Any]) -> str:
    """Start the machine as EventBridge does; gives the run."""
    town.client("stepfunctions").start_execution(
        stateMachineArn=town.outputs["TrainMachineArn"], input=json.dumps(event)
    )
    stored = event["detail"]["object"]
    return names.run_id(town.data, stored["key"], stored["version-id"])


@pytest.mark.parametrize("late", ["while the newer trains", "when the newer serves"])
@pytest.mark.parametrize("when_busy", ["queue", "supersede"])
def test_of_two_contents_of_a_file_the_newer_serves_in_whatever_order_their_events_come(
    town: Town, when_busy: str, late: str
):
    name = f"cars-late-{when_busy[:5]}-{'on' if 'trains' in late else 'after'}"
    town.declare(cars.spec(name, algorithms=QUICK, gate=LOOSE, training={"when_busy": when_busy}))
    older, newer = contents_of_one_file(town, name)
    run = deliver(town, newer)
    if "trains" in late:
        town.until(lambda: (r := town.record(run)) and entered(town, r, "For each algorithm"), "it trains")
    else:
        town.ended(run)
    overtaken = town.ended(deliver(town, older))
    served = town.ended(run)
    assert served["status"] == "SUCCEEDED", served["reason"]
    assert overtaken["status"] == "SUPERSEDED", overtaken
    if when_busy == "queue" or "serves" in late:
        assert f"newer content of {older['detail']['object']['key']}" in overtaken["reason"]
    serving = served["result"]["algorithms"]["xgboost"]
    described = town.client("sagemaker").describe_endpoint(EndpointName=serving["endpoint"])
    assert described["EndpointConfigName"] == serving["config"]
    assert [each["subject"] for each in town.notifications(overtaken["run"])] == [
        f"{name}: a run gave way to a newer drop"
    ]


def test_a_failed_run_taken_up_again_does_not_serve_over_newer_content_of_its_file(town: Town):
    name = "cars-retried-late"
    town.declare(cars.spec(name, algorithms=QUICK, gate=LOOSE))
    town.fail("Train the model", name, error="Broken", cause="on purpose", times=1)
    older = town.train(name, "cars.csv", csv_bytes(cars.rows(70, seed=1)))
    assert older["status"] == "FAILED"
    newer = town.train(name, "cars.csv", csv_bytes(cars.rows(80, seed=2)))
    assert newer["status"] == "SUCCEEDED", newer["reason"]
    assert newer["sequencer"] > older["sequencer"] > ""  # the local S3 numbers what is written, too
    code, answer = tidegate(town, "retry", older["run"], "--wait")
    assert (code, answer["status"]) == (3, "SUPERSEDED"), answer
    assert f"run {newer['run']}" in answer["reason"]
