"""One captured request, as the JSON Lines that SageMaker's data capture writes.

Serverless endpoints have no capture of their own, so the API writes these records for them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime


def capture_line(
    *,
    request: Mapping[str, str],
    response: Mapping[str, str],
    event_id: str,
    inference_id: str,
    at: datetime,
) -> str:
    """Write one record, with its newline.

    Parameters
    ----------
    request, response : mapping
        Each ``data``, ``type`` and ``encoding`` (CSV or JSON).
    event_id, inference_id : str
        The record's own name, and the one that its predictions carry.
    at : datetime
        When it was asked, in UTC.
    """
    document = {
        "captureData": {
            "endpointInput": _side(request, "INPUT"),
            "endpointOutput": _side(response, "OUTPUT"),
        },
        "eventMetadata": {
            "eventId": event_id,
            "inferenceId": inference_id,
            "inferenceTime": at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        },
        "eventVersion": "0",
    }
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")) + "\n"


def capture_key(model: str, endpoint: str, variant: str, at: datetime, event_id: str) -> str:
    """Say where in the artifacts bucket a captured request is kept: a folder an hour, as SageMaker does."""
    name = f"{at:%M-%S}-{at.microsecond // 1000:03d}-{event_id}.jsonl"
    return f"{model}/capture/{endpoint}/{variant}/{at:%Y/%m/%d/%H}/{name}"


def _side(body: Mapping[str, str], mode: str) -> dict[str, str]:
    return {
        "observedContentType": body["type"],
        "mode": mode,
        "data": body["data"],
        "encoding": body["encoding"],
    }
