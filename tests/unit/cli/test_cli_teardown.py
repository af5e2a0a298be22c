"""`tidegate delete` against an account in memory: what goes, what stays, and what is said of it."""

from __future__ import annotations

import json
from typing import Any

import boto3
import pytest
from moto import mock_aws

from tidegate.cli.place import Place
from tidegate.cli.stack import Stack
from tidegate.cli.teardown import atwork
from tidegate.core.alarms import drift_alarm
from tidegate.core.spec import ModelSpec

pytestmark = pytest.mark.slow
ROLE = "arn:aws:iam::123456789012:role/sagemaker"
RUN = "0123456789ab"
MODELS = ("cars", "cars-old")
SPEC = {"name": "", "target": "price", "features": {"km": "numeric"}, "algorithms": {"xgboost": {}}}


class Account:
    """Two models whose names begin alike, each with everything that a model may have."""

    def __init__(self) -> None:
        self.made: dict[str, Any] = {}
        self.outputs = {"NamePrefix": "tg", "DataBucket": "data", "ArtifactsBucket": "artifacts"}
        for bucket in ("data", "artifacts"):
            self.client("s3").create_bucket(Bucket=bucket)
            versioned = {"Status": "Enabled"}
            self.client("s3").put_bucket_versioning(Bucket=bucket, VersioningConfiguration=versioned)
        self.outputs["NotificationTopicArn"] = self.client("sns").create_topic(Name="people")["TopicArn"]
        for output, key in (("RunsTable", "run"), ("MonitorTable", "id")):
            self.outputs[output] = output
            index = {
                "IndexName": "by-model",
                "KeySchema": [{"AttributeName": "model", "KeyType": "HASH"}],
                "Projection": {"ProjectionType": "ALL"},
            }
            self.client("dynamodb").create_table(
                TableName=output,
                BillingMode="PAY_PER_REQUEST",
                AttributeDefinitions=[
                    {"AttributeName": each, "AttributeType": "S"} for each in (key, "model")
                ],
                KeySchema=[{"AttributeName": key, "KeyType": "HASH"}],
                GlobalSecondaryIndexes=[index],
            )
        for output in ("TrainMachineArn", "ScoreMachineArn", "MonitorMachineArn"):
            self.outputs[output] = self.client("stepfunctions").create_state_machine(
                name=output, definition='{"StartAt":"A","States":{"A":{"Type":"Succeed"}}}', roleArn=ROLE
            )["stateMachineArn"]
        self.client("scheduler").create_schedule_group(Name="tidegate-monitor")
        for model in MODELS:
            self.fill(model)

    def client(self, service: str) -> Any:
        if service not in self.made:
            self.made[service] = boto3.client(service, "us-east-1")
        return self.made[service]

    def fill(self, model: str) -> None:
        spec = {"source_sha256": "0", "spec": {**SPEC, "name": model}}
        put = self.client("s3").put_object
        put(Bucket="artifacts", Key=f"{model}/spec.json", Body=json.dumps(spec).encode())
        put(Bucket="data", Key=f"{model}/model.yaml", Body=b"name: x")
        put(Bucket="data", Key=f"{model}/train/cars.csv", Body=b"1")
        put(Bucket="data", Key=f"{model}/train/cars.csv", Body=b"2")
        put(Bucket="data", Key=f"quarantine/{model}/{RUN}/bad.csv", Body=b"3")
        told = {"model": model, "kind": "model-accepted"}
        key = f"notifications/2026-{'a' * 12}{len(model)}-model-accepted.json"
        put(Bucket="artifacts", Key=key, Body=json.dumps(told).encode())
        table = self.client("dynamodb").put_item
        table(TableName="RunsTable", Item={"run": {"S": f"{RUN}{len(model)}"}, "model": {"S": model}})
        table(TableName="RunsTable", Item={"run": {"S": f"served/{model}/f"}})
        table(TableName="RunsTable", Item={"run": {"S": f"queue/{model}"}})
        for item in ("xgboost", "#retrain", "#told"):
            table(TableName="MonitorTable", Item={"id": {"S": f"{model}/{item}"}})
        name, endpoint = f"tg-{model}-xgboost-{RUN}", f"tg-{model}-xgboost"
        sagemaker = self.client("sagemaker")
        sagemaker.create_model(ModelName=name, ExecutionRoleArn=ROLE, PrimaryContainer={"Image": "i"})
        variant = {"VariantName": "AllTraffic", "ModelName": name, "InstanceType": "ml.m5.large"}
        variants = [{**variant, "InitialInstanceCount": 1}]
        sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=variants)
        sagemaker.create_endpoint(EndpointName=endpoint, EndpointConfigName=name)
        for what in ("model", "endpoint", "config", "candidate"):
            parameter = f"/tidegate/{model}/xgboost/{what}"
            self.client("ssm").put_parameter(Name=parameter, Value=name, Type="String")
        self.client("application-autoscaling").register_scalable_target(
            ServiceNamespace="sagemaker",
            ResourceId=f"endpoint/{endpoint}/variant/AllTraffic",
            ScalableDimension="sagemaker:variant:DesiredInstanceCount",
            MinCapacity=1,
            MaxCapacity=2,
        )
        self.client("scheduler").create_schedule(
            Name=model,
            GroupName="tidegate-monitor",
            ScheduleExpression="rate(1 hour)",
            FlexibleTimeWindow={"Mode": "OFF"},
            Target={"Arn": self.outputs["MonitorMachineArn"], "RoleArn": ROLE},
        )
        for address, hears in ((f"{model}@example.com", [model]), ("both@example.com", list(MODELS))):
            self.client("sns").subscribe(
                TopicArn=self.outputs["NotificationTopicArn"],
                Protocol="email",
                Endpoint=address,
                Attributes={"FilterPolicy": json.dumps({"model": hears})},
            )
        self.client("cloudwatch").put_metric_alarm(
            AlarmName=f"tidegate-{model}-slow",
            Namespace="AWS/SageMaker",
            MetricName="ModelLatency",
            Dimensions=[{"Name": "EndpointName", "Value": endpoint}],
            Statistic="Sum",
            Period=60,
            EvaluationPeriods=1,
            Threshold=1,
            ComparisonOperator="GreaterThanThreshold",
        )
        for stack in ("tidegate", "tidegate-other"):  # a stack whose name begins alike has models of its own
            monitor = ModelSpec.from_dict({**SPEC, "name": model}).monitor
            self.client("cloudwatch").put_metric_alarm(**drift_alarm(stack, model, monitor))
        self.client("logs").create_log_group(logGroupName=f"/aws/sagemaker/Endpoints/{endpoint}")

    def what_is_there(self) -> set[str]:
        """Name everything that a model may have, wherever it is."""
        sagemaker, group = self.client("sagemaker"), "tidegate-monitor"
        targets = self.client("application-autoscaling").describe_scalable_targets(
            ServiceNamespace="sagemaker"
        )
        by_topic = self.client("sns").list_subscriptions()["Subscriptions"]
        lists = {
            "model": [each["ModelName"] for each in sagemaker.list_models()["Models"]],
            "config": [
                each["EndpointConfigName"] for each in sagemaker.list_endpoint_configs()["EndpointConfigs"]
            ],
            "endpoint": [each["EndpointName"] for each in sagemaker.list_endpoints()["Endpoints"]],
            "name": [each["Name"] for each in self.client("ssm").describe_parameters()["Parameters"]],
            "target": [each["ResourceId"] for each in targets["ScalableTargets"]],
            "schedule": [
                each["Name"] for each in self.client("scheduler").list_schedules(GroupName=group)["Schedules"]
            ],
            "subscription": [each["Endpoint"] for each in by_topic],
            "alarm": [
                each["AlarmName"] for each in self.client("cloudwatch").describe_alarms()["MetricAlarms"]
            ],
        }
        return {f"{kind} {each}" for kind, names in lists.items() for each in names}

    def data(self) -> set[str]:
        """Name every version of every object, every record and every log group."""
        found = set()
        for bucket in ("data", "artifacts"):
            listed = self.client("s3").list_object_versions(Bucket=bucket)
            both = [*listed.get("Versions", []), *listed.get("DeleteMarkers", [])]
            found |= {f"{bucket} {each['Key']} {each['VersionId']}" for each in both}
        for table in ("RunsTable", "MonitorTable"):
            items = self.client("dynamodb").scan(TableName=table)["Items"]
            found |= {f"{table} {item.get('run', item.get('id'))['S']}" for item in items}
        groups = self.client("logs").describe_log_groups()["logGroups"]
        return found | {f"log {each['logGroupName']}" for each in groups}


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> Any:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    with mock_aws():
        made = Account()
        monkeypatch.setattr(Place, "_make", lambda self, service: made.client(service))
        monkeypatch.setattr(Place, "is_near", True)
        monkeypatch.setattr(Stack, "outputs", made.outputs)
        yield made


