"""What to do with an endpoint: create it, update it, wait, or put it back. Pure decisions, no AWS calls."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from tidegate.core.errors import TidegateError

Step = Literal["create", "update", "nothing", "delete", "wait"]
Look = Literal["serving", "wait", "failed"]

BUSY = frozenset({"Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting"})


class EndpointBusy(TidegateError):
    """Another change of the endpoint is on its way; the machine waits and asks again."""


def next_step(description: Mapping[str, Any] | None, config: str) -> Step:
    """Decide how an endpoint comes to serve a configuration.

    Parameters
    ----------
    description : mapping or None
        DescribeEndpoint's answer; None where there is no endpoint.
    config : str
        The configuration that should serve.
    """
    if description is None:
        return "create"
    status = description["EndpointStatus"]
    if status in BUSY:
        return "wait"
    if status == "Failed":
        # An endpoint that never came up cannot be updated, only deleted and made anew.
        return "delete"
    return "nothing" if description["EndpointConfigName"] == config else "update"


def undo_step(description: Mapping[str, Any] | None, previous: str | None) -> Step:
    """Decide how an endpoint returns to what served before a failed change.

    Parameters
    ----------
    description : mapping or None
        DescribeEndpoint's answer; None where there is no endpoint.
    previous : str or None
        The configuration that served before; None where the endpoint is new.
    """
    if description is None:
        return "nothing"
    if description["EndpointStatus"] in BUSY:
        return "wait"
    if previous is None:
        return "delete"
    return "nothing" if description["EndpointConfigName"] == previous else "update"


def capture_config(percent: int, destination: str) -> dict[str, Any]:
    """Write the data capture part of an endpoint configuration.

    Parameters
    ----------
    percent : int
        The share of requests to keep, 0 to 100; 0 turns capture off.
    destination : str
        The S3 URI under which the records are written.
    """
    return {
        "EnableCapture": percent > 0,
        "InitialSamplingPercentage": percent,
        "DestinationS3Uri": destination,
        "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
        "CaptureContentTypeHeader": {
            "CsvContentTypes": ["text/csv"],
            "JsonContentTypes": ["application/json", "application/jsonlines"],
        },
    }
