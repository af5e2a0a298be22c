"""Tells EventBridge what became of an endpoint: ``SageMaker Endpoint State Change``."""

from __future__ import annotations

import logging
import re
from datetime import datetime
from typing import Any

from tidegate.local.sagemaker.context import Context

log = logging.getLogger(__name__)

DETAIL_TYPE = "SageMaker Endpoint State Change"
_DETAIL_KEYS = (
    "EndpointName",
    "EndpointArn",
    "EndpointConfigName",
    "ProductionVariants",
    "DataCaptureConfig",
    "EndpointStatus",
    "FailureReason",
    "CreationTime",
    "LastModifiedTime",
    "PendingDeploymentSummary",
)


def event_status(status: str) -> str:
    """Return an endpoint's status as events write it.

    >>> event_status("InService"), event_status("RollingBack"), event_status("Failed")
    ('IN_SERVICE', 'ROLLING_BACK', 'FAILED')
    """
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", status).upper()


def endpoint_detail(record: dict[str, Any], tags: dict[str, str]) -> dict[str, Any]:
    """Return the event's detail: the Describe answer, its status in capitals, its times in milliseconds."""
    detail = {key: _plain(record[key]) for key in _DETAIL_KEYS if key in record}
    detail["EndpointStatus"] = event_status(record["EndpointStatus"])
    detail["Tags"] = tags
    return detail


def announce(ctx: Context, record: dict[str, Any], tags: dict[str, str]) -> None:
    """Emit the event of an endpoint's present state; a failure to do so is logged."""
    try:
        ctx.emit(DETAIL_TYPE, endpoint_detail(record, tags), [record["EndpointArn"]])
    except Exception:
        # The endpoint itself is well: its state must not depend on whether somebody could be told of it.
        log.exception("the event of endpoint %s could not be sent", record["EndpointName"])


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return int(value.timestamp() * 1000)
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value
