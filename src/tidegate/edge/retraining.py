"""What is known of a model when drift asks for a retraining, and the claim that only one event makes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from tidegate.core import names
from tidegate.core.retrain import Situation
from tidegate.core.spec import ModelSpec
from tidegate.edge.bookmarks import is_at_work, read_bookmark
from tidegate.edge.listing import listed
from tidegate.edge.storage import client, read_json

LATEST_RUNS = 50


@dataclass(frozen=True)
class Last:
    """When drift last started a retraining, and for which check."""

    run: str | None = None
    started: str | None = None


def look(spec: ModelSpec, last: Last) -> tuple[Situation, list[str]]:
    """Look at a model; gives the situation, and where the rows labelled since its last training lie."""
    data = os.environ["DATA_BUCKET"]
    drops = list(listed("train", data, names.drop_key(spec.name, "train", "")))
    runs = list(_trainings(spec.name))
    started = max((run["started"] for run in runs), default=None)
    in_flight = next(
        (run["run"] for run in runs if "finished" not in run and is_at_work(run["execution"])), None
    )
    labels, places = _labelled_since(spec, started)
    situation = Situation(
        now=datetime.now(UTC),
        in_flight=in_flight,
        last_retrain=_time(last.started),
        last_training=_time(started),
        fresh_labels=labels,
        drop=max(drops, key=lambda each: each.modified).key if drops else None,
    )
    return situation, places


def last_retraining(model: str) -> Last:
    """Read when drift last started a retraining."""
    answer = client("dynamodb").get_item(
        TableName=os.environ["MONITOR_TABLE"],
        Key={"id": {"S": names.retrain_id(model)}},
        ConsistentRead=True,
    )
    item = {name: next(iter(typed.values())) for name, typed in answer.get("Item", {}).items()}
    return Last(item.get("run"), item.get("started"))


def claim(model: str, run: str, before: Last, now: datetime) -> bool:
    """Claim a retraining for a check; False where another event was faster."""
    condition = "started = :before" if before.started else "attribute_not_exists(id)"
    values = {":run": {"S": run}, ":now": {"S": now.isoformat()}}
    if before.started:
        values[":before"] = {"S": before.started}
    try:
        client("dynamodb").update_item(
            TableName=os.environ["MONITOR_TABLE"],
            Key={"id": {"S": names.retrain_id(model)}},
            UpdateExpression="SET #run = :run, started = :now",
            ConditionExpression=condition,
            ExpressionAttributeNames={"#run": "run"},
            ExpressionAttributeValues=values,
        )
    except ClientError as error:
        if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
            return False
        raise
    return True


def _trainings(model: str) -> Iterator[dict[str, str]]:
    answer = client("dynamodb").query(
        TableName=os.environ["RUNS_TABLE"],
        IndexName="by-model",
        KeyConditionExpression="model = :model",
        ExpressionAttributeValues={":model": {"S": model}},
        ScanIndexForward=False,
        Limit=LATEST_RUNS,
    )
    for item in answer["Items"]:
        run = {name: next(iter(typed.values())) for name, typed in item.items()}
        if run.get("kind", "train") == "train":
            yield run


def _labelled_since(spec: ModelSpec, since: str | None) -> tuple[int, list[str]]:
    """Find the labelled rows; the algorithms saw the same requests, so the one with the most counts."""
    best: tuple[int, list[str]] = (0, [])
    after = _time(since)
    for algorithm in spec.algorithms:
        bookmark = read_bookmark(names.bookmark_id(spec.name, algorithm))
        state: dict[str, Any] = (read_json(bookmark.state) if bookmark.state else None) or {}
        windows = [
            each
            for each in state.get("windows", [])
            if each["labels"] and (after is None or datetime.fromisoformat(each["at"]) > after)
        ]
        count = sum(each["labels"] for each in windows)
        if count > best[0]:
            best = count, [f"{each['home']}/truth.parquet" for each in windows]
    return best


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
