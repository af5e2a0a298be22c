"""The training pipeline through the shipped template and state machine: how good, bad and repeated drops end."""

from __future__ import annotations

import json
import random

import boto3
import pytest
from botocore.exceptions import ClientError

from tests.e2e import cars
from tests.e2e.town import Town, csv_bytes


def test_a_good_drop_ends_with_two_gated_endpoints_that_predict(town: Town):
    town.declare(cars.spec("cars-good"))
    record = town.train("cars-good", "cars.csv", csv_bytes(cars.rows()))
    assert record["status"] == "SUCCEEDED", record["reason"]
    assert town.execution(record)["status"] == "SUCCEEDED"
    algorithms = record["result"]["algorithms"]
    assert set(algorithms) == {"xgboost", "linear-learner"}
    for name, entry in algorithms.items():
        assert entry["status"] == "SUCCEEDED"
        assert entry["gate"]["passed"]
        # The noise is 300; a model that learned comes near it, one that did not is at about 5,000.
        assert entry["rmse"] < (1000 if name == "xgboost" else 800)
        assert entry["metrics"]["validation:rmse" if name == "xgboost" else "validation:objective_loss"] > 0
        described = town.client("sagemaker").describe_endpoint(EndpointName=entry["endpoint"])
        assert described["EndpointStatus"] == "InService"
        assert described["DataCaptureConfig"]["EnableCapture"]
        assert town.parameter("cars-good", name, "endpoint") == entry["endpoint"]
        assert town.parameter("cars-good", name, "model") == entry["model"]
        assert town.parameter("cars-good", name, "config") == described["EndpointConfigName"]
    young, old = (
        town.invoke(algorithms["xgboost"]["endpoint"], f"90000,{year},volvo,no") for year in (2023, 2000)
    )
    assert float(young) > float(old) + 5000
    by_name = json.dumps({"year": 2023, "make": "volvo", "automatic": "no", "km": 90000})
    answer = json.loads(
        town.invoke(algorithms["linear-learner"]["endpoint"], by_name, "application/json", "application/json")
    )
    assert abs(answer["predictions"][0]["score"] - (3000 + 550 * 25 - 1800 + 2500)) < 1000
    [told] = town.notifications(record["run"])
    assert told["subject"] == "cars-good: trained and serving"
    for kind in ("data_quality", "model_quality"):
        home = f"cars-good/runs/{record['run']}/xgboost/baseline/{kind}"
        assert town.artifact_json(f"{home}/statistics.json")
        assert town.artifact_json(f"{home}/constraints.json")
    names = {
        each["name"]
        for each in town.artifact_json(
            f"cars-good/runs/{record['run']}/xgboost/baseline/data_quality/statistics.json"
        )["features"]
    }
    assert {"km", "year", "make"} <= names


def test_predictions_are_captured_with_the_raw_columns(town: Town):
    town.declare(cars.spec("cars-capture", algorithms={"xgboost": {"hyperparameters": {"num_round": 20}}}))
    record = town.train("cars-capture", "cars.csv", csv_bytes(cars.rows()))
    town.invoke(record["result"]["algorithms"]["xgboost"]["endpoint"], "123456,2010,fiat,yes")
    keys = town.until(lambda: town.keys(town.artifacts, "cars-capture/capture/"), "a capture was written")
    line = json.loads(town.read(town.artifacts, keys[0]).decode().splitlines()[0])
    assert line["captureData"]["endpointInput"]["data"].strip() == "123456,2010,fiat,yes"
    assert float(line["captureData"]["endpointOutput"]["data"])


def test_a_candidate_above_the_threshold_is_rejected_and_nothing_serves(town: Town):
    town.declare(cars.spec("cars-strict", gate={"metric": "rmse", "at_most": 1.0}))
    record = town.train("cars-strict", "cars.csv", csv_bytes(cars.rows()))
    assert record["status"] == "REJECTED"
    assert town.execution(record)["status"] == "SUCCEEDED"
    for name in ("xgboost", "linear-learner"):
        entry = record["result"]["algorithms"][name]
        assert entry["status"] == "REJECTED"
        assert entry["reason"].startswith("model accuracy too low")
        assert town.parameter("cars-strict", name, "endpoint") is None
    assert not list(town.client("sagemaker").list_endpoints(NameContains="cars-strict")["Endpoints"])
    [told] = town.notifications(record["run"])
    assert "model accuracy too low" in told["subject"]
    assert "is above 1, the most allowed" in told["message"]


