"""Last work of a run: completes its outcome in words, tells people, keeps a copy in the inbox.

Publishes to the notification topic and writes `notifications/…json` (artifacts bucket). Idempotent by run,
attempt and kind, so that a retried state tells nobody twice.
"""

import os
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.idempotency import (
    DynamoDBPersistenceLayer,
    IdempotencyConfig,
    idempotent,
    idempotent_function,
)

from tidegate.core.messages import tell_refused, tell_scoring, tell_training
from tidegate.core.monitoring import digest_of, finish_monitoring, tell_monitoring, told_of
from tidegate.core.outcome import finish_scoring, finish_training
from tidegate.edge.tell import tell

logger = Logger()
once = DynamoDBPersistenceLayer(table_name=os.environ["IDEMPOTENCY_TABLE"])
WEEK = 7 * 24 * 3600
by_run = IdempotencyConfig(
    event_key_jmespath="[kind, outcome.run, outcome.attempt]", expires_after_seconds=WEEK
)
by_news = IdempotencyConfig(expires_after_seconds=WEEK)
# A layer keeps the key of the first function that uses it, so each has its own.
news = DynamoDBPersistenceLayer(table_name=os.environ["IDEMPOTENCY_TABLE"])


def _monitoring(outcome: dict[str, Any]) -> dict[str, Any]:
    """Tell of a check only what is news."""
    if told_of(outcome) or outcome["refused"] or outcome["status"] == "FAILED":
        _tell_once(digest=digest_of(outcome), outcome=outcome)
    return outcome


# By what is told and not by the run: a run that was interrupted after telling leaves the next to tell again.
@idempotent_function(data_keyword_argument="digest", persistence_store=news, config=by_news)
def _tell_once(*, digest: str, outcome: dict[str, Any]) -> str:
    notification = tell_monitoring(outcome)
    tell(notification)
    return notification.subject


@logger.inject_lambda_context(correlation_id_path="outcome.run")
@idempotent(persistence_store=once, config=by_run)
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Tell how a run ended and answer its completed outcome; see `events/notify.json`."""
    raw = event["outcome"]
    if event["kind"] == "refused":
        outcome = {**raw, "status": "FAILED", "algorithms": {}}
        notification = tell_refused(raw["model"], raw["run"], raw["key"], raw["reason"], raw["kept_at"])
    elif event["kind"] == "scoring":
        outcome = finish_scoring(raw)
        notification = tell_scoring(outcome)
    elif event["kind"] == "monitoring":
        by_news.register_lambda_context(context)
        return _monitoring(finish_monitoring(raw))
    else:
        outcome = finish_training(raw)
        notification = tell_training(outcome)
    tell(notification)
    logger.info("people told", extra={"subject": notification.subject, "status": outcome["status"]})
    return outcome
