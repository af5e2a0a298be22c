"""What an end-to-end test of the monitor does: captures as an endpoint writes them, checks, machines cut short."""

from __future__ import annotations

import csv
import io
import json
import uuid
from datetime import UTC, datetime
from typing import Any

from tests.e2e.town import Town
from tidegate.core import names

INPUTS = ("km", "year", "make", "automatic")


def csv_of(rows: list[dict[str, Any]]) -> str:
    """Write cars as an endpoint takes them: the inputs in order, no header."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows([row[name] for name in INPUTS] for row in rows)
    return out.getvalue().strip()


def shifted(rows: list[dict[str, Any]], km: int = 200_000) -> list[dict[str, Any]]:
    """Give the same cars with more kilometres."""
    return [{**row, "km": "" if row["km"] == "" else row["km"] + km} for row in rows]


def capture(
    town: Town, model: str, rows: list[dict[str, Any]], algorithm: str = "xgboost", **about: Any
) -> str:
    """Put a capture file as an endpoint would, one request a row, known by the car's listing; gives its key."""
    now = datetime.now(UTC)
    lines = []
    for row in rows:
        price = row["price"]
        sides = {
            "endpointInput": _side("INPUT", csv_of([row])),
            "endpointOutput": _side("OUTPUT", str(price)),
        }
        meta = {
            "eventId": str(uuid.uuid5(uuid.NAMESPACE_URL, row["listing"])),
            "inferenceId": row["listing"],
            "inferenceTime": f"{now:%Y-%m-%dT%H:%M:%SZ}",
        }
        lines.append(json.dumps({"captureData": sides, "eventMetadata": meta, "eventVersion": "0"}))
    endpoint = town.endpoint(model, algorithm)
    folder = f"{names.capture_prefix(model, endpoint)}AllTraffic/{now:%Y/%m/%d/%H}"
    key = about.get("key") or f"{folder}/{now:%M-%S}-{uuid.uuid4()}.jsonl"
    town.client("s3").put_object(Bucket=town.artifacts, Key=key, Body="\n".join(lines).encode())
    return str(key)


def _side(mode: str, data: str) -> dict[str, str]:
    return {"observedContentType": "text/csv", "mode": mode, "data": data, "encoding": "CSV"}


def label(town: Town, model: str, rows: list[dict[str, Any]], filename: str) -> str:
    """Drop the true prices of cars; gives the check that it starts where a retraining is wanted."""
    body = "listing,price\n" + "".join(f"{row['listing']},{row['price']}\n" for row in rows)
    key = names.drop_key(model, "truth", filename)
    version = town.client("s3").put_object(Bucket=town.data, Key=key, Body=body.encode())["VersionId"]
    return names.monitor_run_id(model, names.asked_by_truth(key, version))


def want(town: Town, model: str) -> None:
    """Have a retraining of a model wanted, whatever its checks say."""
    town.client("dynamodb").put_item(
        TableName=town.outputs["MonitorTable"],
        Item={
            "id": {"S": names.retrain_id(model)},
            "version": {"N": "1"},
            "document": {"S": "{}"},
            "wanted": {"BOOL": True},
        },
    )


def forget(town: Town, identity: str) -> None:
    """Take an item of the monitor table away."""
    table = town.outputs["MonitorTable"]
    town.client("dynamodb").delete_item(TableName=table, Key={"id": {"S": identity}})


def start(town: Town, model: str, asked: str | None = None) -> tuple[str, str]:
    """Start a check; gives its run and its execution."""
    asked = asked or f"test {uuid.uuid4()}"
    arn = town.client("stepfunctions").start_execution(
        stateMachineArn=town.outputs["MonitorMachineArn"],
        input=json.dumps({"model": model, "asked": asked}),
    )["executionArn"]
    return names.monitor_run_id(model, asked), str(arn)


def over(town: Town, execution: str) -> str:
    """Wait until an execution has ended; gives how."""
    found: str = town.until(
        lambda: (s := town.execution({"execution": execution})["status"]) != "RUNNING" and s,
        "the check ended",
    )
    return found


def check(town: Town, model: str) -> dict[str, Any]:
    """Check a model; gives the run's record, which must say that it went well."""
    run, execution = start(town, model)
    status = over(town, execution)
    record = town.record(run)
    assert record is not None
    assert status == "SUCCEEDED", record["reason"]
    return record


def bookmark(town: Town, model: str, algorithm: str = "xgboost") -> dict[str, Any]:
    """Read the bookmark of an algorithm."""
    item = (
        town.client("dynamodb")
        .get_item(
            TableName=town.outputs["MonitorTable"],
            Key={"id": {"S": names.bookmark_id(model, algorithm)}},
            ConsistentRead=True,
        )
        .get("Item", {})
    )
    found = {name: next(iter(value.values())) for name, value in item.items()}
    return {**found, "summary": json.loads(found.get("summary", "{}"))}


class CutShort:
    """The deployed machine with a state that ends the execution on the spot, as a stop from outside does."""

    def __init__(self, town: Town, state: str) -> None:
        self._client = town.client("stepfunctions")
        self._arn = town.outputs["MonitorMachineArn"]
        self._whole = self._client.describe_state_machine(stateMachineArn=self._arn)["definition"]
        machine = json.loads(self._whole)
        assert _cut(machine, state), f"there is no state {state}"
        self._cut = json.dumps(machine)

    def __enter__(self) -> None:
        self._client.update_state_machine(stateMachineArn=self._arn, definition=self._cut)

    def __exit__(self, *_: object) -> None:
        self._client.update_state_machine(stateMachineArn=self._arn, definition=self._whole)


def task_states(town: Town) -> list[str]:
    """Name the states of the deployed machine that do something."""
    arn = town.outputs["MonitorMachineArn"]
    machine = json.loads(
        town.client("stepfunctions").describe_state_machine(stateMachineArn=arn)["definition"]
    )
    return [name for name, body in _states(machine) if body["Type"] == "Task"]


def _states(machine: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    found = []
    for name, body in machine["States"].items():
        found.append((name, body))
        for part in [body["ItemProcessor"]] if "ItemProcessor" in body else body.get("Branches", []):
            found += _states(part)
    return found


def _cut(machine: dict[str, Any], state: str) -> bool:
    """Put a Fail in the place of a state, and take away what would catch it on the way up."""
    if state in machine["States"]:
        machine["States"][state] = {"Type": "Fail", "Error": "CutShort", "Cause": f"cut at {state}"}
        return True
    for body in machine["States"].values():
        parts = [body["ItemProcessor"]] if "ItemProcessor" in body else body.get("Branches", [])
        if any(_cut(part, state) for part in parts):
            body.pop("Catch", None)
            return True
    return False
