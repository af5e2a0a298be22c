"""Stand-ins for what lies outside the control room: S3, images, the rooms that run jobs and endpoints."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from tidegate.local.sagemaker import control
from tidegate.local.sagemaker.context import Context
from tidegate.local.sagemaker.errors import ResourceInUse, ResourceNotFound, ValidationException
from tidegate.local.sagemaker.images.registry import Image, ImageNotRegistered
from tidegate.local.sagemaker.service import Rooms
from tidegate.local.sagemaker.store import AlreadyExists, Store, now

IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/prices:1"
ROLE = "arn:aws:iam::000000000000:role/models"


class S3:
    """Knows one object, s3://artifacts/model.tar.gz."""

    def head_object(self, Bucket: str, Key: str) -> dict[str, Any]:
        if (Bucket, Key) != ("artifacts", "model.tar.gz"):
            answer = {"Error": {"Code": "404"}, "ResponseMetadata": {"HTTPStatusCode": 404}}
            raise ClientError(answer, "HeadObject")
        return {}


class StandInContext(Context):
    def client(self, service: str) -> Any:
        assert service == "s3"
        return S3()


def find_image(uri: str) -> Image:
    if "prices" not in uri:
        raise ImageNotRegistered(f"No program is registered for the image {uri}.")
    return Image("prices", train=("train",), serve=None if "train-only" in uri else ("serve",))


def make_context(folder: Path) -> Context:
    return StandInContext(
        region="us-east-1",
        account="000000000000",
        endpoint_url="http://127.0.0.1:1",
        root=folder,
        store=Store(folder / "sagemaker.db"),
        images=find_image,
        emit=lambda detail_type, detail, resources: None,
    )


class StandInJobs:
    """Training jobs that end when the test says so."""

    def __init__(self) -> None:
        self.stopped: list[str] = []
        self.ended = threading.Event()
        self.final: dict[str, Any] = {"TrainingJobStatus": "Completed"}

    def create(self, ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
        name = request["TrainingJobName"]
        arn = ctx.arn("training-job", name)
        record = {**request, "TrainingJobArn": arn, "TrainingJobStatus": "InProgress", "CreationTime": now()}
        try:
            ctx.store.create("training-job", name, record)
        except AlreadyExists as error:
            raise ResourceInUse("Training job names must be unique.") from error
        return {"TrainingJobArn": arn}

    def describe(self, ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
        record = ctx.store.get("training-job", request["TrainingJobName"])
        if record is None:
            raise ResourceNotFound
        return record

    def stop(self, ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
        if self.ended.is_set():
            raise ValidationException("The job has ended already.")
        self.stopped.append(request["TrainingJobName"])
        return {}

    def wait(self, ctx: Context, kind: str, name: str, should_stop: Any) -> dict[str, Any]:
        while not self.ended.wait(0.01):
            if should_stop():
                return ctx.store.update(kind, name, TrainingJobStatus="Stopping")
        return ctx.store.update(kind, name, **self.final)


def invoke_endpoint(ctx: Context, name: str, body: bytes, headers: Any) -> tuple[int, dict[str, str], bytes]:
    return 200, {"content-type": headers["accept"], "x-amzn-invoked-production-variant": "all"}, body[::-1]


def make_rooms(jobs: StandInJobs) -> Rooms:
    return Rooms(
        operations={
            **control.OPERATIONS,
            "CreateTrainingJob": jobs.create,
            "DescribeTrainingJob": jobs.describe,
            "StopTrainingJob": jobs.stop,
        },
        invoke_endpoint=invoke_endpoint,
        wait=jobs.wait,
    )


def training_job(name: str, **more: Any) -> dict[str, Any]:
    """Return the least request that SageMaker's model of CreateTrainingJob takes."""
    return {
        "TrainingJobName": name,
        "AlgorithmSpecification": {"TrainingImage": IMAGE, "TrainingInputMode": "File"},
        "RoleArn": ROLE,
        "OutputDataConfig": {"S3OutputPath": "s3://artifacts/out"},
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
        "StoppingCondition": {"MaxRuntimeInSeconds": 60},
        **more,
    }
