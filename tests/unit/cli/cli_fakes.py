"""A cloud in memory: just enough of each boto3 client for the verbs, with the shapes that boto3 answers."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

DATA, ARTIFACTS, RUNS = "data-bucket", "artifacts-bucket", "runs-table"
START = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)
SPEC = {
    "name": "cars",
    "target": "Price",
    "id": "Id",
    "features": {"KM": {"type": "numeric"}, "Fuel": {"type": "categorical", "levels": 8}},
    "algorithms": {"xgboost": {}, "linear-learner": {}},
    "serving": {"combine": "max"},
}


def refusal(code: str, message: str, operation: str = "Operation", **more: Any) -> ClientError:
    """Make the error that boto3 raises."""
    return ClientError({"Error": {"Code": code, "Message": message}, **more}, operation)


class Paged:
    """Gives every operation a paginator of one page."""

    def get_paginator(self, operation: str) -> Any:
        ask = getattr(self, operation)

        class Pages:
            def paginate(self, PaginationConfig: Any = None, **asked: Any) -> Any:
                return iter([ask(**asked)])

        return Pages()


class FakeS3(Paged):
    def __init__(self) -> None:
        self.objects: dict[tuple[str, str], dict[str, Any]] = {}
        self.puts = 0
        self.on_put: Callable[[str, str], None] = lambda bucket, key: None

    def put_object(self, Bucket: str, Key: str, Body: Any, Metadata: Any = None, **_: Any) -> dict[str, Any]:
        body = Body if isinstance(Body, bytes) else Body.read()
        self.puts += 1
        version = f"v{self.puts}"
        self.objects[Bucket, Key] = {"body": body, "Metadata": Metadata or {}, "VersionId": version}
        self.on_put(Bucket, Key)
        return {"VersionId": version, "ETag": f'"{version}"'}

    def put_json(self, key: str, document: Any) -> None:
        self.objects[ARTIFACTS, key] = {
            "body": json.dumps(document).encode(),
            "Metadata": {},
            "VersionId": "j",
        }

    def get_object(self, Bucket: str, Key: str) -> dict[str, Any]:
        if (Bucket, Key) not in self.objects:
            raise refusal("NoSuchKey", "no such key", "GetObject")
        return {"Body": io.BytesIO(self.objects[Bucket, Key]["body"])}

    def download_file(self, Bucket: str, Key: str, Filename: str) -> None:
        Path(Filename).write_bytes(self.get_object(Bucket, Key)["Body"].read())

    def head_object(self, Bucket: str, Key: str) -> dict[str, Any]:
        if (Bucket, Key) not in self.objects:
            raise refusal("404", "Not Found", "HeadObject")
        import hashlib

        held = self.objects[Bucket, Key]
        etag = f'"{hashlib.md5(held["body"]).hexdigest()}"'
        return {**held, "ETag": etag, "ContentLength": len(held["body"])}

    def list_objects_v2(self, Bucket: str, Prefix: str = "", Delimiter: str = "", **_: Any) -> dict[str, Any]:
        keys = sorted(key for bucket, key in self.objects if bucket == Bucket and key.startswith(Prefix))
        if Delimiter:
            folders = sorted({key.split("/", 1)[0] + "/" for key in keys})
            return {"CommonPrefixes": [{"Prefix": each} for each in folders]}
        return {"Contents": [{"Key": key} for key in keys]}


class FakeRuns(Paged):
    def __init__(self) -> None:
        self.items: dict[str, dict[str, Any]] = {}
        self.watched: dict[str, dict[str, Any]] = {}  # of the monitor table
        self.on_get: Callable[[str], None] = lambda run: None

    def put(self, run: str, **attributes: str) -> None:
        self.items[run] = {name: {"S": value} for name, value in {"run": run, **attributes}.items()}

    def get_item(self, Key: Any, **_: Any) -> dict[str, Any]:
        if "id" in Key:
            item = self.watched.get(Key["id"]["S"])
            return {"Item": item} if item else {}
        self.on_get(Key["run"]["S"])
        item = self.items.get(Key["run"]["S"])
        return {"Item": item} if item else {}

    def scan(self, **_: Any) -> dict[str, Any]:
        return {"Items": list(self.items.values())}

    def query(self, ExpressionAttributeValues: Any, **_: Any) -> dict[str, Any]:
        wanted = ExpressionAttributeValues[":model"]["S"]
        found = [each for each in self.items.values() if each["model"]["S"] == wanted]
        return {"Items": sorted(found, key=lambda each: each["started"]["S"], reverse=True)}


class FakeParameters(Paged):
    def __init__(self) -> None:
        self.values: dict[str, str] = {}

    def get_parameters_by_path(self, Path: str, **_: Any) -> dict[str, Any]:
        found = [
            {"Name": name, "Value": value}
            for name, value in self.values.items()
            if name.startswith(Path + "/")
        ]
        return {"Parameters": found}


class FakeEndpoints:
    def __init__(self) -> None:
        self.states: dict[str, str] = {}

    def describe_endpoint(self, EndpointName: str) -> dict[str, Any]:
        if EndpointName not in self.states:
            raise refusal("ValidationException", "Could not find endpoint", "DescribeEndpoint")
        return {"EndpointStatus": self.states[EndpointName]}


class FakeSteps(Paged):
    """Shows more of one history each time it is asked."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []
        self.shown = 0
        self.per_look = 3
        self.status = "SUCCEEDED"

    def get_execution_history(self, executionArn: str, **_: Any) -> dict[str, Any]:
        self.shown = min(len(self.events), self.shown + self.per_look)
        return {"events": self.events[: self.shown][::-1]}

    def describe_execution(self, executionArn: str) -> dict[str, Any]:
        return {"status": self.status}


