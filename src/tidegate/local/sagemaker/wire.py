"""SageMaker's wire (JSON 1.1), read from botocore's own service model: requests checked, answers shaped.

Adding an operation needs nothing here: the model says what a request may hold and what an answer holds.
"""

from __future__ import annotations

import functools
import json
import math
from collections.abc import Callable
from datetime import datetime
from typing import Any

import botocore.session
from botocore.model import OperationModel, ServiceModel

from tidegate.local.sagemaker.errors import SageMakerError, ValidationException
from tidegate.local.sagemaker.validation import read_request


@functools.cache
def service_model() -> ServiceModel:
    """Return botocore's model of SageMaker, loaded once."""
    return botocore.session.Session().get_service_model("sagemaker")


@functools.cache
def operation(name: str) -> OperationModel:
    """Return the model of one operation; `SageMakerError` for a name that SageMaker does not have."""
    if name not in service_model().operation_names:
        raise SageMakerError("UnknownOperationException", f"SageMaker has no operation '{name}'.")
    return service_model().operation_model(name)


def operation_name(target: str) -> str:
    """Return the operation that an ``X-Amz-Target`` header names, such as ``SageMaker.CreateModel``."""
    service, _, name = target.partition(".")
    if service != "SageMaker" or not name:
        raise SageMakerError(
            "UnknownOperationException",
            f"The header X-Amz-Target must be SageMaker.<Operation>, and it is '{target}'.",
        )
    return name


def read_body(body: bytes) -> dict[str, Any]:
    """Return the request that a body holds; an empty body is an empty request."""
    if not body:
        return {}
    try:
        request = json.loads(body, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        message = f"The request body is not valid JSON: {error}."
        raise SageMakerError("SerializationException", message) from error
    if not isinstance(request, dict):
        raise SageMakerError("SerializationException", "The request body must be a JSON object.")
    return request


def check_request(name: str, request: dict[str, Any]) -> dict[str, Any]:
    """Return a request with native types, or raise an error that names every fault in it."""
    shape = operation(name).input_shape
    if shape is None:
        return {}
    native, faults, mistyped = read_request(request, shape)
    if mistyped:
        raise SageMakerError("SerializationException", "; ".join(mistyped))
    if faults:
        errors = "1 validation error" if len(faults) == 1 else f"{len(faults)} validation errors"
        raise ValidationException(f"{errors} detected: {'; '.join(faults)}")
    return native


def epoch_seconds(time: datetime) -> float:
    """Return a time as JSON 1.1 carries it."""
    return round(time.timestamp(), 3)


def epoch_milliseconds(time: datetime) -> int:
    """Return a time as events and Step Functions carry it."""
    return round(time.timestamp() * 1000)


def shape_answer(
    name: str, answer: dict[str, Any], time: Callable[[datetime], float] = epoch_seconds
) -> dict[str, Any]:
    """Return an answer that holds the members of the operation's output and nothing else.

    Parameters
    ----------
    name
        The operation.
    answer
        What the handler returned, in native types; members unknown to the operation are left out.
    time
        How datetimes are written.
    """
    shape = operation(name).output_shape
    shaped: dict[str, Any] = {} if shape is None else _to_wire(answer, shape, time)
    return shaped


def _to_wire(value: Any, shape: Any, time: Callable[[datetime], float]) -> Any:
    kind = shape.type_name
    if kind == "structure":
        members = shape.members
        return {
            key: _to_wire(member, members[key], time)
            for key, member in value.items()
            if member is not None and key in members
        }
    if kind == "list":
        return [_to_wire(item, shape.member, time) for item in value]
    if kind == "map":
        return {key: _to_wire(item, shape.value, time) for key, item in value.items()}
    if kind == "timestamp":
        return time(value)
    if isinstance(value, float) and not math.isfinite(value):
        # The protocol writes the numbers that JSON does not have as these strings.
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return value


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not a JSON number")
