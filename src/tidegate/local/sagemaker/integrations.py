"""The optimized integrations of Step Functions with SageMaker: what Task states call and get back.

Everything that AWS does not integrate this way is reached as ``aws-sdk:sagemaker:*``, over the wire.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from tidegate.local.sagemaker import service, wire
from tidegate.local.sagemaker.context import Context
from tidegate.local.sagemaker.control import tags
from tidegate.local.sagemaker.errors import SageMakerError

Aborted = Callable[[], bool]
Integration = Callable[[Context, str, dict[str, Any], Aborted], dict[str, Any]]

_PREFIX = "arn:aws:states:::sagemaker:"
_TAG = {"Key": "MANAGED_BY_AWS", "Value": "STARTED_BY_STEP_FUNCTIONS"}
_OWN_ERRORS = {
    "ResourceLimitExceeded": "SageMaker.ResourceLimitExceededException",
    "ThrottlingException": "ThrottlingException",
}


class IntegrationError(Exception):
    """A Task state fails with this error name and cause."""

    def __init__(self, error: str, cause: str) -> None:
        super().__init__(f"{error}: {cause}")
        self.error = error
        self.cause = cause


@dataclass(frozen=True)
class _Job:
    """How the jobs of one kind are called."""

    kind: str  # in the store and in ARNs
    word: str  # in operations and members: Create<word>, <word>Name, <word>Status

    def create(
        self, ctx: Context, resource: str, arguments: dict[str, Any], aborted: Aborted
    ) -> dict[str, Any]:
        """Create the job and, for ``.sync``, wait for its end and answer with its description."""
        waits = _pattern(resource, f"create{self.word}", allowed=("", ".sync")) == ".sync"
        answer = _call(ctx, f"Create{self.word}", _tagged(arguments))
        if not waits:
            return answer
        return self._wait(ctx, arguments[f"{self.word}Name"], aborted)

    def _wait(self, ctx: Context, name: str, aborted: Aborted) -> dict[str, Any]:
        record = service.all_rooms().wait(ctx, self.kind, name, aborted)
        status = record[f"{self.word}Status"]
        if status in ("InProgress", "Stopping"):
            self._stop(ctx, name)
            cause = f"The execution was stopped while the {self.kind} {name} was running; the job stops too."
            raise IntegrationError("States.TaskFailed", cause)
        described = wire.shape_answer(f"Describe{self.word}", record, wire.epoch_milliseconds)
        described["Tags"] = tags.tags_of(ctx, record[f"{self.word}Arn"])
        if status != "Completed":
            raise IntegrationError("States.TaskFailed", json.dumps(described, separators=(",", ":")))
        return described

    def _stop(self, ctx: Context, name: str) -> None:
        try:
            service.call(ctx, f"Stop{self.word}", {f"{self.word}Name": name})
        except SageMakerError as error:
            # SageMaker refuses to stop a job that has ended meanwhile, which is as good as stopped.
            if error.code != "ValidationException":
                raise


def _tagged(arguments: dict[str, Any]) -> dict[str, Any]:
    """Add the tag by which AWS marks the jobs that Step Functions starts."""
    given = arguments.get("Tags") or []
    if not isinstance(given, list):
        return arguments  # the check of the request says what is wrong with it
    return {**arguments, "Tags": [*(tag for tag in given if tag != _TAG), _TAG]}


def _plain(operation: str) -> Integration:
    """Return the integration of an operation that answers at once."""

    def integrate(ctx: Context, resource: str, arguments: dict[str, Any], aborted: Aborted) -> dict[str, Any]:
        del aborted  # there is nothing to wait for
        _pattern(resource, operation[0].lower() + operation[1:], allowed=("",))
        return _call(ctx, operation, arguments)

    return integrate


def _call(ctx: Context, operation: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """Run an operation; errors take the names that Step Functions gives them."""
    try:
        answer = service.call(ctx, operation, arguments)
    except SageMakerError as error:
        name = _OWN_ERRORS.get(error.code, "SageMaker.AmazonSageMakerException")
        cause = (
            f"{error.message} (Service: AmazonSageMaker; Status Code: {error.http_status}; "
            f"Error Code: {error.code})"
        )
        raise IntegrationError(name, cause) from error
    return wire.shape_answer(operation, answer, wire.epoch_milliseconds)


def _pattern(resource: str, action: str, allowed: tuple[str, ...]) -> str:
    """Return what follows the action in a resource, such as ``.sync``."""
    pattern = resource.removeprefix(_PREFIX).removeprefix(action)
    if pattern not in allowed:
        usable = " or ".join(f"{_PREFIX}{action}{suffix}" for suffix in allowed)
        raise IntegrationError("States.Runtime", f"The resource {resource} is not supported. Use {usable}.")
    return pattern


_JOBS = (
    _Job("training-job", "TrainingJob"),
    _Job("processing-job", "ProcessingJob"),
    _Job("transform-job", "TransformJob"),
    _Job("hyper-parameter-tuning-job", "HyperParameterTuningJob"),
)
_PLAIN = ("CreateModel", "CreateEndpointConfig", "CreateEndpoint", "UpdateEndpoint")

HANDLERS: Mapping[str, Integration] = MappingProxyType(
    {f"{_PREFIX}create{job.word}": job.create for job in _JOBS}
    | {f"{_PREFIX}{name[0].lower()}{name[1:]}": _plain(name) for name in _PLAIN}
)
"""Integrations by resource without ``.sync``; called with (context, resource, arguments, aborted)."""