class FakeStacks(Paged):
    def describe_stacks(self, StackName: str) -> dict[str, Any]:
        if StackName != "tidegate":
            raise refusal("ValidationError", f"Stack with id {StackName} does not exist", "DescribeStacks")
        outputs = {"DataBucket": DATA, "ArtifactsBucket": ARTIFACTS, "RunsTable": RUNS}
        outputs |= {"CollectOrphansFunction": "collector", "MonitorTable": "monitor-table"}
        shown = [{"OutputKey": key, "OutputValue": value} for key, value in outputs.items()]
        return {"Stacks": [{"StackStatus": "CREATE_COMPLETE", "Outputs": shown}]}

    def list_stack_resources(self, StackName: str) -> dict[str, Any]:
        function = {"ResourceType": "AWS::Lambda::Function", "PhysicalResourceId": "tidegate-Preprocess"}
        return {
            "StackResourceSummaries": [
                function,
                {"ResourceType": "AWS::S3::Bucket", "PhysicalResourceId": "b"},
            ]
        }


class FakeLogs(Paged):
    def __init__(self) -> None:
        self.lines: dict[str, list[tuple[str, int, str]]] = {}

    def filter_log_events(
        self, logGroupName: str, filterPattern: str = "", logStreamNamePrefix: str = "", **_: Any
    ) -> dict[str, Any]:
        if logGroupName not in self.lines:
            raise refusal("ResourceNotFoundException", "no such group", "FilterLogEvents")
        events = [
            {"timestamp": at, "message": message, "logStreamName": stream}
            for stream, at, message in self.lines[logGroupName]
            if filterPattern.strip('"') in message and stream.startswith(logStreamNamePrefix)
        ]
        return {"events": events}


class FakeCloud:
    """All clients of one stack named tidegate that declares one model named cars."""

    def __init__(self) -> None:
        self.s3, self.dynamodb, self.ssm = FakeS3(), FakeRuns(), FakeParameters()
        self.sagemaker, self.stepfunctions, self.logs = FakeEndpoints(), FakeSteps(), FakeLogs()
        self.cloudformation = FakeStacks()
        self.s3.put_json("cars/spec.json", {"source_sha256": "abc", "spec": SPEC})

    def client(self, service: str) -> Any:
        return getattr(self, service.removesuffix("-runtime"))

    def serve(self) -> None:
        """Put both algorithms into service."""
        for algorithm in SPEC["algorithms"]:
            self.ssm.values[f"/tidegate/cars/{algorithm}/endpoint"] = f"tg-cars-{algorithm}"
            self.sagemaker.states[f"tg-cars-{algorithm}"] = "InService"


class History:
    """Writes an execution's events as Step Functions does: each with the id of the one it follows."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []

    def add(self, kind: str, after: int | None = None, seconds: float | None = None, **details: Any) -> int:
        """Add an event and give its id; it follows the latest one unless told otherwise."""
        number = len(self.events) + 1
        event: dict[str, Any] = {
            "id": number,
            "previousEventId": number - 1 if after is None else after,
            "type": kind,
            "timestamp": START + timedelta(seconds=number if seconds is None else seconds),
        }
        if details:
            name = kind[0].lower() + kind[1:]
            for family in ("StateEntered", "StateExited"):
                if kind.endswith(family):
                    name = family[0].lower() + family[1:]
            event[f"{name}EventDetails"] = details
        self.events.append(event)
        return number

    def state(self, kind: str, name: str, after: int | None = None, **more: Any) -> int:
        """Enter and exit a state; give the id of its exit."""
        entered = self.add(f"{kind}StateEntered", after, name=name, **more)
        return self.add(f"{kind}StateExited", entered, name=name)


def training_history() -> History:
    """A run of two algorithms whose events mix: linear-learner's training fails and is caught."""
    history = History()
    history.add("ExecutionStarted")
    claimed = history.state("Task", "Claim the run")
    entered = history.add("MapStateEntered", claimed, name="For each algorithm")
    started = history.add("MapStateStarted", entered, length=2)
    first = history.add("MapIterationStarted", started, name="For each algorithm", index=0)
    second = history.add("MapIterationStarted", started, name="For each algorithm", index=1)
    given = [json.dumps({"algorithm": name}) for name in ("xgboost", "linear-learner")]
    train_x = history.add("TaskStateEntered", first, name="Train the model", input=given[0])
    train_l = history.add("TaskStateEntered", second, name="Train the model", input=given[1])
    train_x = history.add("TaskScheduled", train_x)
    train_l = history.add("TaskFailed", train_l, error="States.TaskFailed", cause="no room left")
    train_x = history.add("TaskStateExited", train_x, name="Train the model")
    train_l = history.add("TaskStateExited", train_l, name="Train the model")
    score = history.add("ParallelStateEntered", train_x, name="Score the held-out rows")
    fork = history.add("ParallelStateStarted", score)
    left = history.add("TaskStateEntered", fork, name="Score with the candidate")
    right = history.add("PassStateEntered", fork, name="No champion yet")
    failed = history.state("Pass", "This algorithm failed", train_l)
    history.add("MapIterationSucceeded", failed, name="For each algorithm", index=1)
    history.add("PassStateExited", right, name="No champion yet")
    left = history.add("TaskStateExited", left, name="Score with the candidate")
    joined = history.add("ParallelStateSucceeded", left)
    scored = history.add("ParallelStateExited", joined, name="Score the held-out rows")
    done = history.add("MapIterationSucceeded", scored, name="For each algorithm", index=0)
    mapped = history.add("MapStateSucceeded", done)
    exited = history.add("MapStateExited", mapped, name="For each algorithm")
    end = history.state("Task", "Tell people", exited)
    history.add("ExecutionSucceeded", end)
    return history
