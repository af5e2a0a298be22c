"""The one table of retry rules: what a Task tries again, and how, by what it calls.

Each rule: names of errors, first pause in seconds, attempts, growth of the pauses, longest pause. All jitter fully, so
that a pause is half as long at the mean; a quota that is used up is asked about for more than an hour that way.
"""

from __future__ import annotations

from typing import Any

from tests.conformance.troubles import service_of

Rule = tuple[tuple[str, ...], float, int, float, float]

QUOTA = (30, 16, 2, 600)
# A service's general exception is what has no name of its own: a fault of the moment, but also a request that the
# service refuses (ValidationException) or that nobody may make, which no trying again mends. So not for long.
GENERAL = (2, 4, 2, 16)
RULES: dict[str, tuple[Rule, ...]] = {
    "lambda": (
        # Functions are few at a time, by the account's quota or the stack's: many drops at once wait here.
        (("Lambda.TooManyRequestsException",), 1, 60, 1.5, 60),
        (
            (
                "Lambda.ServiceException",
                "Lambda.AWSLambdaException",
                "Lambda.SdkClientException",
                "Lambda.ClientExecutionTimeoutException",
            ),
            1,
            10,
            2,
            30,
        ),
        (("Runtime.ExitError", "Lambda.Unknown"), 2, 2, 2, 10),
    ),
    "dynamodb": (
        (
            (
                "DynamoDB.ProvisionedThroughputExceededException",
                "DynamoDB.RequestLimitExceededException",
                "DynamoDB.ThrottlingException",
                "DynamoDB.InternalServerErrorException",
                "DynamoDB.SdkClientException",
                "States.Timeout",
            ),
            1,
            8,
            2,
            30,
        ),
        (("DynamoDB.AmazonDynamoDBException",), *GENERAL),
    ),
    "sagemaker": (
        (("SageMaker.ResourceLimitExceededException",), *QUOTA),
        (("ThrottlingException", "SageMaker.SdkClientException"), 5, 5, 2, 60),
        (("SageMaker.AmazonSageMakerException",), *GENERAL),
    ),
    # Here and with sfn throttles have no name of their own.
    "aws-sdk:sagemaker": (
        (("SageMaker.SageMakerException", "SageMaker.SdkClientException", "States.Timeout"), 2, 8, 2, 30),
    ),
    "aws-sdk:ssm": (
        (
            (
                "Ssm.TooManyUpdatesException",
                "Ssm.ThrottlingException",
                "Ssm.InternalServerErrorException",
                "Ssm.SdkClientException",
                "States.Timeout",
            ),
            2,
            8,
            2,
            30,
        ),
        (("Ssm.SsmException",), *GENERAL),
    ),
    "aws-sdk:sfn": ((("Sfn.SfnException", "Sfn.SdkClientException", "States.Timeout"), 2, 8, 2, 60),),
    "aws-sdk:applicationautoscaling": (
        (
            (
                "ApplicationAutoScaling.ConcurrentUpdateException",
                "ApplicationAutoScaling.InternalServiceException",
                "ApplicationAutoScaling.ApplicationAutoScalingException",
                "ApplicationAutoScaling.SdkClientException",
                "States.Timeout",
            ),
            2,
            6,
            2,
            30,
        ),
    ),
    "glue": (
        (("Glue.ConcurrentRunsExceededException",), 30, 60, 1.2, 300),
        (
            (
                "Glue.ThrottlingException",
                "Glue.InternalServiceException",
                "Glue.OperationTimeoutException",
                "Glue.ResourceNumberLimitExceededException",
                "Glue.AWSGlueException",
                "Glue.SdkClientException",
            ),
            5,
            8,
            2,
            120,
        ),
    ),
    "sns": ((("States.ALL",), 2, 5, 2, 60),),
    "events": ((("States.ALL",), 2, 6, 2, 60),),
}
# What a state may meet beside what it calls: errors of our own functions, and a quota that one of them meets.
_TOLD_TWICE = (("IdempotencyAlreadyInProgressError",), 1, 10, 2, 30)
_BUSY = ((("EndpointBusy",), 5, 60, 1.5, 60), (("ResourceLimitExceeded",), *QUOTA))
OWN: dict[str, tuple[Rule, ...]] = {
    "Tell people": (_TOLD_TWICE,),
    "Send the message": (_TOLD_TWICE,),
    "Collect": ((("BookmarkMoved",), 1, 10, 2, 30),),
    "Create or update the endpoint": _BUSY,
    "Roll back the endpoint": _BUSY,
    # The name is the same in each attempt, so that one that was made although no answer came is met again.
    "Save the model": ((("States.Timeout",), 5, 5, 2, 60),),
}


def rules_of(name: str, body: dict[str, Any]) -> list[Rule]:
    """Return the rules that the table has for a Task state, in their order."""
    return [*RULES[service_of(body["Resource"])], *OWN.get(name, ())]


def written(retry: list[dict[str, Any]]) -> list[Rule]:
    """Return a state's own rules in the form of the table; each must jitter."""
    assert all(rule["JitterStrategy"] == "FULL" for rule in retry)
    members = ("IntervalSeconds", "MaxAttempts", "BackoffRate", "MaxDelaySeconds")
    return [(tuple(rule["ErrorEquals"]), *(rule[member] for member in members)) for rule in retry]


def mean_seconds(rule: Rule) -> float:
    """Return how long a rule goes on trying, at the mean: full jitter halves each pause."""
    _, first, attempts, growth, most = rule
    return sum(min(most, first * growth**turn) for turn in range(attempts)) / 2


def most_seconds(rule: Rule) -> float:
    """Return how long a rule goes on trying at most."""
    return 2 * mean_seconds(rule)
