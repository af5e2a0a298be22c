"""Models, endpoint configurations and tags, called as the front door calls them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from control_stand_ins import IMAGE, ROLE, StandInJobs, make_context, make_rooms, training_job

from tidegate.local.sagemaker import service
from tidegate.local.sagemaker.context import Context
from tidegate.local.sagemaker.errors import SageMakerError
from tidegate.local.sagemaker.store import now

Call = Callable[..., dict[str, Any]]
MODEL = {"ModelName": "cars", "PrimaryContainer": {"Image": IMAGE}, "ExecutionRoleArn": ROLE}
MODEL_ARN = "arn:aws:sagemaker:us-east-1:000000000000:model/cars"
VARIANT = {
    "VariantName": "all",
    "ModelName": "cars",
    "InstanceType": "ml.m5.large",
    "InitialInstanceCount": 1,
}
CONFIG = {"EndpointConfigName": "cars-1", "ProductionVariants": [VARIANT]}
CONFIG_ARN = "arn:aws:sagemaker:us-east-1:000000000000:endpoint-config/cars-1"
CAPTURE = {
    "InitialSamplingPercentage": 100,
    "DestinationS3Uri": "s3://capture/here",
    "CaptureOptions": [{"CaptureMode": "Input"}],
}


@pytest.fixture
def ctx(tmp_path: Path) -> Context:
    return make_context(tmp_path)


@pytest.fixture
def call(ctx: Context) -> Call:
    rooms = make_rooms(StandInJobs())
    return lambda name, **request: service.call(ctx, name, request, rooms)


@pytest.fixture
def served(call: Call) -> Call:
    """The same, with the model 'cars' there."""
    call("CreateModel", **MODEL)
    return call


def refused(call: Call, name: str, request: dict[str, Any]) -> str:
    with pytest.raises(SageMakerError) as caught:
        call(name, **request)
    assert caught.value.code == "ValidationException"
    return caught.value.message


def test_a_model_is_described_with_what_it_was_created_with_and_sagemakers_defaults(call: Call) -> None:
    before = now()
    assert call("CreateModel", **MODEL) == {"ModelArn": MODEL_ARN}
    found = call("DescribeModel", ModelName="cars")
    assert before <= found.pop("CreationTime") <= now() + timedelta(milliseconds=1)
    assert found == {
        **MODEL,
        "ModelArn": MODEL_ARN,
        "EnableNetworkIsolation": False,
        "PrimaryContainer": {"Image": IMAGE, "Mode": "SingleModel", "Environment": {}},
    }


def test_a_pipeline_keeps_its_containers_in_order(call: Call) -> None:
    containers = [
        {"Image": IMAGE, "ModelDataUrl": "s3://artifacts/model.tar.gz", "Environment": {"A": "1"}},
        {"Image": IMAGE},
    ]
    call("CreateModel", ModelName="p", Containers=containers, InferenceExecutionConfig={"Mode": "Serial"})
    found = call("DescribeModel", ModelName="p")
    assert "PrimaryContainer" not in found
    assert [container["Environment"] for container in found["Containers"]] == [{"A": "1"}, {}]


def test_a_second_model_of_the_same_name_is_refused_in_aws_words(served: Call) -> None:
    assert refused(served, "CreateModel", MODEL) == f'Cannot create already existing model "{MODEL_ARN}".'
    assert "already existing" in refused(served, "CreateModel", {**MODEL, "ModelName": "CARS"})


@pytest.mark.parametrize("operation", ["DescribeModel", "DeleteModel"])
def test_an_unknown_model_is_refused_in_aws_words(call: Call, operation: str) -> None:
    assert refused(call, operation, {"ModelName": "cars"}) == f'Could not find model "{MODEL_ARN}".'


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"PrimaryContainer": None}, "needs either PrimaryContainer or a list of Containers"),
        ({"Containers": [{"Image": IMAGE}]}, "and not both"),
        ({"PrimaryContainer": {}}, "needs an Image"),
        ({"PrimaryContainer": {"Image": "other:1"}}, "No program is registered for the image other:1"),
        ({"PrimaryContainer": {"Image": IMAGE + "-train-only"}}, "cannot serve"),
        ({"PrimaryContainer": {"Image": IMAGE, "Mode": "MultiModel"}}, "one model in a container"),
        ({"PrimaryContainer": {"ModelPackageName": "p"}}, "does not serve ModelPackageName"),
        (
            {"PrimaryContainer": {"Image": IMAGE, "ModelDataUrl": "s3://artifacts/none.tar.gz"}},
            "Could not find model data at s3://artifacts/none.tar.gz.",
        ),
        (
            {"PrimaryContainer": {"Image": IMAGE, "ModelDataUrl": "https://artifacts/model.tar.gz"}},
            "must be the S3 address",
        ),
        ({"PrimaryContainer": {"Image": IMAGE, "ModelDataUrl": "s3://artifacts"}}, "s3://BUCKET/KEY"),
        (
            {
                "PrimaryContainer": None,
                "Containers": [{"Image": IMAGE, "ContainerHostname": "a"}] * 2,
            },
            "the ContainerHostname 'a'",
        ),
        ({"InferenceExecutionConfig": {"Mode": "Direct"}}, "one after the other"),
    ],
)
def test_a_model_that_could_not_serve_is_refused_at_once(
    call: Call, change: dict[str, Any], words: str
) -> None:
    assert words in refused(call, "CreateModel", {**MODEL, **change})
    assert call("ListModels")["Models"] == []


def test_a_deleted_model_is_gone_and_its_name_is_free(served: Call) -> None:
    assert served("DeleteModel", ModelName="cars") == {}
    assert served("ListModels") == {"Models": []}
    served("CreateModel", **MODEL)


def test_models_are_listed_newest_first(call: Call, ctx: Context) -> None:
    for number, name in enumerate(["b", "a", "c"]):
        call("CreateModel", **{**MODEL, "ModelName": name})
        ctx.store.update("model", name, CreationTime=now() + timedelta(seconds=number))
    assert [model["ModelName"] for model in call("ListModels")["Models"]] == ["c", "a", "b"]
    assert set(call("ListModels", MaxResults=1)["Models"][0]) == {"ModelName", "ModelArn", "CreationTime"}


def test_a_configuration_is_described_with_its_defaults(served: Call) -> None:
    assert served("CreateEndpointConfig", **CONFIG, DataCaptureConfig=CAPTURE) == {
        "EndpointConfigArn": CONFIG_ARN
    }
    found = served("DescribeEndpointConfig", EndpointConfigName="cars-1")
    assert found["ProductionVariants"] == [{**VARIANT, "InitialVariantWeight": 1.0}]
    assert found["DataCaptureConfig"] == {**CAPTURE, "EnableCapture": True}
    assert found["EndpointConfigArn"] == CONFIG_ARN


def test_a_second_configuration_of_the_same_name_and_an_unknown_one_are_refused(served: Call) -> None:
    served("CreateEndpointConfig", **CONFIG)
    message = f'Cannot create already existing endpoint configuration "{CONFIG_ARN}".'
    assert refused(served, "CreateEndpointConfig", CONFIG) == message
    served("DeleteEndpointConfig", EndpointConfigName="cars-1")
    for operation in ("DescribeEndpointConfig", "DeleteEndpointConfig"):
        message = refused(served, operation, {"EndpointConfigName": "cars-1"})
        assert message == f'Could not find endpoint configuration "{CONFIG_ARN}".'


SERVERLESS = {
    "VariantName": "all",
    "ModelName": "cars",
    "ServerlessConfig": {"MemorySizeInMB": 2048, "MaxConcurrency": 5},
}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"ProductionVariants": [VARIANT, VARIANT]}, "Two production variants are called 'all'"),
        ({"ProductionVariants": [{**VARIANT, "ModelName": "vans"}]}, 'Could not find model "arn:aws:'),
        ({"ProductionVariants": [{**VARIANT, "ModelName": None}]}, "names no model"),
        ({"ProductionVariants": [{**VARIANT, "InstanceType": None}]}, "needs InstanceType"),
        ({"ProductionVariants": [{**VARIANT, "InitialInstanceCount": None}]}, "needs InitialInstanceCount"),
        ({"ProductionVariants": [{**SERVERLESS, "InstanceType": "ml.m5.large"}]}, "must not have"),
        ({"ProductionVariants": [SERVERLESS, {**VARIANT, "VariantName": "b"}]}, "that one variant only"),
        (
            {"ProductionVariants": [SERVERLESS], "DataCaptureConfig": CAPTURE},
            "Serverless endpoints have no data capture",
        ),
        ({"ShadowProductionVariants": [VARIANT]}, "does not serve shadow variants"),
        (
            {"AsyncInferenceConfig": {"OutputConfig": {"S3OutputPath": "s3://a/b"}}},
            "does not serve asynchronous inference",
        ),
    ],
)
def test_a_configuration_that_could_not_serve_is_refused_at_once(
    served: Call, change: dict[str, Any], words: str
) -> None:
    assert words in refused(served, "CreateEndpointConfig", {**CONFIG, **change})
    assert served("ListEndpointConfigs")["EndpointConfigs"] == []


def test_a_serverless_variant_without_capture_is_taken(served: Call) -> None:
    capture = {**CAPTURE, "EnableCapture": False}
    served(
        "CreateEndpointConfig",
        EndpointConfigName="s",
        ProductionVariants=[SERVERLESS],
        DataCaptureConfig=capture,
    )
    found = served("DescribeEndpointConfig", EndpointConfigName="s")
    assert found["DataCaptureConfig"]["EnableCapture"] is False


def listed(call: Call, arn: str) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in call("ListTags", ResourceArn=arn)["Tags"]}


def test_tags_of_a_creation_are_kept_changed_and_taken_off(call: Call) -> None:
    call("CreateModel", **MODEL, Tags=[{"Key": "team", "Value": "a"}, {"Key": "stage", "Value": "test"}])
    answer = call("AddTags", ResourceArn=MODEL_ARN, Tags=[{"Key": "team", "Value": "b"}])
    assert answer["Tags"] == [{"Key": "team", "Value": "b"}, {"Key": "stage", "Value": "test"}]
    assert call("DeleteTags", ResourceArn=MODEL_ARN, TagKeys=["stage", "never"]) == {}
    assert listed(call, MODEL_ARN.replace("cars", "Cars")) == {"team": "b"}


def test_a_training_job_gets_its_tags_as_every_other_resource_does(call: Call) -> None:
    arn = call("CreateTrainingJob", **training_job("a", Tags=[{"Key": "k", "Value": "v"}]))["TrainingJobArn"]
    assert listed(call, arn) == {"k": "v"}


def test_a_new_resource_does_not_inherit_the_tags_of_a_deleted_one(call: Call) -> None:
    call("CreateModel", **MODEL, Tags=[{"Key": "team", "Value": "a"}])
    call("DeleteModel", ModelName="cars")
    assert listed(call, MODEL_ARN) == {}
    call("AddTags", ResourceArn=MODEL_ARN, Tags=[{"Key": "late", "Value": ""}])
    call("CreateModel", **MODEL)
    assert listed(call, MODEL_ARN) == {}


def test_a_refused_creation_does_not_touch_the_tags_of_the_resource_that_is_there(call: Call) -> None:
    call("CreateModel", **MODEL, Tags=[{"Key": "team", "Value": "a"}])
    refused(call, "CreateModel", {**MODEL, "Tags": [{"Key": "team", "Value": "b"}]})
    assert listed(call, MODEL_ARN) == {"team": "a"}


@pytest.mark.parametrize(
    ("keys", "words"),
    [(["a", "a"], "'a' is given more than once"), (["AWS:x"], "reserved for AWS")],
)
def test_repeated_and_reserved_tag_keys_are_refused(call: Call, keys: list[str], words: str) -> None:
    given = [{"Key": key, "Value": ""} for key in keys]
    assert words in refused(call, "CreateModel", {**MODEL, "Tags": given})
    assert words in refused(call, "AddTags", {"ResourceArn": MODEL_ARN, "Tags": given})


def test_a_resource_has_at_most_fifty_tags(call: Call) -> None:
    tags = [{"Key": f"k{number}", "Value": ""} for number in range(50)]
    call("AddTags", ResourceArn=MODEL_ARN, Tags=tags)
    assert "would have 51" in refused(
        call, "AddTags", {"ResourceArn": MODEL_ARN, "Tags": [{"Key": "one-more", "Value": ""}]}
    )
    assert len(listed(call, MODEL_ARN)) == 50
