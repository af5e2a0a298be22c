"""Events that could not be delivered, as they lie in the dead-letter queue: what they are, and why there.

EventBridge adds attributes in capitals (ERROR_CODE, TARGET_ARN …), Lambda its RequestID and ErrorMessage;
the body is the event either way.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any


@dataclass(frozen=True)
class Parked:
    """One parked event.

    `target` is where it was to go; None where the queue does not tell, as for what a function failed on.
    """

    body: str
    what: str
    why: str
    target: str | None
    at: str
    receipt: str


def read_parked(message: Mapping[str, Any]) -> Parked:
    """Read a message of the queue, as SQS's ReceiveMessage gives it with all its attributes."""
    body = str(message["Body"])
    said = {name: str(each.get("StringValue", "")) for name, each in _attributes(message).items()}
    sent = int(message.get("Attributes", {}).get("SentTimestamp", 0)) / 1000
    why = said.get("ERROR_MESSAGE") or said.get("ErrorMessage") or said.get("ERROR_CODE") or "no reason given"
    return Parked(
        body=body,
        what=_what(body),
        why=f"{said['ERROR_CODE']}: {why}" if said.get("ERROR_CODE", why) != why else why,
        target=said.get("TARGET_ARN") or None,
        at=datetime.fromtimestamp(sent, UTC).isoformat(timespec="seconds"),
        receipt=str(message["ReceiptHandle"]),
    )


def _attributes(message: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = message.get("MessageAttributes") or {}
    return found


def _what(body: str) -> str:
    """Say in a few words what an event is about."""
    try:
        event = json.loads(body)
        detail = event.get("detail", {})
    except (ValueError, AttributeError):
        return "something that is no event"
    if stored := detail.get("object"):
        return f"{event.get('detail-type', 'an event')} {stored.get('key', '')}".strip()
    name = detail.get("name") or detail.get("model") or event.get("model") or ""
    return f"{event.get('detail-type', 'an event')} {name}".strip()
