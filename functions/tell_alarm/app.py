"""Starts when one of the stack's alarms goes on: tells people what it means and what to do.

Publishes to the notification topic and writes `notifications/…json` (artifacts bucket). By way of
EventBridge, because CloudWatch itself may not publish to a topic that AWS's own key encrypts.
"""

from typing import Any

from aws_lambda_powertools import Logger

from tidegate.core.messages import tell_alarm
from tidegate.core.unforeseen import guarded
from tidegate.edge.tell import tell

logger = Logger()


@guarded
@logger.inject_lambda_context
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Handle `CloudWatch Alarm State Change`; see `events/tell_alarm.json`."""
    detail = event["detail"]
    notification = tell_alarm(
        str(detail["alarmName"]),
        str(detail.get("configuration", {}).get("description") or ""),
        str(detail["state"]["reason"]),
        str(event["id"]),
    )
    tell(notification)
    logger.info("people told", extra={"subject": notification.subject})
    return {"told": notification.subject}
