"""The runs table: the records of runs, and the lines in which a model's training runs stand."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from tidegate.core.closing import Check, Drop
from tidegate.core.names import queue_id
from tidegate.edge.storage import client

REFUSED = "ConditionalCheckFailedException"


def read_item(table: str, run: str) -> dict[str, Any]:
    """Read an item as DynamoDB types it; empty where there is none."""
    found: dict[str, Any] = client("dynamodb").get_item(
        TableName=table, Key={"run": {"S": run}}, ConsistentRead=True
    )
    return dict(found.get("Item", {}))


def why_stopped(execution: str) -> dict[str, str]:
    """Ask why an execution was stopped: the event about it does not say."""
    described = client("stepfunctions").describe_execution(executionArn=execution)
    return {name: described[name] for name in ("error", "cause") if described.get(name)}


def close(table: str, drop: Drop | Check, execution: str, outcome: Mapping[str, Any], at: str) -> bool:
    """Write how a run ended, unless it did so itself; tells whether it was written.

    Parameters
    ----------
    table : str
        The runs table.
    drop : Drop or Check
        What started the run: all of the record, where the execution ended before its claim.
    execution : str
        Its execution; the record of another one is never touched.
    outcome : mapping
        As the train machine's: ``status``, ``reason`` and the rest.
    at : str
        When it ended, ISO 8601.
    """
    facts = {
        **drop.facts,
        "execution": execution,
        "status": outcome["status"],
        "reason": outcome["reason"],
        "finished": at,
        "result": json.dumps(outcome),
    }
    sets = ", ".join(f"#{name} = :{name}" for name in facts)
    try:
        client("dynamodb").update_item(
            TableName=table,
            Key={"run": {"S": drop.run}},
            UpdateExpression=f"SET {sets}, #started = if_not_exists(#started, :finished), "
            "#attempt = if_not_exists(#attempt, :attempt)",
            ConditionExpression="attribute_not_exists(#run) "
            "OR (#execution = :execution AND #status = :running)",
            ExpressionAttributeNames={f"#{name}": name for name in (*facts, "started", "attempt", "run")},
            ExpressionAttributeValues={
                **{f":{name}": {"S": value} for name, value in facts.items()},
                ":attempt": {"N": str(drop.attempt)},
                ":running": {"S": "RUNNING"},
            },
        )
    except ClientError as error:
        if error.response["Error"]["Code"] == REFUSED:
            return False
        raise
    return True


def leave_line(table: str, model: str, ticket: str) -> None:
    """Take a run out of its model's line, so that the next one need not find out."""
    client("dynamodb").update_item(
        TableName=table,
        Key={"run": {"S": queue_id(model)}},
        UpdateExpression="REMOVE #ticket",
        ExpressionAttributeNames={"#ticket": ticket},
    )
