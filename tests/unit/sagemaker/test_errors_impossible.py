"""Well-formed requests that cannot be done: unknown and taken names, what is in use, what is under way.

Codes and the beginnings of messages are those that AWS's own Kubernetes controllers tell them by
(aws-controllers-k8s/sagemaker-controller, generator.yaml; aws/amazon-sagemaker-operator-for-k8s, clientwrapper).
"""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from control_stand_ins import IMAGE, ROLE, make_context, training_job

from tidegate.local.sagemaker import service
from tidegate.local.sagemaker.context import Context
from tidegate.local.sagemaker.store import now

VALIDATION, IN_USE, NOT_FOUND = "ValidationException", "ResourceInUse", "ResourceNotFound"
VARIANT = {"VariantName": "all", "ModelName": "m", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
WEIGHTS = [{"VariantName": "all", "DesiredWeight": 2}]
SOURCE = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://artifacts/in/"}}
RESOURCES = {"InstanceType": "ml.m5.large", "InstanceCount": 1}
TUNING = {
    "HyperParameterTuningJobConfig": {
        "Strategy": "Random",
        "HyperParameterTuningJobObjective": {"Type": "Minimize", "MetricName": "loss"},
        "ResourceLimits": {"MaxNumberOfTrainingJobs": 1, "MaxParallelTrainingJobs": 1},
        "ParameterRanges": {"CategoricalParameterRanges": [{"Name": "x", "Values": ["1"]}]},
    },
    "TrainingJobDefinition": {
        **{key: value for key, value in training_job("x").items() if key != "TrainingJobName"},
        "AlgorithmSpecification": {
            "TrainingImage": IMAGE,
            "TrainingInputMode": "File",
            "MetricDefinitions": [{"Name": "loss", "Regex": "(.*)"}],
        },
    },
}
CREATE: dict[str, dict[str, Any]] = {
    "CreateModel": {"ModelName": "m", "PrimaryContainer": {"Image": IMAGE}, "ExecutionRoleArn": ROLE},
    "CreateEndpointConfig": {"EndpointConfigName": "c", "ProductionVariants": [VARIANT]},
    "CreateEndpoint": {"EndpointName": "e", "EndpointConfigName": "c"},
    "CreateTrainingJob": training_job("j"),
    "CreateProcessingJob": {
        "ProcessingJobName": "j",
        "RoleArn": ROLE,
        "AppSpecification": {"ImageUri": IMAGE},
        "ProcessingResources": {"ClusterConfig": {**RESOURCES, "VolumeSizeInGB": 1}},
    },
    "CreateTransformJob": {
        "TransformJobName": "j",
        "ModelName": "m",
        "TransformInput": {"DataSource": SOURCE},
        "TransformOutput": {"S3OutputPath": "s3://artifacts/out"},
        "TransformResources": RESOURCES,
    },
    "CreateHyperParameterTuningJob": {"HyperParameterTuningJobName": "j", **TUNING},
}


@pytest.fixture
def ctx(tmp_path: Path) -> Context:
    """A local SageMaker with a model, a configuration, an endpoint in service, and a job of each kind."""
    ctx = make_context(tmp_path)
    for operation in ("CreateModel", "CreateEndpointConfig"):
        service.call(ctx, operation, CREATE[operation])
    put_endpoint(ctx, "InService")
    for kind, word in (
        ("training-job", "TrainingJob"),
        ("processing-job", "ProcessingJob"),
        ("transform-job", "TransformJob"),
        ("hyper-parameter-tuning-job", "HyperParameterTuningJob"),
    ):
        record = {**CREATE[f"Create{word}"], f"{word}Status": "Completed", "CreationTime": now()}
        ctx.store.create(kind, "j", record | {f"{word}Arn": ctx.arn(kind, "j")})
    return ctx


def put_endpoint(ctx: Context, status: str) -> None:
    ctx.store.delete("endpoint", "e")
    arn = ctx.arn("endpoint", "e")
    record = {"EndpointName": "e", "EndpointArn": arn, "EndpointConfigName": "c", "EndpointStatus": status}
    ctx.store.create("endpoint", "e", record | {"CreationTime": now(), "ProductionVariants": [VARIANT]})


def refusal(ctx: Context, operation: str, request: dict[str, Any]) -> tuple[int, str, str]:
    handler = service.make_handler(ctx)
    headers = {"X-Amz-Target": f"SageMaker.{operation}"}
    status, _, body = asyncio.run(handler("POST", "/", headers, json.dumps(request).encode(), {}))
    answer = json.loads(body)
    return status, answer.get("__type", ""), answer.get("message", "")


UNKNOWN = [
    ("DescribeTrainingJob", {"TrainingJobName": "no"}, VALIDATION, "Requested resource not found"),
    ("StopTrainingJob", {"TrainingJobName": "no"}, VALIDATION, "Requested resource not found"),
    ("DescribeProcessingJob", {"ProcessingJobName": "no"}, VALIDATION, "Could not find requested job"),
    ("StopProcessingJob", {"ProcessingJobName": "no"}, VALIDATION, "Could not find requested job"),
    ("DescribeTransformJob", {"TransformJobName": "no"}, VALIDATION, "Could not find requested job with name"),
    ("StopTransformJob", {"TransformJobName": "no"}, VALIDATION, "Could not find requested job with name"),
    *(
        (operation, {"HyperParameterTuningJobName": "no"}, NOT_FOUND, "Amazon SageMaker can't find a tuning job")
        for operation in (
            "DescribeHyperParameterTuningJob",
            "StopHyperParameterTuningJob",
            "ListTrainingJobsForHyperParameterTuningJob",
        )
    ),
    ("DescribeModel", {"ModelName": "no"}, VALIDATION, "Could not find model"),
    ("DeleteModel", {"ModelName": "no"}, VALIDATION, "Could not find model"),
    ("DescribeEndpointConfig", {"EndpointConfigName": "no"}, VALIDATION, "Could not find endpoint configuration"),
    ("DeleteEndpointConfig", {"EndpointConfigName": "no"}, VALIDATION, "Could not find endpoint configuration"),
    ("DescribeEndpoint", {"EndpointName": "no"}, VALIDATION, "Could not find endpoint"),
    ("DeleteEndpoint", {"EndpointName": "no"}, VALIDATION, "Could not find endpoint"),
    ("UpdateEndpoint", {"EndpointName": "no", "EndpointConfigName": "c"}, VALIDATION, "Could not find endpoint"),
    (
        "UpdateEndpoint",
        {"EndpointName": "e", "EndpointConfigName": "no"},
        VALIDATION,
        "Could not find endpoint configuration",
    ),
    (
        "UpdateEndpointWeightsAndCapacities",
        {"EndpointName": "no", "DesiredWeightsAndCapacities": WEIGHTS},
        VALIDATION,
        "Could not find endpoint",
    ),
    (
        "CreateEndpoint",
        {"EndpointName": "new", "EndpointConfigName": "no"},
        VALIDATION,
        "Could not find endpoint configuration",
    ),
    (
        "CreateEndpointConfig",
        {"EndpointConfigName": "new", "ProductionVariants": [{**VARIANT, "ModelName": "no"}]},
        VALIDATION,
        "Could not find model",
    ),
    (
        "CreateTransformJob",
        {**CREATE["CreateTransformJob"], "TransformJobName": "new", "ModelName": "no"},
        VALIDATION,
        "Could not find model",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("operation", "request_", "code", "begins"), UNKNOWN)
def test_an_unknown_name_is_answered_as_by_aws(
    ctx: Context, operation: str, request_: dict[str, Any], code: str, begins: str
) -> None:
    status, given, message = refusal(ctx, operation, request_)
    assert (status, given) == (400, code)
    assert message.startswith(begins)


@pytest.mark.parametrize("operation", CREATE)
def test_a_name_that_is_taken_is_refused(ctx: Context, operation: str) -> None:
    status, code, message = refusal(ctx, operation, CREATE[operation])
    assert (status, code) == (400, IN_USE if operation.endswith("Job") else VALIDATION)
    assert "exist" in message


@pytest.mark.parametrize("operation", CREATE)
def test_a_name_is_taken_in_whatever_case(ctx: Context, operation: str) -> None:
    request = dict(CREATE[operation])
    name = next(member for member in request if member == f"{operation.removeprefix('Create')}Name")
    status, code, _ = refusal(ctx, operation, {**request, name: request[name].upper()})
    assert (status, code) == (400, IN_USE if operation.endswith("Job") else VALIDATION)


@pytest.mark.parametrize("status", ["Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting"])
@pytest.mark.parametrize(
    ("operation", "request_"),
    [
        ("UpdateEndpoint", {"EndpointName": "e", "EndpointConfigName": "c"}),
        (
            "UpdateEndpointWeightsAndCapacities",
            {"EndpointName": "e", "DesiredWeightsAndCapacities": WEIGHTS},
        ),
        ("DeleteEndpoint", {"EndpointName": "e"}),
    ],
)
def test_an_endpoint_that_is_changing_takes_no_other_change(
    ctx: Context, operation: str, request_: dict[str, Any], status: str
) -> None:
    put_endpoint(ctx, status)
    answered, code, message = refusal(ctx, operation, request_)
    assert (answered, code) == (400, VALIDATION)
    assert message.startswith("Cannot update in-progress endpoint")


@pytest.mark.parametrize("word", ["TrainingJob", "ProcessingJob", "TransformJob", "HyperParameterTuningJob"])
def test_a_job_that_has_ended_cannot_be_stopped(ctx: Context, word: str) -> None:
    status, code, message = refusal(ctx, f"Stop{word}", {f"{word}Name": "j"})
    assert (status, code) == (400, VALIDATION)
    assert "Completed" in message


def test_a_tuning_job_that_runs_cannot_be_deleted(ctx: Context) -> None:
    ctx.store.update("hyper-parameter-tuning-job", "j", HyperParameterTuningJobStatus="InProgress")
    request = {"HyperParameterTuningJobName": "j"}
    assert refusal(ctx, "DeleteHyperParameterTuningJob", request)[:2] == (400, VALIDATION)


@pytest.mark.parametrize(
    ("operation", "name"),
    [("DeleteModel", "m"), ("DeleteEndpointConfig", "c")],
    ids=["model", "configuration"],
)
def test_what_an_endpoint_uses_may_be_deleted_as_on_aws(ctx: Context, operation: str, name: str) -> None:
    member = operation.removeprefix("Delete") + "Name"
    assert refusal(ctx, operation, {member: name})[0] == 200


def test_every_served_operation_with_a_name_is_asked_for_an_unknown_one() -> None:
    asked = {operation for operation, *_ in UNKNOWN}
    # A create without another's name cannot meet an unknown one; lists have nothing to find; and AWS
    # takes the deletion of a tuning job that is not there for done.
    others = {"CreateModel", "CreateTrainingJob", "CreateProcessingJob", "CreateHyperParameterTuningJob"}
    others |= {"DeleteHyperParameterTuningJob", "AddTags", "DeleteTags"}
    lists = {name for name in service.all_rooms().operations if name.startswith("List")}
    assert asked | others | lists == set(service.all_rooms().operations)
