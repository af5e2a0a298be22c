"""Removing data and history for good: every version of every object, the records, the log groups."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from tidegate.cli.records import runs_of
from tidegate.cli.stack import NOTIFICATIONS, Stack
from tidegate.cli.teardown.found import absent

OBJECTS_AT_ONCE = 1000  # what DeleteObjects takes
ITEMS_AT_ONCE = 25  # what BatchWriteItem takes
ENDPOINT_LOGS = "/aws/sagemaker/Endpoints/"


def purge_model(stack: Stack, model: str, endpoints: list[str]) -> dict[str, int]:
    """Remove a model's data and history; gives how many objects, records and log groups went.

    Parameters
    ----------
    stack : Stack
        Where it is.
    model : str
        The model.
    endpoints : list of str
        The endpoints that it had, by which its logs are called.
    """
    runs = {str(each["run"]) for each in runs_of(stack, model)}
    objects = 0
    for bucket, prefix in (
        (stack.data_bucket, f"{model}/"),
        (stack.data_bucket, f"quarantine/{model}/"),
        (stack.artifacts_bucket, f"{model}/"),
    ):
        objects += empty(stack, bucket, prefix)
    for key in [*_notifications(stack, model, runs)]:
        objects += empty(stack, stack.artifacts_bucket, key)
    records = _delete_items(stack, stack.output("RunsTable"), "run", _run_keys(stack, model, runs))
    monitored = _keys(stack, stack.output("MonitorTable"), "id", f"{model}/")
    records += _delete_items(stack, stack.output("MonitorTable"), "id", monitored)
    return {"objects": objects, "records": records, "log_groups": _delete_logs(stack, endpoints)}


def empty(stack: Stack, bucket: str, prefix: str = "") -> int:
    """Remove every version of every object under a prefix of a bucket; gives how many."""
    s3, count = stack.client("s3"), 0
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=prefix):
        listed = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
        wanted = [{"Key": each["Key"], "VersionId": each["VersionId"]} for each in listed]
        for start in range(0, len(wanted), OBJECTS_AT_ONCE):
            batch = wanted[start : start + OBJECTS_AT_ONCE]
            answer = s3.delete_objects(Bucket=bucket, Delete={"Objects": batch, "Quiet": True})
            _all_went(bucket, answer)
            count += len(batch)
    return count


def _all_went(bucket: str, answer: dict[str, Any]) -> None:
    from tidegate.cli.errors import Trouble

    if errors := answer.get("Errors"):
        first = errors[0]
        raise Trouble(
            f"{len(errors)} objects of the bucket {bucket} could not be deleted; {first['Key']}: "
            f"{first.get('Message') or first.get('Code')}.",
            "Mend that, then type the command again: it goes on from there.",
        )


def _notifications(stack: Stack, model: str, runs: set[str]) -> Iterator[str]:
    """Find what people were told of a model: by the run in the key, or else by what the document says."""
    for key in stack.notification_keys():
        parts = key.removeprefix(NOTIFICATIONS).split("-")
        if runs & set(parts):
            yield key
        elif "model" in parts:  # of the model file, which is no run's
            body = stack.read_object(stack.artifacts_bucket, key)
            if body is not None and json.loads(body).get("model") == model:
                yield key


def _run_keys(stack: Stack, model: str, runs: set[str]) -> list[str]:
    """Name the records of a model's runs, the line they stood in, and what of its files was served."""
    from tidegate.core import names

    served = _keys(stack, stack.output("RunsTable"), "run", names.served_id(model, ""))
    return [*runs, names.queue_id(model), *served]


def _keys(stack: Stack, table: str, key: str, prefix: str) -> list[str]:
    pages = stack.client("dynamodb").get_paginator("scan")
    asked = pages.paginate(
        TableName=table,
        ProjectionExpression="#key",
        FilterExpression="begins_with(#key, :prefix)",
        ExpressionAttributeNames={"#key": key},
        ExpressionAttributeValues={":prefix": {"S": prefix}},
    )
    return [item[key]["S"] for page in asked for item in page["Items"]]


def _delete_items(stack: Stack, table: str, key: str, values: list[str]) -> int:
    client = stack.client("dynamodb")
    for start in range(0, len(values), ITEMS_AT_ONCE):
        batch = values[start : start + ITEMS_AT_ONCE]
        asked: dict[str, Any] = {table: [{"DeleteRequest": {"Key": {key: {"S": each}}}} for each in batch]}
        while asked:
            asked = client.batch_write_item(RequestItems=asked).get("UnprocessedItems") or {}
    return len(values)


def _delete_logs(stack: Stack, endpoints: list[str]) -> int:
    """Remove what the endpoints logged; the groups of jobs are those of the whole account."""
    delete = stack.client("logs").delete_log_group
    return sum(
        not absent(delete, ["ResourceNotFoundException"], logGroupName=f"{ENDPOINT_LOGS}{each}")
        for each in endpoints
    )
