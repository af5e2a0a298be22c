"""What a call must be allowed to do: SageMaker's operations, and the tasks of state machines.

After the service authorization reference (docs.aws.amazon.com/service-authorization) and the Step Functions
guide's "IAM policies for integrated services".
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tidegate.local.emulator.names import actions
from tidegate.local.settings import ACCOUNT, REGION


@dataclass(frozen=True)
class Need:
    """An action that must be allowed on a resource.

    Parameters
    ----------
    action
        As in a policy: ``sagemaker:CreateModel``.
    resource
        Its ARN, or ``*`` for an action that names none.
    context
        Condition keys of the request, in lower case.
    """

    action: str
    resource: str = "*"
    context: Mapping[str, str] = field(default_factory=dict)


# The word in SageMaker's operations and members -> the kind in its ARNs.
_KINDS = {
    "TrainingJob": "training-job",
    "HyperParameterTuningJob": "hyper-parameter-tuning-job",
    "TransformJob": "transform-job",
    "ProcessingJob": "processing-job",
    "Model": "model",
    "EndpointConfig": "endpoint-config",
    "Endpoint": "endpoint",
}
_OPERATION = re.compile(r"(?:Create|Describe|Update|Delete|Stop|Invoke)(.+?)(?:WeightsAndCapacities|Async)?")
_TAGGING = ("AddTags", "ListTags", "DeleteTags")
# Operations that also use another resource.
_ALSO = {"CreateEndpoint": "EndpointConfig", "UpdateEndpoint": "EndpointConfig"}
# By how Step Functions learns that a job has ended, its role makes this rule on EventBridge.
_ENDING_RULE = "StepFunctionsGetEventsForSageMaker{}JobsRule"
_PASSED_TO_SAGEMAKER = {"iam:passedtoservice": "sagemaker.amazonaws.com"}

# Step Functions' word for a service -> the service's key in the emulator, and its IAM namespace.
_SERVICES = {
    "sfn": ("states", "states"),
    "eventbridge": ("events", "events"),
    "cloudwatch": ("monitoring", "cloudwatch"),
    "cloudwatchlogs": ("logs", "logs"),
}
_S3_ACTIONS = {"HeadObject": "GetObject", "ListObjectsV2": "ListBucket", "HeadBucket": "ListBucket"}


def sagemaker_needs(operation: str, request: Mapping[str, Any]) -> list[Need]:
    """Return what an operation of SageMaker must be allowed to do.

    >>> [f"{n.action} {n.resource}" for n in sagemaker_needs("DescribeModel", {"ModelName": "Cars"})]
    ['sagemaker:DescribeModel arn:aws:sagemaker:us-east-1:000000000000:model/cars']
    """
    action = f"sagemaker:{operation}"
    if operation in _TAGGING:
        return [Need(action, str(request.get("ResourceArn", "*")))]
    match = _OPERATION.fullmatch(operation)
    word = match[1] if match else ""
    if word not in _KINDS:
        return [Need(action)]
    needs = [Need(action, _sagemaker_arn(word, request))]
    if other := _ALSO.get(operation):
        needs.append(Need(action, _sagemaker_arn(other, request)))
    if operation.startswith("Create"):
        if request.get("Tags"):
            needs.append(Need("sagemaker:AddTags", _sagemaker_arn(word, request)))
        needs += [Need("iam:PassRole", role, _PASSED_TO_SAGEMAKER) for role in _roles_passed(request)]
    return needs


def _roles_passed(request: Mapping[str, Any]) -> list[str]:
    """Return the roles that a request gives to SageMaker; a tuning job's are those of its training jobs."""
    given = [request, request.get("TrainingJobDefinition"), *(request.get("TrainingJobDefinitions") or [])]
    parts = [each for each in given if isinstance(each, dict)]
    roles = [each.get("RoleArn") or each.get("ExecutionRoleArn") for each in parts]
    return [str(role) for role in dict.fromkeys(roles) if role]


def scaling_needs(operation: str, request: Mapping[str, Any]) -> list[Need]:
    """Return what an operation of Application Auto Scaling must be allowed to do.

    A target's ARN holds an id of its own, so policies name all of them and bound them by the namespace.
    """
    named = {
        f"application-autoscaling:{key}": str(request[member])
        for key, member in (
            ("service-namespace", "ServiceNamespace"),
            ("scalable-dimension", "ScalableDimension"),
        )
        if member in request
    }
    target = f"arn:aws:application-autoscaling:{REGION}:{ACCOUNT}:scalable-target/*"
    return [Need(f"application-autoscaling:{operation}", target, named)]


def task_needs(resource: str, arguments: Any) -> list[Need]:
    """Return what the role of a state machine must be allowed to do for a task.

    >>> [n.action for n in task_needs("arn:aws:states:::aws-sdk:ssm:getParameter", {"Name": "/cars/model"})]
    ['ssm:GetParameter']
    """
    given = arguments if isinstance(arguments, dict) else {}
    if not resource.startswith("arn:aws:states:::"):
        return [Need("lambda:InvokeFunction", resource)] if ":lambda:" in resource else []
    name = resource.removeprefix("arn:aws:states:::").removesuffix(".waitForTaskToken")
    *before, service, action = name.replace(".sync:", ".sync;").split(":")
    action, _, pattern = action.partition(".")
    operation = action[0].upper() + action[1:]
    is_sync = pattern.startswith("sync")
    if service == "sagemaker":
        tags = {} if before else {"Tags": [*(given.get("Tags") or []), "the mark that Step Functions adds"]}
        needs = sagemaker_needs(operation, {**given, **tags} if is_sync else given)
        return needs + (_sync_needs(operation, given) if is_sync else [])
    if service == "applicationautoscaling":
        return scaling_needs(operation, given)
    if service == "lambda" and operation == "Invoke":
        return [Need("lambda:InvokeFunction", _function_arn(str(given.get("FunctionName", ""))))]
    if service == "glue" and not before:
        return _glue_needs(given, is_sync)
    if service in ("states", "sfn") and operation == "StartExecution":
        return _start_execution_needs(given, is_sync)
    return _service_needs(service, operation, given)


