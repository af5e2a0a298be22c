"""EventBridge as services use it on AWS: versions in S3's events, our SageMaker's and the alarms' events."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from tidegate.local.emulator.names import buses, objects

_version: ContextVar[str | None] = ContextVar("tidegate_object_version", default=None)


def install() -> None:
    """Have S3's events on EventBridge carry the object's version id."""
    objects.replace("fire", _keeping_version(objects.fire))
    buses.replace("dispatch", _adding_version(buses.dispatch))


def emit(
    detail_type: str, detail: dict[str, Any], resources: list[str], source: str = "aws.sagemaker"
) -> None:
    """Put an event of a service on the default bus, SageMaker's where none is named."""
    entry = {
        "Source": source,
        "DetailType": detail_type,
        "Detail": json.dumps(detail),
        "Resources": resources,
    }
    buses.put_events({"Entries": [entry]}, allow_aws_source=True)


def _keeping_version(original: Callable[..., None]) -> Callable[..., None]:
    signature = inspect.signature(original)

    def fire(*positional: Any, **named: Any) -> None:
        version = signature.bind(*positional, **named).arguments.get("version_id")
        token = _version.set(version)
        try:
            original(*positional, **named)
        finally:
            _version.reset(token)

    return fire


def _adding_version(original: Callable[..., Any]) -> Callable[..., Any]:
    def dispatch(event: dict[str, Any], view: Any = None) -> Any:
        version = _version.get()
        if version and event.get("Source") == "aws.s3":
            detail = json.loads(event["Detail"])
            detail["object"]["version-id"] = version
            event = {**event, "Detail": json.dumps(detail)}
            # What this event sets off has versions of its own.
            _version.set(None)
        return original(event, view)

    return dispatch
