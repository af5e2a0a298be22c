"""A document of a model in the monitor table, written only where nobody else has since it was read."""

from __future__ import annotations

import json
import os
from typing import Any

from botocore.exceptions import ClientError

from tidegate.edge.storage import client


class MemoryMoved(Exception):
    """Another run has written the document since it was read."""


def read(identity: str) -> tuple[int, dict[str, Any]]:
    """Read a document with its version; one that nobody wrote yet is empty, of the version 0.

    Of an item of before it had a document, what stands in it is the document.
    """
    answer = client("dynamodb").get_item(
        TableName=os.environ["MONITOR_TABLE"], Key={"id": {"S": identity}}, ConsistentRead=True
    )
    item = {name: next(iter(typed.values())) for name, typed in answer.get("Item", {}).items()}
    if "document" in item:
        return int(item["version"]), json.loads(item["document"])
    return 0, {name: value for name, value in item.items() if name != "id"}


def write(identity: str, version: int, document: dict[str, Any], *, wanted: bool) -> int:
    """Write a document in the place of the version that was read; gives its own.

    Parameters
    ----------
    wanted : bool
        Whether it holds a wish, which the monitor machine reads by itself.

    Raises
    ------
    MemoryMoved
        If another version stands there.
    """
    try:
        client("dynamodb").update_item(
            TableName=os.environ["MONITOR_TABLE"],
            Key={"id": {"S": identity}},
            UpdateExpression="SET document = :document, version = :next, wanted = :wanted",
            ConditionExpression="version = :version OR attribute_not_exists(version)",
            ExpressionAttributeValues={
                ":document": {"S": json.dumps(document)},
                ":next": {"N": str(version + 1)},
                ":wanted": {"BOOL": wanted},
                ":version": {"N": str(version)},
            },
        )
    except ClientError as error:
        if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
            raise MemoryMoved(identity) from None
        raise
    return version + 1