def other(names: set[str]) -> set[str]:
    return {each for each in names if any(word in each for word in ("cars-old", "both@", "tidegate-other"))}


def test_a_deleted_model_is_gone_to_the_last_piece_and_one_whose_name_begins_alike_is_whole(
    account, tidegate
):
    before, data = account.what_is_there(), account.data()
    assert len(before - other(before)) == 4 + 8, before
    said = tidegate("delete", "cars", "--yes", "--json")
    assert said.exit_code == 0, said.stderr
    assert account.what_is_there() == other(before)
    # Of the history nothing went; a wish to retrain, which would act on the next model of that name, did.
    assert data - account.data() == {"MonitorTable cars/#retrain", "MonitorTable cars/#told"}
    removed = json.loads(said.stdout)["removed"]
    assert removed["endpoints"] == ["tg-cars-xgboost"]
    assert removed["alarms"] == ["tidegate-cars-slow", "tidegate-drift/cars"]
    assert removed["subscriptions"] == ["cars@example.com", "both@example.com"]
    [both] = [
        each["SubscriptionArn"]
        for each in account.client("sns").list_subscriptions()["Subscriptions"]
        if each["Endpoint"] == "both@example.com"
    ]
    attributes = account.client("sns").get_subscription_attributes(SubscriptionArn=both)["Attributes"]
    assert json.loads(attributes["FilterPolicy"]) == {"model": ["cars-old"]}


