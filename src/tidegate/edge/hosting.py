"""The endpoints of SageMaker, described and changed; what to do with them is decided in `core`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from tidegate.core.endpoints import VARIANT, EndpointBusy, capture_config, check_change, variant_of
from tidegate.edge.sagemaker import if_there
from tidegate.edge.storage import client


def describe(endpoint: str) -> dict[str, Any] | None:
    """Describe an endpoint, None where there is none."""
    return if_there(client("sagemaker").describe_endpoint, EndpointName=endpoint)


def describe_config(config: str) -> dict[str, Any] | None:
    """Describe an endpoint configuration, None where there is none."""
    return if_there(client("sagemaker").describe_endpoint_config, EndpointConfigName=config)


def ensure_config(event: Mapping[str, Any]) -> None:
    """Write the endpoint configuration of a run, if an attempt before has not."""
    key = os.environ.get("KMS_KEY_ID")
    # Serverless endpoints have no capture of their own; the API writes the same records for them.
    captured = not event.get("serverless")
    capture = capture_config(event["capture_percent"], event["capture"], key)
    try:
        client("sagemaker").create_endpoint_config(
            EndpointConfigName=event["config"],
            ProductionVariants=[variant_of(event)],
            **({"DataCaptureConfig": capture} if captured else {}),
            **({"KmsKeyId": key} if key else {}),
        )
    except ClientError as error:
        # The name carries the run, so one that exists is this run's own, from an attempt before.
        if "already existing" not in str(error):
            raise


def act(step: str, endpoint: str, config: str | None, **kept: Any) -> None:
    """Do what was decided; `kept` is what an update retains of the running endpoint."""
    sagemaker = client("sagemaker")
    if step == "wait":
        raise EndpointBusy(
            f"another change of the endpoint {endpoint} is on its way; it is tried again after that"
        )
    if step == "create":
        sagemaker.create_endpoint(EndpointName=endpoint, EndpointConfigName=config)
    elif step == "update":
        sagemaker.update_endpoint(EndpointName=endpoint, EndpointConfigName=config, **kept)
    elif step == "delete":
        sagemaker.delete_endpoint(EndpointName=endpoint)


def make_way(description: Mapping[str, Any], event: Mapping[str, Any]) -> bool:
    """Lift the scaling of an endpoint whose instance type is about to change; tells whether it was lifted."""
    # An endpoint goes on serving when its configuration is deleted; then nobody knows what it is served on.
    served = describe_config(description["EndpointConfigName"])
    current = served["ProductionVariants"][0] if served else None
    if current and not check_change(current, variant_of(event), event["endpoint"]):
        return False
    scaling = client("application-autoscaling")
    try:
        scaling.deregister_scalable_target(
            ServiceNamespace="sagemaker",
            ResourceId=f"endpoint/{event['endpoint']}/variant/{VARIANT}",
            ScalableDimension="sagemaker:variant:DesiredInstanceCount",
        )
    except scaling.exceptions.ObjectNotFoundException:
        return False
    return True
