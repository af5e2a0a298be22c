"""Taking up again what failed: runs where they failed, events that could not be delivered."""

from __future__ import annotations

import pytest
import yaml

from tests.e2e import cars
from tests.e2e.town import Town, csv_bytes, tidegate
from tests.e2e.watching import over, start

QUICK = {
    name: {"hyperparameters": settings, "instance": "ml.m5.large"}
    for name, settings in (("xgboost", {"num_round": 20}), ("linear-learner", {"epochs": 5}))
}


def jobs_of(town: Town, model: str) -> list[str]:
    listed = town.client("sagemaker").list_training_jobs(NameContains=model)["TrainingJobSummaries"]
    return sorted(each["TrainingJobName"] for each in listed)


def test_a_run_that_failed_after_training_is_taken_up_without_training_again(town: Town):
    name = "cars-retried"
    town.declare(cars.spec(name, algorithms=QUICK))
    town.fail("Evaluate", name, error="Broken", cause="the disk is full")
    failed = town.train(name, "cars.csv", csv_bytes(cars.rows(200)))
    assert failed["status"] == "FAILED"
    statuses = {entry["status"] for entry in failed["result"]["algorithms"].values()}
    assert statuses == {"FAILED", "SUCCEEDED"}
    before = jobs_of(town, name)
    code, document = tidegate(town, "retry", failed["run"][:8], "--wait")
    assert code == 0, document
    assert document["status"] == "SUCCEEDED"
    assert jobs_of(town, name) == before
    record = town.record(failed["run"])
    assert record["execution"] != failed["execution"]
    assert record["attempt"] == "1"
    visited = town.states_of(record)
    assert "Train the model" not in visited
    assert visited.count("Take the trained model") == visited.count("It was done before") == 1
    for entry in record["result"]["algorithms"].values():
        assert town.invoke(entry["endpoint"], "90000,2015,volvo,no")
    assert len(town.notifications(failed["run"])) == 2


def test_a_run_that_failed_in_training_is_trained_again_under_a_new_name(town: Town):
    name = "cars-retrained"
    town.declare(cars.spec(name, algorithms={"xgboost": QUICK["xgboost"]}, gate={"at_most": 0.001}))
    town.fail("Save the model", name, error="Broken", cause="no more room")
    town.fail("Train the model", name, error="Broken", cause="no more room")
    failed = town.train(name, "cars.csv", csv_bytes(cars.rows(60)))
    assert failed["result"]["algorithms"]["xgboost"]["state"] == "Train the model"
    again = tidegate(town, "retry", failed["run"], "--wait")[1]
    assert again["status"] == "FAILED"
    code, document = tidegate(town, "retry", failed["run"], "--wait")
    assert (code, document["status"]) == (3, "REJECTED")
    [job] = jobs_of(town, name)
    assert job.endswith(f"{failed['run']}-6")
    assert document["algorithms"]["xgboost"]["model"].endswith(f"{failed['run']}-c")


def test_a_run_that_could_not_begin_is_taken_up_and_two_who_do_so_at_once_start_one_attempt(town: Town):
    name = "cars-retried-early"
    town.declare(cars.spec(name, algorithms={"xgboost": QUICK["xgboost"]}, gate={"at_most": 0.001}))
    town.fail("Preprocess", name, error="Broken", cause="out of order")
    failed = town.train(name, "cars.csv", csv_bytes(cars.rows(60)))
    assert "'Preprocess'" in failed["reason"]
    started = [tidegate(town, "retry", failed["run"])[1] for _ in range(2)]
    executions = [each.get("execution") for each in started]
    record = town.until(
        lambda: (r := town.record(failed["run"])) and r["status"] == "REJECTED" and r, "the retry ended"
    )
    assert record["execution"] == executions[0]
    if executions[1]:
        arn = {"execution": executions[1]}
        town.until(lambda: town.execution(arn)["status"] == "SUCCEEDED", "the second one ended")
        assert town.states_of(arn)[-1] == "The run was claimed before"
    assert len(jobs_of(town, name)) == 1


@pytest.mark.parametrize("content", ["refused", "rejected"])
def test_a_run_that_another_attempt_cannot_help_is_not_taken_up(town: Town, content: str):
    name = "cars-no-retry"
    town.declare(cars.spec(name, algorithms={"xgboost": QUICK["xgboost"]}, gate={"at_most": 0.001}))
    rows = cars.rows(60)
    record = town.train(name, f"{content}.csv", csv_bytes(rows[:3] if content == "refused" else rows))
    code, document = tidegate(town, "retry", record["run"])
    assert code == 1
    assert "Mend the file" in document["error"]["remedy"] or "REJECTED" in document["error"]["message"]


