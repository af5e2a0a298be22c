"""What to do with an endpoint: create it, update it, wait, or put it back. Pure decisions, no AWS calls."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from tidegate.core.errors import TidegateError
from tidegate.core.usage import Serving

Step = Literal["create", "update", "nothing", "delete", "wait"]
Look = Literal["serving", "wait", "failed"]

VARIANT = "AllTraffic"
BUSY = frozenset({"Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting"})


class EndpointBusy(TidegateError):
    """Another change of the endpoint is on its way; the machine waits and asks again."""


class EndpointCannotChange(TidegateError):
    """SageMaker does not turn an endpoint with instances into a serverless one."""


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
        The configuration that shall serve: the approved model's, or what served before; None where there is
        neither.
    """
    if description is None:
        return "nothing"
    if description["EndpointStatus"] in BUSY:
        return "wait"
    if previous is None:
        return "delete"
    return "nothing" if description["EndpointConfigName"] == previous else "update"


def capture_config(percent: int, destination: str, key: str | None = None) -> dict[str, Any]:
    """Write the data capture part of an endpoint configuration.

    Parameters
    ----------
    percent : int
        The share of requests to keep, 0 to 100; 0 turns capture off.
    destination : str
        The S3 URI under which the records are written.
    key : str, optional
        The KMS key that encrypts them; by default what the bucket has.
    """
    return {
        "EnableCapture": percent > 0,
        "InitialSamplingPercentage": percent,
        "DestinationS3Uri": destination,
        **({"KmsKeyId": key} if key else {}),
        "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
        "CaptureContentTypeHeader": {
            "CsvContentTypes": ["text/csv"],
            "JsonContentTypes": ["application/json", "application/jsonlines"],
        },
    }


def serverless_config(serving: Serving) -> dict[str, int] | None:
    """Write the serverless part of a variant, None for one with instances."""
    if serving.serverless is None:
        return None
    return {
        "MemorySizeInMB": serving.serverless.memory_mb,
        "MaxConcurrency": serving.serverless.max_concurrency,
    }


def scaling(serving: Serving, endpoint: str) -> dict[str, Any] | None:
    """Say between which bounds an endpoint's instances follow its load; None where their number is fixed."""
    least, most = serving.instances["min"], serving.instances["max"]
    if serving.serverless is not None or most <= least:
        return None
    return {
        "resource": f"endpoint/{endpoint}/variant/{VARIANT}",
        "min": least,
        "max": most,
        "target": serving.invocations_per_instance,
    }


def variant_of(event: Mapping[str, Any]) -> dict[str, Any]:
    """Write the one variant of an endpoint configuration; see `events/upsert_endpoint.json`."""
    what_serves = (
        {"ServerlessConfig": event["serverless"]}
        if event.get("serverless")
        else {"InstanceType": event["instance"], "InitialInstanceCount": event["instances"]}
    )
    return {
        "VariantName": VARIANT,
        "ModelName": event["model_name"],
        "InitialVariantWeight": 1.0,
        **what_serves,
    }


def retained(event: Mapping[str, Any]) -> dict[str, Any]:
    """Write what an update keeps of the running endpoint.

    Where instances follow the load, their number now is better than the configuration's, which is the least.
    Capture and weights come with the configuration: what is kept silently would outlive the model file.
    """
    if not event.get("scaling"):
        return {}
    excluded = ("DesiredWeight", "DataCaptureConfig")
    return {
        "RetainAllVariantProperties": True,
        "ExcludeRetainedVariantProperties": [{"VariantPropertyType": each} for each in excluded],
    }


def check_change(current: Mapping[str, Any], wanted: Mapping[str, Any], endpoint: str) -> bool:
    """Compare the variant that serves with the one that shall; true where scaling has to be lifted first.

    AWS refuses to change the instance type of a variant that is registered for scaling.

    Raises
    ------
    EndpointCannotChange
        From instances to serverless: AWS does not update an endpoint that far.
    """
    if "ServerlessConfig" in wanted and "ServerlessConfig" not in current:
        raise EndpointCannotChange(
            f"the endpoint {endpoint} has instances and cannot become serverless by an update; delete it "
            f"(aws sagemaker delete-endpoint --endpoint-name {endpoint}), then drop the file again"
        )
    return bool(current.get("InstanceType") != wanted.get("InstanceType"))
