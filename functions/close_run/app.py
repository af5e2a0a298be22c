"""Starts when an execution failed, was stopped or ran out of time: closes a run that could not do so itself.

Reads the run's record and its model's line; where the record still says RUNNING (or was never written) it
writes how the run ended and tells people, and it takes the run out of the line. A run that closed itself is
left as it is, so that the event may come twice.
"""

import os
from typing import Any

from aws_lambda_powertools import Logger

from tidegate.core.closing import Check, ending, started_by, ticket_of
from tidegate.core.messages import tell_scoring, tell_training
from tidegate.core.monitoring import tell_stopped
from tidegate.core.names import queue_id
from tidegate.core.unforeseen import guarded
from tidegate.edge.records import close, leave_line, read_item, why_stopped
from tidegate.edge.tell import tell

logger = Logger()
TABLE = os.environ["RUNS_TABLE"]


@guarded
@logger.inject_lambda_context
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Handle `Step Functions Execution Status Change`; see `events/close_run.json`."""
    detail = event["detail"]
    execution = detail["executionArn"]
    drop = started_by(detail)
    if drop is None:
        logger.info("no drop and no schedule started this execution", extra={"execution": execution})
        return {"closed": False}
    logger.set_correlation_id(drop.run)
    line = read_item(TABLE, queue_id(drop.model)) if drop.trains else {}
    ticket = ticket_of(line, execution)
    check = isinstance(drop, Check)
    if detail["status"] == "ABORTED" and (drop.trains or check):
        detail = {**detail, **why_stopped(execution)}
    status, reason = ending(detail, drop)
    outcome = {
        "run": drop.run,
        "model": drop.model,
        "key": drop.key,
        "status": status,
        "reason": str(reason),
        "algorithms": {},
    }
    closed = close(TABLE, drop, execution, outcome, str(event["time"]))
    if closed:
        words = tell_training if drop.trains else tell_stopped if check else tell_scoring
        tell(words(outcome))
        logger.info("run closed", extra={"status": status, "reason": str(reason)})
    if ticket is not None:
        leave_line(TABLE, drop.model, ticket)
    return {"run": drop.run, "closed": closed, "status": status}