def test_scoring_and_checks_are_taken_up_where_they_failed(town: Town):
    name = "cars-retried"
    if town.parameter(name, "linear-learner", "model") is None:
        town.declare(cars.spec(name, algorithms=QUICK))
        assert town.train(name, "cars.csv", csv_bytes(cars.rows(200)))["status"] == "SUCCEEDED"
    unpriced = [{key: value for key, value in car.items() if key != "price"} for car in cars.rows(30)]
    town.fail("Score with the champion", name, error="Broken", cause="no more room")
    failed = town.score(name, "cars.csv", csv_bytes(unpriced))
    entries = failed["result"]["algorithms"]
    [kept] = [each for each, entry in entries.items() if entry["status"] == "SUCCEEDED"]
    code, document = tidegate(town, "retry", failed["run"], "--wait")
    assert (code, document["status"], document["scored"]) == (0, "SUCCEEDED", 30), document
    assert document["algorithms"][kept]["transform_job"] == entries[kept]["transform_job"]
    record = town.record(failed["run"])
    assert (record["kind"], record["attempt"]) == ("score", "1")
    assert town.states_of(record).count("Score with the champion") == 1
    assert len(town.notifications(failed["run"])) == 2

    town.fail("Collect", name, error="Broken", cause="out of order")
    run, execution = start(town, name, asked=f"{name}/once")
    assert over(town, execution) == "FAILED"
    code, document = tidegate(town, "retry", run, "--wait")
    assert (code, document["status"]) == (0, "SUCCEEDED"), document
    record = town.record(run)
    assert (record["kind"], record["attempt"]) == ("monitor", "1")
    assert record["result"]["algorithms"]["xgboost"]["new_rows"] >= 30


def test_an_event_that_no_machine_took_is_parked_and_sent_again(town: Town):
    name = "cars-parked"
    town.declare(cars.spec(name, algorithms={"xgboost": QUICK["xgboost"]}, gate={"at_most": 0.001}))
    events = town.client("events")
    machine = town.outputs["TrainMachineArn"]
    rules = events.list_rule_names_by_target(TargetArn=machine)["RuleNames"]
    [rule] = rules
    [target] = events.list_targets_by_rule(Rule=rule)["Targets"]
    events.put_targets(Rule=rule, Targets=[{**target, "Arn": f"{machine}-gone"}])
    try:
        run = town.drop(name, "cars.csv", csv_bytes(cars.rows(60)))
        parked = town.until(lambda: tidegate(town, "dlq")[1]["parked"], "the event was parked")
    finally:
        events.put_targets(Rule=rule, Targets=[target])
    [event] = parked
    assert event["what"] == f"Object Created {name}/train/cars.csv"
    assert event["why"].startswith("RESOURCE_NOT_FOUND: ")
    assert town.record(run) is None
    # Its target is still not there: it stays parked, and says why.
    code, document = tidegate(town, "dlq", "--send-again")
    assert code == 1
    assert "not found" in document["parked"][0]["trouble"]
    [message] = town.until(
        lambda: (
            town.client("sqs")
            .receive_message(QueueUrl=town.outputs["DeadLetterQueueUrl"], MessageAttributeNames=["All"])
            .get("Messages")
        ),
        "it is to be seen again",
    )
    # A person who has mended the rule sends it to where it should have gone.
    town.client("stepfunctions").start_execution(stateMachineArn=machine, input=message["Body"])
    town.client("sqs").delete_message(
        QueueUrl=town.outputs["DeadLetterQueueUrl"], ReceiptHandle=message["ReceiptHandle"]
    )
    assert town.ended(run)["status"] == "REJECTED"


def test_what_a_function_failed_on_is_parked_and_sent_again_to_whom_the_rules_say(town: Town):
    name = "cars-late"
    resources = town.client("cloudformation").describe_stack_resources(StackName="tidegate")["StackResources"]
    function = next(
        r["PhysicalResourceId"] for r in resources if r["LogicalResourceId"] == "RegisterModelFunction"
    )
    functions = town.client("lambda")
    right = functions.get_function_configuration(FunctionName=function)["Environment"]["Variables"]
    wrong = {**right, "ARTIFACTS_BUCKET": "a-bucket-that-is-not-there"}
    functions.update_function_configuration(FunctionName=function, Environment={"Variables": wrong})
    try:
        key = f"{name}/model.yaml"
        town.client("s3").put_object(Bucket=town.data, Key=key, Body=yaml.safe_dump(cars.spec(name)).encode())
        [parked] = town.until(lambda: tidegate(town, "dlq")[1]["parked"], "three attempts failed")
    finally:
        functions.update_function_configuration(FunctionName=function, Environment={"Variables": right})
    assert parked["what"] == f"Object Created {key}"
    assert town.artifact_json(f"{name}/spec.json") is None
    code, document = tidegate(town, "dlq", "--send-again")
    assert code == 0, document
    assert tidegate(town, "dlq")[1]["parked"] == []
    town.until(lambda: town.artifact_json(f"{name}/spec.json"), f"{key} is in force")
