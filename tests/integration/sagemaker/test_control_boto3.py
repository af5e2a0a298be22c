"""boto3 against the control room in a running cloud: clients, paginators, errors, and a killed server."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError
from control_process import Cloud
from tests.waiting import quick_enough, seconds_of

pytestmark = pytest.mark.integration

VARIANT = {
    "VariantName": "all",
    "ModelName": "m-00",
    "InstanceType": "ml.m5.large",
    "InitialInstanceCount": 1,
}


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    started = Cloud(tmp_path_factory.mktemp("cloud"))
    try:
        s3 = started.client("s3")
        s3.create_bucket(Bucket="artifacts")
        s3.put_object(Bucket="artifacts", Key="a b+ü?.tar.gz", Body=b"x")
        sagemaker = started.client("sagemaker")
        for number in range(23):
            sagemaker.create_model(
                ModelName=f"m-{number:02}",
                PrimaryContainer={"Image": "prices:1", "ModelDataUrl": "s3://artifacts/a b+ü?.tar.gz"},
                ExecutionRoleArn="arn:aws:iam::000000000000:role/models",
                Tags=[{"Key": "number", "Value": str(number)}],
            )
        yield started
    finally:
        started.kill()


@pytest.fixture
def sagemaker(cloud: Cloud) -> Any:
    return cloud.client("sagemaker")


def test_a_model_comes_back_with_python_types(sagemaker: Any) -> None:
    found = sagemaker.describe_model(ModelName="m-07")
    assert found["CreationTime"].tzinfo is not None
    assert abs(found["CreationTime"].timestamp() - time.time()) < 300
    assert found["PrimaryContainer"]["ModelDataUrl"] == "s3://artifacts/a b+ü?.tar.gz"
    tags = sagemaker.get_paginator("list_tags").paginate(ResourceArn=found["ModelArn"]).build_full_result()
    assert tags["Tags"] == [{"Key": "number", "Value": "7"}]


def test_botocores_own_paginator_walks_all_pages(sagemaker: Any) -> None:
    pages = sagemaker.get_paginator("list_models").paginate(SortBy="Name", SortOrder="Ascending")
    names = [model["ModelName"] for page in pages for model in page["Models"]]
    assert names[:23] == [f"m-{number:02}" for number in range(23)]


def test_a_paginator_can_be_resumed_and_bounded(sagemaker: Any) -> None:
    paginator = sagemaker.get_paginator("list_models")
    options: dict[str, Any] = {"SortBy": "Name", "SortOrder": "Descending", "NameContains": "m-"}
    first = paginator.paginate(**options, PaginationConfig={"MaxItems": 7, "PageSize": 3}).build_full_result()
    assert [model["ModelName"] for model in first["Models"]] == [f"m-{n:02}" for n in range(22, 15, -1)]
    rest = paginator.paginate(
        **options, PaginationConfig={"StartingToken": first["NextToken"]}
    ).build_full_result()
    assert [model["ModelName"] for model in rest["Models"]] == [f"m-{n:02}" for n in range(15, -1, -1)]


def test_a_configuration_is_created_listed_described_and_deleted(sagemaker: Any) -> None:
    arn = sagemaker.create_endpoint_config(EndpointConfigName="short-lived", ProductionVariants=[VARIANT])
    assert arn["EndpointConfigArn"].endswith(":endpoint-config/short-lived")
    assert sagemaker.list_endpoint_configs(NameContains="LIVED")["EndpointConfigs"]
    found = sagemaker.describe_endpoint_config(EndpointConfigName="short-lived")
    assert found["ProductionVariants"][0]["InitialVariantWeight"] == 1.0
    sagemaker.delete_endpoint_config(EndpointConfigName="short-lived")
    assert sagemaker.list_endpoint_configs(NameContains="lived")["EndpointConfigs"] == []


@pytest.mark.parametrize(
    ("operation", "arguments", "code", "words"),
    [
        ("describe_model", {"ModelName": "none"}, "ValidationException", 'Could not find model "arn:aws:'),
        ("describe_model", {}, "ValidationException", "Value null at 'ModelName'"),
        ("list_models", {"NextToken": "x"}, "ValidationException", "NextToken is not one"),
        ("list_models", {"MaxResults": 101}, "ValidationException", "less than or equal to 100"),
        (
            "create_model",
            {"ModelName": "n", "PrimaryContainer": {"Image": "i", "ModelDataUrl": "s3://artifacts/none"}},
            "ValidationException",
            "Could not find model data at s3://artifacts/none",
        ),
        ("list_notebook_instances", {}, "UnknownOperationException", "does not serve it"),
    ],
)
def test_a_bad_request_is_an_error_of_the_client(
    sagemaker: Any, operation: str, arguments: dict[str, Any], code: str, words: str
) -> None:
    with pytest.raises(ClientError) as caught:
        getattr(sagemaker, operation)(**arguments)
    assert caught.value.response["Error"]["Code"] == code
    assert words in caught.value.response["Error"]["Message"]
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400


def test_an_invocation_goes_through_the_runtime_client(cloud: Cloud) -> None:
    runtime = cloud.client("sagemaker-runtime")
    answer = runtime.invoke_endpoint(EndpointName="cars", Body=b"1,2\n", Accept="text/csv")
    assert answer["Body"].read() == b"\n2,1"
    assert (answer["ContentType"], answer["InvokedProductionVariant"]) == ("text/csv", "all")


def test_runtime_errors_are_the_exceptions_that_the_client_declares(cloud: Cloud) -> None:
    runtime = cloud.client("sagemaker-runtime")
    with pytest.raises(runtime.exceptions.ValidationError, match="Endpoint none of account"):
        runtime.invoke_endpoint(EndpointName="none", Body=b"")
    with pytest.raises(runtime.exceptions.ModelError, match="The container said no") as caught:
        runtime.invoke_endpoint(EndpointName="cars", Body=b"bad", Accept="text/csv")
    assert caught.value.response["OriginalStatusCode"] == 415
    assert caught.value.response["OriginalMessage"] == "no"


def test_a_describe_is_quick(sagemaker: Any) -> None:
    # The client and the gateway take most of this; the control room's own part is measured apart.
    quick_enough(lambda: seconds_of(lambda: sagemaker.describe_model(ModelName="m-01")), 0.05)


def test_what_was_created_is_there_after_the_cloud_was_killed(cloud: Cloud) -> None:
    cloud.client("sagemaker").create_endpoint_config(
        EndpointConfigName="seen-again", ProductionVariants=[VARIANT]
    )
    cloud.kill()
    cloud.start()
    sagemaker = cloud.client("sagemaker")
    assert sagemaker.describe_endpoint_config(EndpointConfigName="seen-again")["ProductionVariants"]
    assert len(sagemaker.list_models(MaxResults=100)["Models"]) == 23
