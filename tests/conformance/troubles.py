"""What can go wrong in a Task state, by what it calls: the names and words that Step Functions reports it with.

Names after AWS's guide "Handling errors in Step Functions workflows" and the exception classes of AWS's Java SDK,
by which Step Functions names the errors of services: an error that a service's model does not have, such as a
throttle of SageMaker's, comes under the service's general exception.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

# The general exception of each service: with an optimized integration, and through aws-sdk.
GENERAL = {
    "lambda": "Lambda.AWSLambdaException",
    "dynamodb": "DynamoDB.AmazonDynamoDBException",
    "sagemaker": "SageMaker.AmazonSageMakerException",
    "glue": "Glue.AWSGlueException",
    "sns": "SNS.AmazonSNSException",
    "events": "EventBridge.AmazonEventBridgeException",
    "aws-sdk:ssm": "Ssm.SsmException",
    "aws-sdk:sagemaker": "SageMaker.SageMakerException",
    "aws-sdk:sfn": "Sfn.SfnException",
    "aws-sdk:applicationautoscaling": "ApplicationAutoScaling.ApplicationAutoScalingException",
}
THROTTLE = {
    "lambda": "Lambda.TooManyRequestsException",
    "dynamodb": "DynamoDB.ProvisionedThroughputExceededException",
    "aws-sdk:ssm": "Ssm.ThrottlingException",
}
# The work of these may be done although no answer came, and doing it again under the same name is refused.
NOT_REPEATED = ("Save the model without its recipe",)
LASTING = "not authorized"


@dataclass(frozen=True)
class Trouble:
    """One thing that can go wrong.

    Parameters
    ----------
    kind
        In words: the column of the matrix.
    fault
        How the local cloud is told to do it; see `tidegate.local.emulator.faults`.
    passes
        Whether it may be over when the task is tried again; otherwise it lasts.
    """

    kind: str
    fault: dict[str, Any]
    passes: bool

    @property
    def error(self) -> str:
        """The name of the error that Step Functions sees."""
        if self.kind == "endpoint failed":
            return "EndpointFailed"  # the machine's own word for what it then sees
        if "error" in self.fault:
            return str(self.fault["error"])
        return "States.Timeout" if "lost" in self.fault else "States.QueryEvaluationError"


def service_of(resource: str) -> str:
    """Give the service that a resource calls, as the tables here name it."""
    return resource.removeprefix("arn:aws:states:::").rsplit(":", 1)[0]


def troubles_of(name: str, body: dict[str, Any]) -> Iterator[Trouble]:
    """Give everything that can go wrong in a Task state: what passes by itself first, then what lasts."""
    resource = body["Resource"]
    service = service_of(resource)
    refused = (
        f"User: arn:aws:sts::123456789012:assumed-role/a/b is {LASTING} to perform it (Status Code: 403)"
    )
    throttle = _fault(THROTTLE.get(service, GENERAL[service]), "Rate exceeded (Status Code: 400)")
    yield Trouble("throttle", throttle, passes=True)
    yield Trouble("service error", _fault(GENERAL[service], "Try again (Status Code: 500)"), passes=True)
    yield from _of_its_own(service, resource)
    lost = {"lost": True}
    repeated = not (service == "lambda" or resource.endswith(".sync") or name in NOT_REPEATED)
    if repeated:
        yield Trouble("timeout", lost, passes=True)
    yield Trouble("throttle", throttle, passes=False)
    yield Trouble("access denied", _fault(GENERAL[service], refused), passes=False)
    yield Trouble("timeout", lost, passes=False)
    if garbled := _garbled(service, body):
        yield Trouble("malformed answer", {"answer": garbled}, passes=False)


def _of_its_own(service: str, resource: str) -> Iterator[Trouble]:
    if service == "lambda":
        died = _failure("Worker process died", "Runtime.ExitError")
        yield Trouble("timeout", _fault("Lambda.ClientExecutionTimeoutException", "timed out"), passes=True)
        yield Trouble("function crash", _fault("Runtime.ExitError", died), passes=True)
        yield Trouble("function crash", _fault("Runtime.ExitError", died), passes=False)
        killed = _failure("Runtime exited with error: signal: killed", "Runtime.OutOfMemory")
        yield Trouble("out of memory", _fault("Runtime.OutOfMemory", killed), passes=False)
    if resource.endswith("startJobRun.sync"):
        for kind, status in (("job failed", "FAILED"), ("job stopped", "STOPPED")):
            described = {"JobName": "profile", "JobRunState": status, "ErrorMessage": "it broke"}
            yield Trouble(kind, _fault("States.TaskFailed", json.dumps(described)), passes=False)
    elif resource.endswith(".sync"):
        word = resource.removesuffix(".sync").rsplit(":create", 1)[1]
        quota = _fault("SageMaker.ResourceLimitExceededException", "The account-level limit is 0 instances")
        yield Trouble("throttle", quota, passes=True)
        for kind, status in (("job failed", "Failed"), ("job stopped", "Stopped")):
            described = {f"{word}Name": "tg-job", f"{word}Status": status}
            reason = {"FailureReason": "AlgorithmError: it broke"} if status == "Failed" else {}
            fault = _fault("States.TaskFailed", json.dumps({**described, **reason}))
            yield Trouble(kind, fault, passes=False)
    if resource.endswith(":describeEndpoint"):
        described = {
            "EndpointStatus": "Failed",
            "EndpointConfigName": "c",
            "FailureReason": "it never pinged",
        }
        yield Trouble("endpoint failed", {"answer": described}, passes=False)


def _garbled(service: str, body: dict[str, Any]) -> dict[str, Any] | None:
    """Give an answer without what the state goes by; None where it goes by nothing."""
    used = {key: value for key, value in body.items() if key in ("Assign", "Output")}
    if "$states.result" not in json.dumps(used):
        return None
    if body["Resource"].endswith(":getItem"):
        return {"Item": "garbled"}
    return {"Garbled": True} if service == "lambda" else {"Garbled": True, "Payload": {}}


def _fault(error: str, cause: str) -> dict[str, Any]:
    return {"error": error, "cause": cause}


def _failure(message: str, kind: str) -> str:
    return json.dumps({"errorMessage": message, "errorType": kind})