def test_a_worse_second_drop_is_rejected_against_the_champion_which_goes_on_serving(town: Town):
    name = "cars-champion"
    town.declare(cars.spec(name))
    good = cars.rows(900)
    first = town.train(name, "first.csv", csv_bytes(good))
    assert first["status"] == "SUCCEEDED", first["reason"]
    endpoint = first["result"]["algorithms"]["xgboost"]["endpoint"]
    before = town.invoke(endpoint, "90000,2015,volvo,no")
    truth = town.read(town.artifacts, f"{name}/runs/{first['run']}/test/truth.csv").decode().splitlines()[1:]
    held_out = {line.split(",")[0] for line in truth}
    # The same cars, but the prices of those that a model may learn from are dealt out anew.
    dice = random.Random(7)
    learned = [car for car in good if car["listing"] not in held_out]
    prices = [car["price"] for car in learned]
    dice.shuffle(prices)
    wrong = dict(zip((car["listing"] for car in learned), prices, strict=True))
    second = town.train(
        name,
        "second.csv",
        csv_bytes([{**car, "price": wrong.get(car["listing"], car["price"])} for car in good]),
    )
    assert second["status"] == "REJECTED", second["reason"]
    entry = second["result"]["algorithms"]["xgboost"]
    assert any(check["name"] == "champion" and not check["passed"] for check in entry["gate"]["checks"])
    assert entry["champion"] == first["result"]["algorithms"]["xgboost"]["model"]
    assert town.parameter(name, "xgboost", "model") == entry["champion"]
    assert town.invoke(endpoint, "90000,2015,volvo,no") == before


def test_a_better_second_drop_takes_the_endpoint_over(town: Town):
    name = "cars-better"
    town.declare(cars.spec(name, algorithms={"xgboost": {"hyperparameters": {"num_round": 40}}}))
    first = town.train(name, "first.csv", csv_bytes(cars.rows(200, noise=900)))
    # As AWS may answer right after an update: in service, but still with the old configuration.
    config = first["result"]["algorithms"]["xgboost"]["config"]
    old = {"EndpointStatus": "InService", "EndpointConfigName": config}
    town.fail("Look at the endpoint", name, answer=old)
    second = town.train(name, "second.csv", csv_bytes(cars.rows(1200, noise=100)))
    assert first["status"] == second["status"] == "SUCCEEDED", second["reason"]
    was, now = (each["result"]["algorithms"]["xgboost"] for each in (first, second))
    assert now["endpoint"] == was["endpoint"]
    assert now["champion"] == was["model"] != now["model"]
    described = town.client("sagemaker").describe_endpoint(EndpointName=now["endpoint"])
    assert described["EndpointConfigName"] == now["config"] != was["config"]
    assert described["EndpointStatus"] == "InService"


def test_a_champion_is_judged_on_rows_of_a_model_file_with_more_features(town: Town):
    name, algorithms = "cars-grown", {"xgboost": {"hyperparameters": {"num_round": 40}}}
    rows = cars.rows(500)
    few = {"km": "numeric", "year": "integer"}
    town.declare(cars.spec(name, algorithms=algorithms, features=few))
    first = town.train(name, "cars.csv", csv_bytes(rows))
    town.declare(cars.spec(name, algorithms=algorithms))
    second = town.train(name, "cars.csv", csv_bytes(rows))
    assert first["status"] == second["status"] == "SUCCEEDED", second["reason"]
    entry = second["result"]["algorithms"]["xgboost"]
    assert entry["champion"] == first["result"]["algorithms"]["xgboost"]["model"]
    # The make of a car is worth thousands here, so who sees it must be better by far.
    assert entry["evaluation"]["difference"]["rmse"]["high"] < -100
    # And the other way round: what it reads is not there any more, which people are told.
    town.declare(cars.spec(name, algorithms=algorithms, features=few))
    third = town.train(name, "fewer.csv", csv_bytes(rows))
    entry = third["result"]["algorithms"]["xgboost"]
    assert "the champion also reads 'make', 'automatic', which these rows lack" in entry["reason"]


def test_one_algorithm_that_fails_to_train_fails_the_run_in_words_while_the_other_serves(town: Town):
    # Right by its words, and wrong for this data, which only the training finds out.
    logistic = {"num_round": 20, "objective": "reg:logistic"}
    bad = {"xgboost": {"hyperparameters": logistic}, "linear-learner": None}
    town.declare(cars.spec("cars-broken", algorithms=bad))
    record = town.train("cars-broken", "cars.csv", csv_bytes(cars.rows()))
    assert record["status"] == "FAILED"
    assert town.execution(record)["status"] == "FAILED"
    failed, served = (record["result"]["algorithms"][name] for name in ("xgboost", "linear-learner"))
    assert failed["state"] == "Train the model"
    assert "for logistic loss" in failed["reason"]
    assert "Check the hyperparameters" in failed["reason"]
    assert served["status"] == "SUCCEEDED"
    [told] = town.notifications(record["run"])
    assert "for logistic loss" in told["message"]


