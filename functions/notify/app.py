"""Last work of a run: completes its outcome in words, tells people, keeps a copy in the inbox.

Publishes to the notification topic and writes `notifications/…json` (artifacts bucket). Idempotent by run,
attempt and kind, so that a retried state tells nobody twice; of checks see `core/telling.py`.
"""

import json
from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools import Logger

from tidegate.core.messages import Notification, tell_refused, tell_scoring, tell_training
from tidegate.core.monitoring import weigh
from tidegate.core.outcome import finish_scoring, finish_training
from tidegate.core.unforeseen import guarded
from tidegate.edge.once import once
from tidegate.edge.tell import tell

logger = Logger()


@guarded
@logger.inject_lambda_context(correlation_id_path="outcome.run")
def handler(event: dict[str, Any], context: Any) -> Any:
    """Tell how a run ended and answer its completed outcome; see `events/notify.json`.

    Of a check (``monitoring``) it only decides what people hear, and the machine writes that down; then each
    message (``message``) is sent once, whichever run sends it.
    """
    if event["kind"] == "monitoring":
        stored = event["remembered"]  # texts, as they stand in the table
        remembered = {key: json.loads(stored[key] or "null") for key in ("document", "outbox")}
        remembered["version"] = stored["version"]
        return weigh(event["outcome"], remembered, event.get("digest"), datetime.now(UTC))
    if event["kind"] == "message":
        return once(_send, "message.id", event, context)
    return once(_finish, "[kind, outcome.run, outcome.attempt]", event, context)


def _send(event: dict[str, Any], context: Any) -> dict[str, Any]:
    message = {name: event["message"][name] for name in Notification.__dataclass_fields__}
    tell(Notification(**message))
    logger.info("people told", extra={"subject": message["subject"]})
    return {"sent": event["message"]["id"]}


def _finish(event: dict[str, Any], context: Any) -> dict[str, Any]:
    raw = event["outcome"]
    if event["kind"] == "refused":
        outcome = {**raw, "status": "REFUSED", "algorithms": {}}
        notification = tell_refused(raw["model"], raw["run"], raw["key"], raw["reason"], raw["kept_at"])
    elif event["kind"] == "scoring":
        outcome = finish_scoring(raw)
        notification = tell_scoring(outcome)
    else:
        outcome = finish_training(raw)
        notification = tell_training(outcome)
    tell(notification)
    logger.info("people told", extra={"subject": notification.subject, "status": outcome["status"]})
    return outcome
