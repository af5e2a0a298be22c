"""Every waiter and every paginator of boto3 for what is served: each is used on real resources."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator
from typing import Any

import botocore.session
import pytest
from botocore import xform_name

from tests.conformance.clients.conftest import Clients
from tidegate.local.sagemaker.service import all_rooms

pytestmark = [pytest.mark.clients, pytest.mark.timeout(300)]

IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"
ROLE = "arn:aws:iam::000000000000:role/jobs"
SERVED = all_rooms().operations
_MODEL = botocore.session.get_session().get_waiter_model("sagemaker")
WAITERS = [name for name in _MODEL.waiter_names if _MODEL.get_waiter(name).operation in SERVED]
PAGINATORS = sorted(name for name in SERVED if name.startswith("List"))
SOON = {"Delay": 1, "MaxAttempts": 60}
RESOURCES = {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1}
STOPPING = {"MaxRuntimeInSeconds": 60}
OUTPUT = {"S3OutputPath": "s3://pages/out"}


class Station:
    """Three of everything, made on first use."""

    def __init__(self, clients: Clients) -> None:
        self.sagemaker = clients.cloud.client("sagemaker")
        self.s3 = clients.cloud.client("s3")
        self.s3.create_bucket(Bucket="pages")
        self.s3.put_object(Bucket="pages", Key="in/rows.csv", Body=b"1\n")
        self._models()

    def train(self, name: str) -> None:
        self.sagemaker.create_training_job(
            TrainingJobName=name,
            RoleArn=ROLE,
            AlgorithmSpecification={
                "TrainingImage": IMAGE,
                "TrainingInputMode": "File",
                "ContainerEntrypoint": ["sh", "-c", "true"],
            },
            OutputDataConfig=OUTPUT,
            ResourceConfig=RESOURCES,
            StoppingCondition=STOPPING,
        )

    def process(self, name: str) -> None:
        self.sagemaker.create_processing_job(
            ProcessingJobName=name,
            RoleArn=ROLE,
            AppSpecification={"ImageUri": IMAGE, "ContainerEntrypoint": ["true"]},
            ProcessingResources={"ClusterConfig": RESOURCES},
        )

    def transform(self, name: str) -> None:
        source = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://pages/none/"}}
        self.sagemaker.create_transform_job(
            TransformJobName=name,
            ModelName="page-0",
            TransformInput={"DataSource": source, "ContentType": "text/csv"},
            TransformOutput=OUTPUT,
            TransformResources={"InstanceType": "ml.m5.large", "InstanceCount": 1},
        )

    def tune(self, name: str) -> None:
        numbers = [{"Name": "n", "Values": ["1"]}]
        self.sagemaker.create_hyper_parameter_tuning_job(
            HyperParameterTuningJobName=name,
            HyperParameterTuningJobConfig={
                "Strategy": "Random",
                "HyperParameterTuningJobObjective": {"Type": "Minimize", "MetricName": "loss"},
                "ResourceLimits": {"MaxNumberOfTrainingJobs": 3, "MaxParallelTrainingJobs": 1},
                "ParameterRanges": {"CategoricalParameterRanges": numbers},
            },
            TrainingJobDefinition={
                "RoleArn": ROLE,
                "AlgorithmSpecification": {
                    "TrainingImage": IMAGE,
                    "TrainingInputMode": "File",
                    "MetricDefinitions": [{"Name": "loss", "Regex": "loss=(.*)"}],
                },
                "OutputDataConfig": OUTPUT,
                "ResourceConfig": RESOURCES,
                "StoppingCondition": STOPPING,
            },
        )

    def serve(self, name: str) -> None:
        self.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName="page-0")

    def _models(self) -> None:
        for number in range(3):
            self.sagemaker.create_model(
                ModelName=f"page-{number}",
                ExecutionRoleArn=ROLE,
                PrimaryContainer={"Image": IMAGE.replace("sagemaker-scikit-learn", "sagemaker-xgboost")},
            )
            variant = {
                "VariantName": "all",
                "ModelName": f"page-{number}",
                "InstanceType": "ml.m5.large",
                "InitialInstanceCount": 1,
            }
            self.sagemaker.create_endpoint_config(
                EndpointConfigName=f"page-{number}", ProductionVariants=[variant]
            )


@pytest.fixture(scope="module")
def station(clients: Clients) -> Iterator[Station]:
    station = Station(clients)
    yield station


# What makes three of what a List operation lists; models and configurations are there already.
MAKERS = {
    "ListTrainingJobs": Station.train,
    "ListProcessingJobs": Station.process,
    "ListTransformJobs": Station.transform,
    "ListHyperParameterTuningJobs": Station.tune,
    "ListEndpoints": Station.serve,
    "ListModels": None,
    "ListEndpointConfigs": None,
}


@pytest.mark.parametrize("operation", [name for name in PAGINATORS if name in MAKERS])
def test_a_paginator_gives_everything_once_a_page_at_a_time(station: Station, operation: str) -> None:
    if maker := MAKERS[operation]:
        for number in range(3):
            maker(station, f"page-{number}")
    paginator = station.sagemaker.get_paginator(xform_name(operation))
    pages = list(paginator.paginate(NameContains="page-", PaginationConfig={"PageSize": 1}))
    [key] = [key for key, value in pages[0].items() if isinstance(value, list)]
    listed = [each for page in pages for each in page[key]]
    name = next(member for member in listed[0] if member.endswith("Name"))
    own = [each[name] for each in listed if len(each[name]) == len("page-0")]
    assert sorted(own) == ["page-0", "page-1", "page-2"]
    assert max(len(page[key]) for page in pages) == 1


def test_the_training_jobs_of_a_tuning_job_come_page_by_page(station: Station) -> None:
    station.tune("children")
    for _ in range(600):
        found = station.sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName="children")
        if found["HyperParameterTuningJobStatus"] not in ("InProgress", "Stopping"):
            break
        station.s3.head_bucket(Bucket="pages")  # a moment
    paginator = station.sagemaker.get_paginator("list_training_jobs_for_hyper_parameter_tuning_job")
    whole = paginator.paginate(HyperParameterTuningJobName="children", PaginationConfig={"PageSize": 1})
    assert len(whole.build_full_result()["TrainingJobSummaries"]) == 3


def test_the_tags_of_a_resource_come_in_a_page(station: Station) -> None:
    arn = station.sagemaker.describe_model(ModelName="page-0")["ModelArn"]
    station.sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": str(n), "Value": "x"} for n in range(50)])
    whole = station.sagemaker.get_paginator("list_tags").paginate(ResourceArn=arn).build_full_result()
    assert len(whole["Tags"]) == 50


def test_no_list_operation_is_forgotten_here() -> None:
    assert set(PAGINATORS) == {*MAKERS, "ListTrainingJobsForHyperParameterTuningJob", "ListTags"}


JOBS: dict[str, tuple[Any, str]] = {
    "TrainingJobCompletedOrStopped": (Station.train, "TrainingJobName"),
    "ProcessingJobCompletedOrStopped": (Station.process, "ProcessingJobName"),
}


@pytest.mark.parametrize("waiter", sorted(JOBS))
def test_a_waiter_returns_when_the_job_has_ended(station: Station, waiter: str) -> None:
    make, member = JOBS[waiter]
    make(station, "awaited")
    station.sagemaker.get_waiter(xform_name(waiter)).wait(**{member: "awaited"}, WaiterConfig=SOON)


def test_a_waiter_tells_of_a_job_that_failed(station: Station) -> None:
    station.transform("hopeless")  # there is nothing at its input
    waiter = station.sagemaker.get_waiter("transform_job_completed_or_stopped")
    with pytest.raises(Exception, match="terminal failure state"):
        waiter.wait(TransformJobName="hopeless", WaiterConfig=SOON)


def test_the_waiters_of_endpoints_see_them_come_and_go(station: Station) -> None:
    model = "served"
    container = {
        "Image": IMAGE,
        "ModelDataUrl": _artifact(station),
        "Environment": {"SAGEMAKER_PROGRAM": "inference.py"},
    }
    station.sagemaker.create_model(ModelName=model, ExecutionRoleArn=ROLE, PrimaryContainer=container)
    variant = {
        "VariantName": "all",
        "ModelName": model,
        "InstanceType": "ml.m5.large",
        "InitialInstanceCount": 1,
    }
    station.sagemaker.create_endpoint_config(EndpointConfigName=model, ProductionVariants=[variant])
    station.sagemaker.create_endpoint(EndpointName=model, EndpointConfigName=model)
    station.sagemaker.get_waiter("endpoint_in_service").wait(EndpointName=model, WaiterConfig=SOON)
    station.sagemaker.delete_endpoint(EndpointName=model)
    station.sagemaker.get_waiter("endpoint_deleted").wait(EndpointName=model, WaiterConfig=SOON)


def test_no_waiter_is_forgotten_here() -> None:
    used = {*JOBS, "TransformJobCompletedOrStopped", "EndpointInService", "EndpointDeleted"}
    assert set(WAITERS) == used


def _artifact(station: Station) -> str:
    """Put a model.tar.gz whose script serves, and give its address."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as archive:
        text = b"def model_fn(folder):\n    return 1\n\n\ndef predict_fn(rows, model):\n    return rows\n"
        member = tarfile.TarInfo("code/inference.py")
        member.size = len(text)
        archive.addfile(member, io.BytesIO(text))
    station.s3.put_object(Bucket="pages", Key="model.tar.gz", Body=content.getvalue())
    return "s3://pages/model.tar.gz"
