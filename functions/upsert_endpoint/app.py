"""Brings an endpoint to serve a model, or back to what served before. The machine does the waiting.

Writes an endpoint configuration (data capture on) and creates, updates or deletes the endpoint in SageMaker.
"""

import os
from typing import Any

from aws_lambda_powertools import Logger
from botocore.exceptions import ClientError

from tidegate.core.endpoints import EndpointBusy, capture_config, next_step, undo_step
from tidegate.edge.storage import client

logger = Logger()


@logger.inject_lambda_context(correlation_id_path="run")
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Do ``event["action"]``: ``upsert`` or ``roll_back``; see `events/upsert_endpoint.json`."""
    answer = _roll_back(event) if event["action"] == "roll_back" else _upsert(event)
    logger.info(event["action"], extra=answer)
    return answer


def _upsert(event: dict[str, Any]) -> dict[str, Any]:
    endpoint, config = event["endpoint"], event["config"]
    _ensure_config(event)
    description = _describe(endpoint)
    step = next_step(description, config)
    if step == "delete":
        client("sagemaker").delete_endpoint(EndpointName=endpoint)
        raise EndpointBusy(
            f"the endpoint {endpoint} had failed and is being deleted; it is made anew after that"
        )
    _act(step, endpoint, config)
    previous = description["EndpointConfigName"] if description and step == "update" else None
    return {"endpoint": endpoint, "config": config, "previous": previous, "step": step}


def _roll_back(event: dict[str, Any]) -> dict[str, Any]:
    endpoint, previous = event["endpoint"], event.get("previous")
    step = undo_step(_describe(endpoint), previous)
    _act(step, endpoint, previous)
    return {"endpoint": endpoint, "config": previous, "step": step}


def _act(step: str, endpoint: str, config: str | None) -> None:
    sagemaker = client("sagemaker")
    if step == "wait":
        raise EndpointBusy(
            f"another change of the endpoint {endpoint} is on its way; it is tried again after that"
        )
    if step == "create":
        sagemaker.create_endpoint(EndpointName=endpoint, EndpointConfigName=config)
    elif step == "update":
        sagemaker.update_endpoint(EndpointName=endpoint, EndpointConfigName=config)
    elif step == "delete":
        sagemaker.delete_endpoint(EndpointName=endpoint)


def _ensure_config(event: dict[str, Any]) -> None:
    variant = {
        "VariantName": "AllTraffic",
        "ModelName": event["model_name"],
        "InstanceType": event["instance"],
        "InitialInstanceCount": event["instances"],
        "InitialVariantWeight": 1.0,
    }
    key = os.environ.get("KMS_KEY_ID")
    try:
        client("sagemaker").create_endpoint_config(
            EndpointConfigName=event["config"],
            ProductionVariants=[variant],
            DataCaptureConfig=capture_config(event["capture_percent"], event["capture"]),
            **({"KmsKeyId": key} if key else {}),
        )
    except ClientError as error:
        # The name carries the run, so one that exists is this run's own, from an attempt before.
        if "already existing" not in str(error):
            raise


def _describe(endpoint: str) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = client("sagemaker").describe_endpoint(EndpointName=endpoint)
        return found
    except ClientError as error:
        if "Could not find" in str(error):
            return None
        raise
