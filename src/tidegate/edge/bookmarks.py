"""The bookmarks of the monitor in DynamoDB: which window of an algorithm is kept, and which one is open.

An open window belongs to one run. Another run may take it over once the execution that opened it has ended;
whoever writes says what it read, so of two runs at once one gets the window and the other learns of it.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from tidegate.edge.storage import client


class BookmarkMoved(Exception):
    """Another run has opened or kept a window since the bookmark was read."""


@dataclass(frozen=True)
class Bookmark:
    """What is remembered of one algorithm of a model.

    Attributes
    ----------
    window : int
        The number of the last window that was kept; 0 before the first.
    state : str or None
        Where its state lies (S3 URI).
    verdict : str or None
        The last verdict.
    champion : str or None
        The model that the last window was compared against.
    summary : dict
        The last check of this algorithm in short, as notifications want it.
    open_run, open_execution, open_manifest : str or None
        Who has a window open, and what is in it.
    """

    id: str
    version: int = 0
    window: int = 0
    state: str | None = None
    verdict: str | None = None
    champion: str | None = None
    summary: dict[str, Any] | None = None
    open_run: str | None = None
    open_execution: str | None = None
    open_manifest: str | None = None


def read_bookmark(identity: str) -> Bookmark:
    """Read a bookmark; one that nobody wrote yet is at its beginning."""
    answer = client("dynamodb").get_item(
        TableName=os.environ["MONITOR_TABLE"], Key={"id": {"S": identity}}, ConsistentRead=True
    )
    item = {name: next(iter(typed.values())) for name, typed in answer.get("Item", {}).items()}
    return Bookmark(
        id=identity,
        version=int(item.get("version", 0)),
        window=int(item.get("window", 0)),
        summary=json.loads(item["summary"]) if item.get("summary") else None,
        **{
            name: item.get(name)
            for name in (
                "state",
                "verdict",
                "champion",
                "open_run",
                "open_execution",
                "open_manifest",
            )
        },
    )


def open_window(bookmark: Bookmark, run: str, execution: str, manifest: str) -> None:
    """Open the next window for a run.

    Raises
    ------
    BookmarkMoved
        If the bookmark is not any more as it was read.
    """
    try:
        client("dynamodb").update_item(
            TableName=os.environ["MONITOR_TABLE"],
            Key={"id": {"S": bookmark.id}},
            UpdateExpression="SET version = :next, open_run = :run, open_execution = :execution, "
            "open_manifest = :manifest, open_window = :window",
            ConditionExpression="attribute_not_exists(id) OR version = :version",
            ExpressionAttributeValues={
                ":version": {"N": str(bookmark.version)},
                ":next": {"N": str(bookmark.version + 1)},
                ":run": {"S": run},
                ":execution": {"S": execution},
                ":manifest": {"S": manifest},
                ":window": {"N": str(bookmark.window + 1)},
            },
        )
    except ClientError as error:
        if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
            raise BookmarkMoved(bookmark.id) from None
        raise


def is_at_work(execution: str) -> bool:
    """Tell whether an execution is still running; one that nobody remembers is not."""
    try:
        answer = client("stepfunctions").describe_execution(executionArn=execution)
    except ClientError as error:
        if error.response["Error"]["Code"] == "ExecutionDoesNotExist":
            return False
        raise
    return bool(answer["status"] == "RUNNING")
