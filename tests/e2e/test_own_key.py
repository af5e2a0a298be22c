"""With a key of one's own: everything goes on, and without its grant no endpoint is made. Run it with --kms."""

from __future__ import annotations

import pytest
import yaml
from botocore.exceptions import ClientError

from tests.e2e import cars, watching
from tests.e2e.town import Town, csv_bytes

QUICK = {"xgboost": {"hyperparameters": {"num_round": 20}, "instance": "ml.m5.large"}}


@pytest.fixture(autouse=True)
def keyed(request: pytest.FixtureRequest) -> None:
    if not request.config.getoption("--kms"):
        pytest.skip("there is no key: run it with --kms")


def key_of(town: Town) -> str:
    described = town.client("cloudformation").describe_stacks(StackName=town.stack)["Stacks"][0]
    return next(
        each["ParameterValue"] for each in described["Parameters"] if each["ParameterKey"] == "KmsKeyArn"
    )


def test_a_model_is_trained_served_scored_and_checked_with_a_key(town: Town):
    name = "cars-keyed"
    town.declare(cars.spec(name, algorithms=QUICK))
    for file in ("first.csv", "second.csv"):  # the second updates the endpoint
        record = town.train(name, file, csv_bytes(cars.rows(400 if file == "first.csv" else 900)))
        assert record["status"] == "SUCCEEDED", record["reason"]
    config = town.parameter(name, "xgboost", "config")
    described = town.client("sagemaker").describe_endpoint_config(EndpointConfigName=config)
    assert described["KmsKeyId"] == key_of(town)
    assert town.score(name, "rows.csv", csv_bytes(cars.rows(20)))["status"] == "SUCCEEDED"
    town.invoke(town.endpoint(name), "50000,2015,fiat,yes")
    watching.check(town, name)
    [told] = town.notifications(record["run"])
    assert told["subject"] == f"{name}: trained and serving"


def test_without_the_grant_no_endpoint_is_made_and_the_reason_names_it(town: Town):
    name, iam = "cars-ungranted", town.client("iam")
    town.declare(cars.spec(name, algorithms=QUICK))
    role = town.resource("UpsertEndpointFunctionRole")
    attached = {"RoleName": role, "PolicyArn": town.resource("LendEndpointsTheKeyPolicy")}
    iam.detach_role_policy(**attached)
    try:
        record = town.train(name, "cars.csv", csv_bytes(cars.rows(400)))
    finally:
        iam.attach_role_policy(**attached)
    assert record["status"] == "FAILED"
    assert "kms:CreateGrant" in record["reason"]
    with pytest.raises(ClientError, match="Could not find"):
        town.client("sagemaker").describe_endpoint(EndpointName=town.endpoint(name))
    again = town.train(name, "again.csv", csv_bytes(cars.rows(400)))
    assert again["status"] == "SUCCEEDED", again["reason"]


def test_without_the_key_rows_cannot_be_read_and_the_reason_names_it(town: Town):
    name, iam = "cars-locked-out", town.client("iam")
    town.declare(cars.spec(name, algorithms=QUICK))
    role = town.resource("PreprocessFunctionRole")
    attached = {"RoleName": role, "PolicyArn": town.resource("UseTheKeyPolicy")}
    iam.detach_role_policy(**attached)
    try:
        record = town.train(name, "cars.csv", csv_bytes(cars.rows(100)))
    finally:
        iam.attach_role_policy(**attached)
    assert record["status"] == "FAILED"
    assert "kms:Decrypt" in record["reason"] or "Forbidden" in record["reason"], record["reason"]


def test_an_instance_with_disks_of_its_own_is_refused_before_anything_is_trained(town: Town):
    spec = cars.spec("cars-own-disks", algorithms=QUICK, serving={"instance": "ml.g5.xlarge"})
    body = yaml.safe_dump(spec).encode()
    town.client("s3").put_object(Bucket=town.data, Key="cars-own-disks/model.yaml", Body=body)

    def refused() -> bool:
        keys = [each for each in town.keys(town.artifacts, "notifications/") if "model-refused" in each]
        return any("disks of its own" in town.artifact_json(each)["message"] for each in keys)

    town.until(refused, "the model file was refused")
    with pytest.raises(ClientError, match="local storage"):
        town.client("sagemaker").create_endpoint_config(
            EndpointConfigName="own-disks",
            KmsKeyId=key_of(town),
            ProductionVariants=[
                {
                    "VariantName": "AllTraffic",
                    "ModelName": town.parameter("cars-keyed", "xgboost", "model"),
                    "InstanceType": "ml.g5.xlarge",
                    "InitialInstanceCount": 1,
                }
            ],
        )