def test_purge_takes_every_version_every_record_and_the_endpoints_logs_of_that_model_alone(account, tidegate):
    data = account.data()
    said = tidegate("delete", "cars", "--yes", "--purge", "--json")
    assert said.exit_code == 0, said.stderr
    left = account.data()
    assert left <= data
    gone = data - left
    assert {each.split()[0] for each in gone} == {"data", "artifacts", "RunsTable", "MonitorTable", "log"}
    assert not other(gone)
    assert not [each for each in left if "cars" in each and "cars-old" not in each]
    assert json.loads(said.stdout)["purged"]["log_groups"] == 1
    # Of a model that is deleted already, the data can still be purged, once.
    assert tidegate("delete", "cars", "--yes", "--purge").exit_code == 1


def test_who_is_not_asked_and_does_not_say_yes_deletes_nothing(account, tidegate):
    before = account.what_is_there()
    said = tidegate("delete", "cars")
    assert said.exit_code == 2
    assert "Delete the model cars, whose 1 endpoint will answer no more" in said.stderr
    assert account.what_is_there() == before


@pytest.mark.parametrize("name", ["", "/", "cars/xgboost", "..", "*", "notifications", "quarantine"])
def test_what_is_no_model_s_name_deletes_nothing(account, tidegate, name):
    before, data = account.what_is_there(), account.data()
    said = tidegate("delete", name, "--yes", "--purge")
    assert said.exit_code == 1
    assert "There is no model named" in said.stderr
    assert (account.what_is_there(), account.data()) == (before, data)


def test_a_model_that_there_is_not_is_told_with_those_that_there_are(account, tidegate):
    said = tidegate("delete", "vans", "--yes")
    assert said.exit_code == 1
    assert "There is no model named vans" in said.stderr
    assert "cars, cars-old" in said.stderr


@pytest.mark.parametrize(
    ("given", "model"),
    [
        ({"model": "cars", "asked": "now"}, "cars"),
        ({"detail": {"bucket": {"name": "b"}, "object": {"key": "cars/train/f.csv"}}}, "cars"),
        ({"detail": {}}, ""),
        ([], ""),
        ("no JSON", ""),
    ],
)
def test_for_which_model_an_execution_works_is_read_off_what_started_it(given, model):
    text = given if isinstance(given, str) else json.dumps(given)
    assert atwork._model_of({"input": text}) == model


def test_a_model_at_work_is_refused_with_the_execution_and_how_to_stop_it(account, tidegate, monkeypatch):
    working = atwork.AtWork("train", "cars", "arn:aws:states:us-east-1:1:execution:tidegate-train:e1")
    monkeypatch.setattr(atwork, "_every", lambda stack: [working])
    before = account.what_is_there()
    said = tidegate("delete", "cars", "--yes")
    assert said.exit_code == 1
    assert "A training of cars (e1) is at work" in said.stderr
    assert "--wait" in said.stderr
    assert f"stop-execution --execution-arn {working.execution}" in said.stderr
    assert account.what_is_there() == before
    assert tidegate("delete", "cars-old", "--yes").exit_code == 0
