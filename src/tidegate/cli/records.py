"""The records of runs, read from the runs table as plain dictionaries."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from tidegate.cli.errors import Trouble
from tidegate.cli.stack import Stack
from tidegate.core.attempts import kind_of
from tidegate.core.names import RUN_ID_LENGTH

SCORING = ("rows", "scored", "rejected", "scores", "rejects")  # what the result of a scoring run has
ENDED = {"SUCCEEDED", "REJECTED", "SUPERSEDED", "REFUSED", "FAILED"}
_PREFIX = re.compile(rf"^[0-9a-f]{{4,{RUN_ID_LENGTH}}}$")

Record = dict[str, Any]


def run_or_none(stack: Stack, run: str) -> Record | None:
    """Read the record of a run, or None where nobody claimed that run."""
    answer = stack.client("dynamodb").get_item(
        TableName=stack.output("RunsTable"), Key={"run": {"S": run}}, ConsistentRead=True
    )
    return plain(answer["Item"]) if "Item" in answer else None


def find_run(stack: Stack, wanted: str) -> Record:
    """Read the record of a run by its id or by the beginning of its id.

    Raises
    ------
    Trouble
        When there is none, or when several begin like that.
    """
    record = run_or_none(stack, wanted)
    if record is not None:
        return record
    starting = (
        [each for each in all_runs(stack) if each["run"].startswith(wanted)] if _PREFIX.match(wanted) else []
    )
    if len(starting) == 1:
        return starting[0]
    if starting:
        ids = ", ".join(sorted(each["run"] for each in starting)[:5])
        raise Trouble(f"{len(starting)} runs begin with {wanted}: {ids}.", "Give more of the id.")
    raise Trouble(
        f"There is no run {wanted} in the stack {stack.name}.",
        "`tidegate runs` lists the runs with their ids.",
    )


def all_runs(stack: Stack) -> Iterator[Record]:
    """Read every run, in no order."""
    pages = stack.client("dynamodb").get_paginator("scan")
    for page in pages.paginate(TableName=stack.output("RunsTable")):
        # The lines in which runs stand are kept in the same table, under names with a slash.
        yield from (plain(item) for item in page["Items"] if "/" not in item["run"]["S"])


def runs_of(stack: Stack, model: str, limit: int | None = None) -> Iterator[Record]:
    """Read the runs of a model, the newest first."""
    pages = stack.client("dynamodb").get_paginator("query")
    asked = pages.paginate(
        TableName=stack.output("RunsTable"),
        IndexName="by-model",
        KeyConditionExpression="model = :model",
        ExpressionAttributeValues={":model": {"S": model}},
        ScanIndexForward=False,
        PaginationConfig={"MaxItems": limit} if limit else {},
    )
    for page in asked:
        yield from (plain(item) for item in page["Items"])


def newest(stack: Stack, model: str | None, limit: int) -> list[Record]:
    """Give the newest runs of one model or of all, the newest first."""
    if model is not None:
        return list(runs_of(stack, model, limit))
    every = sorted(all_runs(stack), key=lambda each: str(each.get("started", "")), reverse=True)
    return every[:limit]


def result_of(record: Record) -> dict[str, Any]:
    """Give the part of a record that ``train`` and ``score`` print with ``--wait --json``."""
    result = record.get("result") or {}
    scoring = {name: result.get(name) for name in SCORING} if kind_of(record) == "score" else {}
    return {
        "run": record["run"],
        "status": record.get("status", "RUNNING"),
        "reason": record.get("reason") or result.get("reason") or "",
        **scoring,
        "algorithms": result.get("algorithms") or {},
    }


def plain(item: dict[str, Any]) -> Record:
    """Undo DynamoDB's typed form; ``result`` is a JSON text and is read too."""
    record: Record = {name: _value(typed) for name, typed in item.items()}
    if isinstance(record.get("result"), str):
        record["result"] = json.loads(record["result"]) if record["result"] else {}
    return record


def _value(typed: dict[str, Any]) -> Any:
    kind, value = next(iter(typed.items()))
    if kind == "N":
        number = Decimal(value)
        return int(number) if number == number.to_integral_value() else float(number)
    if kind == "M":
        return {name: _value(each) for name, each in value.items()}
    if kind == "L":
        return [_value(each) for each in value]
    return None if kind == "NULL" else value
