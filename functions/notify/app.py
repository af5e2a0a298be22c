"""Last work of a run: completes its outcome in words, tells people, keeps a copy in the inbox.

Publishes to the notification topic and writes `notifications/…json` (artifacts bucket). Idempotent by run,
attempt and kind, so that a retried state tells nobody twice.
"""

from typing import Any

from aws_lambda_powertools import Logger

from tidegate.core.messages import tell_refused, tell_scoring, tell_training
from tidegate.core.monitoring import digest_of, finish_monitoring, lost_of, tell_monitoring, told_of
from tidegate.core.outcome import finish_scoring, finish_training
from tidegate.core.unforeseen import guarded
from tidegate.edge.once import once
from tidegate.edge.tell import tell

logger = Logger()


@guarded
@logger.inject_lambda_context(correlation_id_path="outcome.run")
def handler(event: dict[str, Any], context: Any) -> Any:
    """Tell how a run ended and answer its completed outcome; see `events/notify.json`."""
    return once(_finish, "[kind, outcome.run, outcome.attempt]", event, context)


def _monitoring(outcome: dict[str, Any], context: Any) -> dict[str, Any]:
    """Tell of a check only what is news."""
    if told_of(outcome) or lost_of(outcome) or outcome["refused"] or outcome["status"] == "FAILED":
        # By what is told, not by the run: one interrupted after telling leaves the next to tell again.
        once(_tell_news, "digest", {"digest": digest_of(outcome), "outcome": outcome}, context)
    return outcome


def _tell_news(event: dict[str, Any], context: Any) -> str:
    notification = tell_monitoring(event["outcome"])
    tell(notification)
    return notification.subject


def _finish(event: dict[str, Any], context: Any) -> dict[str, Any]:
    raw = event["outcome"]
    if event["kind"] == "refused":
        outcome = {**raw, "status": "REFUSED", "algorithms": {}}
        notification = tell_refused(raw["model"], raw["run"], raw["key"], raw["reason"], raw["kept_at"])
    elif event["kind"] == "scoring":
        outcome = finish_scoring(raw)
        notification = tell_scoring(outcome)
    elif event["kind"] == "monitoring":
        return _monitoring(finish_monitoring(raw), context)
    else:
        outcome = finish_training(raw)
        notification = tell_training(outcome)
    tell(notification)
    logger.info("people told", extra={"subject": notification.subject, "status": outcome["status"]})
    return outcome
