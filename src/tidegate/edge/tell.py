"""Sending a notification: to the topic for people, and a copy to the inbox for `tidegate inbox`."""

from __future__ import annotations

import os
from datetime import UTC, datetime

from tidegate.core import names
from tidegate.core.messages import Notification
from tidegate.edge.storage import client, write_json


def tell(notification: Notification) -> None:
    """Publish a notification and keep its copy.

    The topic and the bucket are read from ``NOTIFICATION_TOPIC_ARN`` and ``ARTIFACTS_BUCKET``.
    """
    at = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%fZ")
    key = names.notification_key(at, notification.run, notification.kind)
    write_json(f"s3://{os.environ['ARTIFACTS_BUCKET']}/{key}", {**notification.to_dict(), "at": at})
    client("sns").publish(
        TopicArn=os.environ["NOTIFICATION_TOPIC_ARN"],
        # SNS takes a subject of printable ASCII only.
        Subject=notification.subject.encode("ascii", "replace").decode(),
        Message=notification.message,
        MessageAttributes={
            "model": {"DataType": "String", "StringValue": notification.model},
            "kind": {"DataType": "String", "StringValue": notification.kind},
        },
    )
