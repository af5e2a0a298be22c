"""Models: the images and artifacts that endpoints and transform jobs start; CreateModel and its kin."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError

from tidegate.local.sagemaker.context import Context
from tidegate.local.sagemaker.control.kept import Kept
from tidegate.local.sagemaker.errors import ValidationException
from tidegate.local.sagemaker.images.registry import ImageNotRegistered

_MODELS = Kept("model", "model", "Model")
_HTTP_NOT_FOUND = 404
_KEPT = ("ModelName", "ExecutionRoleArn", "VpcConfig", "InferenceExecutionConfig")


def create_model(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Keep a model of one container or of a pipeline, once its images and artifacts are known to exist."""
    name = request["ModelName"]
    pipeline: list[dict[str, Any]] = request.get("Containers", [])
    if ("PrimaryContainer" in request) == bool(pipeline):
        raise ValidationException(
            f"The model '{name}' needs either PrimaryContainer or a list of Containers, and not both."
        )
    if request.get("InferenceExecutionConfig", {}).get("Mode") == "Direct":
        raise ValidationException(
            "The local SageMaker runs the containers of a model one after the other (Mode Serial). "
            "Make a model of its own for each container that is to be called directly."
        )
    role = request.get("ExecutionRoleArn", "")
    ctx.check_role(role, _MODELS.arn(ctx, name))
    containers = pipeline or [request["PrimaryContainer"]]
    _check_hostnames(containers)
    record: dict[str, Any] = {
        **{key: request[key] for key in _KEPT if key in request},
        "EnableNetworkIsolation": request.get("EnableNetworkIsolation", False),
    }
    checked = [_check_container(ctx, name, role, container) for container in containers]
    if pipeline:
        record["Containers"] = checked
    else:
        record["PrimaryContainer"] = checked[0]
    return _MODELS.create(ctx, name, record)


def describe_model(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Answer with the model's record."""
    return find_model(ctx, request["ModelName"])


def list_models(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """List models."""
    return _MODELS.list(ctx, request)


def delete_model(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Forget the model; its artifacts stay, and so do endpoints that already serve it."""
    return _MODELS.delete(ctx, request["ModelName"])


def find_model(ctx: Context, name: str) -> dict[str, Any]:
    """Return a model's record, or raise the error that AWS gives for an unknown name."""
    return _MODELS.find(ctx, name)


def _check_container(ctx: Context, model: str, role: str, container: dict[str, Any]) -> dict[str, Any]:
    """Return a container as Describe shows it, once everything it refers to is there."""
    for member in ("ModelPackageName", "AdditionalModelDataSources"):
        if member in container:
            raise ValidationException(
                f"The local SageMaker does not serve {member} (model '{model}'). Give Image and ModelDataUrl."
            )
    if container.get("Mode", "SingleModel") != "SingleModel":
        raise ValidationException(
            f"The local SageMaker serves one model in a container (Mode SingleModel), and a container of "
            f"'{model}' asks for {container['Mode']}. Create a model for each artifact."
        )
    if "Image" not in container:
        raise ValidationException(f"Each container of the model '{model}' needs an Image.")
    try:
        image = ctx.images(container["Image"])
    except ImageNotRegistered as error:
        raise ValidationException(str(error)) from error
    if image.serve is None:
        raise ValidationException(
            f'The image {container["Image"]} cannot serve: no command is registered for it under "serve".'
        )
    if "ModelDataUrl" in container and "ModelDataSource" in container:
        raise ValidationException(
            f"A container of the model '{model}' has both ModelDataUrl and ModelDataSource. Give one of them."
        )
    if "ModelDataUrl" in container:
        _check_object(ctx, role, container["ModelDataUrl"])
    return {"Mode": "SingleModel", "Environment": {}, **container}


def _check_object(ctx: Context, role: str, url: str) -> None:
    bucket, _, key = url.removeprefix("s3://").partition("/")
    if not url.startswith("s3://") or not key:
        raise ValidationException(
            f"ModelDataUrl must be the S3 address of a model.tar.gz, s3://BUCKET/KEY, and it is '{url}'."
        )
    try:
        ctx.acting_as(role).client("s3").head_object(Bucket=bucket, Key=key)
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] == _HTTP_NOT_FOUND:
            raise ValidationException(f"Could not find model data at {url}.") from error
        hint = f' Please ensure that the role "{role}" has "s3:GetObject" permissions.' if role else ""
        raise ValidationException(f"Could not access model data at {url}: {error}.{hint}") from error


def _check_hostnames(containers: list[dict[str, Any]]) -> None:
    names = [container["ContainerHostname"] for container in containers if "ContainerHostname" in container]
    repeated = {name for name in names if names.count(name) > 1}
    if repeated:
        raise ValidationException(
            f"Two containers have the ContainerHostname '{repeated.pop()}'. Give each its own, or none."
        )


OPERATIONS = {
    "CreateModel": create_model,
    "DescribeModel": describe_model,
    "ListModels": list_models,
    "DeleteModel": delete_model,
}
