"""The function that brings an endpoint to serve a model, against a SageMaker that remembers what it was asked."""

import pytest
from botocore.exceptions import ClientError

from tests.unit.functions.conftest import Context, sample_event
from tidegate.core.endpoints import EndpointBusy, EndpointCannotChange

EVENT = {**sample_event("upsert_endpoint"), "serverless": None, "scaling": None}
SERVERLESS = {"MemorySizeInMB": 2048, "MaxConcurrency": 5}


class NotFound(Exception):
    """What Application Auto Scaling says of a target that is not registered."""


class Endpoints:
    """SageMaker's endpoint calls and the one of Application Auto Scaling, remembered."""

    def __init__(self, status: str | None, variant: dict | None = None, registered: bool = True) -> None:
        self.status, self.registered, self.calls = status, registered, []
        self.approved: str | None = None
        self.configs = {"old", "older"}
        self.variant = variant or {"VariantName": "AllTraffic", "InstanceType": "ml.m5.large"}
        self.exceptions = type("Exceptions", (), {"ObjectNotFoundException": NotFound})

    def describe_endpoint(self, EndpointName):
        if self.status is None:
            message = f'Could not find endpoint "{EndpointName}".'
            raise ClientError(
                {"Error": {"Code": "ValidationException", "Message": message}}, "DescribeEndpoint"
            )
        return {"EndpointStatus": self.status, "EndpointConfigName": "old"}

    def get_parameters(self, Names):
        return {"Parameters": [{"Name": name, "Value": self.approved} for name in Names if self.approved]}

    def describe_endpoint_config(self, EndpointConfigName):
        if EndpointConfigName not in self.configs:
            message = f'Could not find endpoint configuration "{EndpointConfigName}".'
            raise ClientError(
                {"Error": {"Code": "ValidationException", "Message": message}}, "DescribeEndpointConfig"
            )
        return {"ProductionVariants": [self.variant]}

    def deregister_scalable_target(self, **given):
        self.calls.append(("deregister_scalable_target", given))
        if not self.registered:
            raise NotFound

    def __getattr__(self, name):
        return lambda **given: self.calls.append((name, given))

    def named(self, name: str) -> dict:
        """Give the arguments of the one call of a name."""
        [given] = [given for called, given in self.calls if called == name]
        return given


@pytest.fixture
def upsert(load, monkeypatch):
    """Give a function that upserts in front of an account of endpoints."""

    def run(endpoints: Endpoints, **changes):
        handler = load("upsert_endpoint")
        for module in ("hosting", "parameters"):
            monkeypatch.setattr(f"tidegate.edge.{module}.client", lambda _: endpoints)
        return handler({**EVENT, **changes}, Context())

    return run


@pytest.mark.parametrize(("status", "call"), [(None, "create_endpoint"), ("InService", "update_endpoint")])
def test_an_endpoint_is_created_or_updated_with_capture_on(upsert, status, call):
    endpoints = Endpoints(status)
    answer = upsert(endpoints)
    assert [name for name, _ in endpoints.calls] == ["create_endpoint_config", call]
    config = endpoints.named("create_endpoint_config")
    assert config["DataCaptureConfig"]["EnableCapture"]
    assert config["ProductionVariants"][0]["InitialInstanceCount"] == 1
    assert answer["previous"] == ("old" if status else None)


@pytest.mark.parametrize("key", ["", "arn:aws:kms:us-east-1:000000000000:key/own"])
def test_captures_and_disks_are_encrypted_with_the_stack_s_key_if_it_has_one(upsert, monkeypatch, key):
    monkeypatch.setenv("KMS_KEY_ID", key)
    endpoints = Endpoints(None)
    upsert(endpoints)
    config = endpoints.named("create_endpoint_config")
    assert (config.get("KmsKeyId"), config["DataCaptureConfig"].get("KmsKeyId")) == (key or None, key or None)


def test_a_busy_endpoint_is_left_and_tried_again_later(upsert):
    with pytest.raises(EndpointBusy, match="is tried again"):
        upsert(Endpoints("Updating"))


def test_a_serverless_endpoint_has_no_instances_and_no_capture(upsert):
    endpoints = Endpoints(None)
    upsert(endpoints, serverless=SERVERLESS)
    config = endpoints.named("create_endpoint_config")
    assert config["ProductionVariants"][0]["ServerlessConfig"] == SERVERLESS
    assert "InstanceType" not in config["ProductionVariants"][0]
    assert "DataCaptureConfig" not in config


def test_an_endpoint_with_instances_is_not_made_serverless_but_told_how(upsert):
    with pytest.raises(EndpointCannotChange, match="aws sagemaker delete-endpoint"):
        upsert(Endpoints("InService"), serverless=SERVERLESS)


def test_where_instances_follow_the_load_an_update_keeps_their_number(upsert):
    endpoints = Endpoints("InService")
    upsert(endpoints, scaling={"resource": "endpoint/e/variant/AllTraffic", "min": 1, "max": 3, "target": 9})
    update = endpoints.named("update_endpoint")
    assert update["RetainAllVariantProperties"]
    kept_out = {each["VariantPropertyType"] for each in update["ExcludeRetainedVariantProperties"]}
    assert kept_out == {"DesiredWeight", "DataCaptureConfig"}


def test_with_a_fixed_number_of_instances_an_update_takes_the_configuration_s(upsert):
    endpoints = Endpoints("InService")
    upsert(endpoints)
    assert "RetainAllVariantProperties" not in endpoints.named("update_endpoint")


@pytest.mark.parametrize("registered", [True, False])
def test_scaling_is_lifted_before_the_instance_type_changes(upsert, registered):
    endpoints = Endpoints("InService", {"InstanceType": "ml.m5.xlarge"}, registered)
    upsert(endpoints)
    names = [name for name, _ in endpoints.calls]
    assert names == ["create_endpoint_config", "deregister_scalable_target", "update_endpoint"]
    assert endpoints.named("deregister_scalable_target")["ResourceId"].endswith("/variant/AllTraffic")


@pytest.mark.parametrize(
    ("approved", "previous", "calls"),
    [
        ("older", "old", ["update_endpoint"]),
        ("old", None, []),
        (None, "older", ["update_endpoint"]),
        (None, None, ["delete_endpoint"]),
        ("gone", "older", ["update_endpoint"]),
        ("gone", "old", []),
        ("gone", None, ["delete_endpoint"]),
        ("gone", "gone too", ["delete_endpoint"]),
    ],
)
def test_an_endpoint_goes_back_to_what_is_approved_and_without_that_to_what_served_or_away(
    upsert, approved, previous, calls
):
    endpoints = Endpoints("InService")
    endpoints.approved = approved
    upsert(endpoints, action="roll_back", approved="/tidegate/cars/xgboost/model", previous=previous)
    assert [name for name, _ in endpoints.calls] == calls


def test_an_endpoint_whose_configuration_was_deleted_is_updated_all_the_same(upsert):
    endpoints = Endpoints("InService")
    endpoints.configs.clear()
    upsert(endpoints)
    names = [name for name, _ in endpoints.calls]
    assert names == ["create_endpoint_config", "deregister_scalable_target", "update_endpoint"]