def _sync_needs(operation: str, given: Mapping[str, Any]) -> list[Need]:
    """What waiting for a job takes: to look at it, to stop it, and to hear of its end."""
    word = operation.removeprefix("Create")
    arn = _sagemaker_arn(word, given)
    kind = word.removeprefix("HyperParameter").removesuffix("Job")
    rule = f"arn:aws:events:{REGION}:{ACCOUNT}:rule/{_ENDING_RULE.format(kind)}"
    hearing = [Need(f"events:{action}", rule) for action in ("PutTargets", "PutRule", "DescribeRule")]
    looking = [Need(f"sagemaker:{action}", arn) for action in (f"Describe{word}", f"Stop{word}", "ListTags")]
    return [*looking, *hearing]


def _glue_needs(given: Mapping[str, Any], is_sync: bool) -> list[Need]:
    waiting = ["GetJobRun", "GetJobRuns", "BatchStopJobRun"] if is_sync else []
    job = f"arn:aws:glue:{REGION}:{ACCOUNT}:job/{given.get('JobName', '*')}"
    return [Need(f"glue:{action}", job) for action in ("StartJobRun", *waiting)]


def _start_execution_needs(given: Mapping[str, Any], is_sync: bool) -> list[Need]:
    machine = str(given.get("StateMachineArn", "*"))
    needs = [Need("states:StartExecution", machine)]
    if is_sync:
        runs = f"{machine.replace(':stateMachine:', ':execution:')}:*"
        rule = f"arn:aws:events:{REGION}:{ACCOUNT}:rule/StepFunctionsGetEventsForStepFunctionsExecutionRule"
        needs += [Need(f"states:{action}", runs) for action in ("DescribeExecution", "StopExecution")]
        needs += [Need(f"events:{action}", rule) for action in ("PutTargets", "PutRule", "DescribeRule")]
    return needs


def _service_needs(service: str, operation: str, given: Mapping[str, Any]) -> list[Need]:
    key, namespace = _SERVICES.get(service, (service, service))
    if key == "s3":
        return _s3_needs(operation, given)
    action = f"{namespace}:{operation}"
    if key == "ssm" and (named := parameter_arns(given)):
        return [Need(action, arn) for arn in named]
    if key == "sns":
        return [Need(action, str(given.get("TopicArn") or given.get("TargetArn") or "*"))]
    if key == "events" and operation == "PutEvents":
        buses = {str(entry.get("EventBusName", "default")) for entry in given.get("Entries", [])}
        return [Need(action, _bus_arn(bus)) for bus in sorted(buses)]
    if key == "states":
        # Its wire has small initials where state machines write capitals.
        given = {name[:1].lower() + name[1:]: value for name, value in given.items()}
    body = json.dumps(given, default=str).encode()
    headers = {"x-amz-target": f"{key}.{operation}", "content-type": "application/x-amz-json-1.0"}
    return [Need(action, actions.resource_of(key, "POST", "/", headers, body, {}, REGION, ACCOUNT))]


def parameter_arns(request: Mapping[str, Any]) -> list[str]:
    """Return the ARNs of the parameters that a request to Parameter Store names, or of the path.

    >>> parameter_arns({"Names": ["/tidegate/cars/model"]})
    ['arn:aws:ssm:us-east-1:000000000000:parameter/tidegate/cars/model']
    """
    names = request.get("Names") or [request[key] for key in ("Name", "Path") if key in request]
    prefix = f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/"
    return [prefix + str(name).removeprefix("/") for name in names]


def _s3_needs(operation: str, given: Mapping[str, Any]) -> list[Need]:
    bucket = f"arn:aws:s3:::{given.get('Bucket', '*')}"
    where = f"{bucket}/{given['Key']}" if "Key" in given else bucket
    if operation == "CopyObject":
        source = str(given.get("CopySource", "")).removeprefix("/").partition("?")[0]
        return [Need("s3:GetObject", f"arn:aws:s3:::{source}"), Need("s3:PutObject", where)]
    context = {"s3:prefix": str(given.get("Prefix", ""))} if operation.startswith("ListObjects") else {}
    return [Need(f"s3:{_S3_ACTIONS.get(operation, operation)}", where, context)]


def _sagemaker_arn(word: str, request: Mapping[str, Any]) -> str:
    name = str(request.get(f"{word}Name", "*"))
    return f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:{_KINDS[word]}/{name.lower()}"


def _function_arn(name: str) -> str:
    return name if name.startswith("arn:") else f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}"


def _bus_arn(name: str) -> str:
    return name if name.startswith("arn:") else f"arn:aws:events:{REGION}:{ACCOUNT}:event-bus/{name}"