def test_the_same_event_again_changes_nothing(town: Town):
    town.declare(cars.spec("cars-twice", algorithms={"xgboost": {"hyperparameters": {"num_round": 20}}}))
    content = csv_bytes(cars.rows())
    record = town.train("cars-twice", "cars.csv", content)
    assert record["status"] == "SUCCEEDED", record["reason"]
    event = json.loads(town.execution(record)["input"])
    again = [
        town.client("stepfunctions").start_execution(
            stateMachineArn=town.outputs["TrainMachineArn"], input=json.dumps(event)
        )["executionArn"]
        for _ in range(3)
    ]
    for arn in again:
        town.until(lambda a=arn: town.execution({"execution": a})["status"] != "RUNNING", "the repeat ended")
        assert town.execution({"execution": arn})["status"] == "SUCCEEDED"
        assert town.states_of({"execution": arn})[-1] == "The run was claimed before"
    assert town.record(record["run"]) == record
    assert len(town.notifications(record["run"])) == 1
    jobs = town.client("sagemaker").list_training_jobs(NameContains="cars-twice")["TrainingJobSummaries"]
    assert len(jobs) == 1


def test_a_drop_without_a_model_file_is_set_aside_with_what_to_do(town: Town):
    record = town.train("nobody-knows", "cars.csv", csv_bytes(cars.rows(50)))
    assert record["status"] == "REFUSED"
    assert town.execution(record)["status"] == "SUCCEEDED"
    assert "no model file is in force for 'nobody-knows'" in record["reason"]
    assert "tidegate apply" in record["reason"]


def test_a_bad_model_file_is_answered_with_its_line_and_the_old_one_stays(town: Town):
    town.declare(cars.spec("cars-file"))
    before = town.artifact_json("cars-file/spec.json")
    bad = b"name: cars-file\ntarget: price\nfeatures:\n  km: numbr\nalgorithms:\n  xgboost:\n"
    town.client("s3").put_object(Bucket=town.data, Key="cars-file/model.yaml", Body=bad)

    def refusal() -> list[str]:
        keys = [key for key in town.keys(town.artifacts, "notifications/") if "model-refused" in key]
        told = [town.artifact_json(key) for key in keys]
        return [each["message"] for each in told if each["model"] == "cars-file"]

    [message] = town.until(refusal, "the bad model file was answered")
    assert "line 4, features.km: 'numbr' is not one of numeric" in message
    assert "stays in force" in message
    assert town.artifact_json("cars-file/spec.json") == before


def test_a_folder_marker_is_no_drop(town: Town):
    before = {each["executionArn"] for each in town.executions()}
    town.client("s3").put_object(Bucket=town.data, Key="cars-good/train/", Body=b"")
    fresh = town.until(
        lambda: [
            e for e in town.executions() if e["executionArn"] not in before and e["status"] != "RUNNING"
        ],
        "the marker's execution ended",
    )
    assert [each["status"] for each in fresh] == ["SUCCEEDED"]
    assert town.states_of({"execution": fresh[0]["executionArn"]})[-1] == "Not a drop"


def test_with_iam_enforced_a_function_can_do_its_own_work_and_no_other(town: Town):
    if not town.cloud.auth:
        pytest.skip("the local cloud runs without IAM; `make test` runs the suite with it too")
    resources = town.client("cloudformation").describe_stack_resources(StackName="tidegate")["StackResources"]
    role = next(
        r["PhysicalResourceId"] for r in resources if r["LogicalResourceId"] == "EvaluateFunctionRole"
    )
    arn = town.client("iam").get_role(RoleName=role)["Role"]["Arn"]
    lent = town.client("sts").assume_role(RoleArn=arn, RoleSessionName="test")["Credentials"]
    s3 = boto3.client(
        "s3",
        endpoint_url=town.cloud.endpoint_url,
        region_name="us-east-1",
        aws_access_key_id=lent["AccessKeyId"],
        aws_secret_access_key=lent["SecretAccessKey"],
        aws_session_token=lent["SessionToken"],
    )
    s3.put_object(Bucket=town.artifacts, Key="cars/runs/0/a.txt", Body=b"mine")
    for forbidden in (
        lambda: s3.put_object(Bucket=town.artifacts, Key="cars/spec.json", Body=b"not mine"),
        lambda: s3.put_object(Bucket=town.data, Key="cars/train/a.csv", Body=b"not mine"),
        lambda: s3.list_objects_v2(Bucket=town.data),
    ):
        with pytest.raises(ClientError, match="AccessDenied"):
            forbidden()
