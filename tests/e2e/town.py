"""What an end-to-end test does with a deployed Tidegate, in the words of a person who uses it."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from typing import Any

import yaml
from botocore.exceptions import ClientError

from tests.waiting import until
from tidegate.core import names
from tidegate.local.cloud import Cloud

STACK = "tidegate"  # where the suite is not told another one
SECONDS = 300.0  # the longest that a run may take on a busy machine; it only ends a hang
FAULTS = "faults.json"  # in the state folder: what the local cloud shall fail on purpose


class Town:
    """A deployed stack in a running local cloud, spoken to through AWS's own clients alone."""

    def __init__(self, cloud: Cloud, stack: str = STACK) -> None:
        self.cloud, self.stack = cloud, stack
        self._clients: dict[str, Any] = {}
        self.look_again()

    def look_again(self) -> None:
        """Read what the stack is made of, as after a deployment."""
        described = self.client("cloudformation").describe_stacks(StackName=self.stack)["Stacks"][0]
        self.outputs = {each["OutputKey"]: each["OutputValue"] for each in described["Outputs"]}
        self.data, self.artifacts = self.outputs["DataBucket"], self.outputs["ArtifactsBucket"]
        self.prefix = self.outputs["NamePrefix"]

    def resource(self, logical: str) -> str:
        """Give the name of a resource of the stack."""
        found: str = self.client("cloudformation").describe_stack_resource(
            StackName=self.stack, LogicalResourceId=logical
        )["StackResourceDetail"]["PhysicalResourceId"]
        return found

    def endpoint(self, model: str, algorithm: str = "xgboost") -> str:
        """Name the endpoint of one algorithm of a model."""
        return names.endpoint_name(self.prefix, model, algorithm)

    def client(self, service: str) -> Any:
        """Give a client of one service."""
        if service not in self._clients:
            self._clients[service] = self.cloud.client(service)
        return self._clients[service]

    # ------------------------------------------------------------ dropping
    def declare(self, spec: dict[str, Any]) -> None:
        """Put a model file and wait until it is in force."""
        key = names.model_file_key(spec["name"])
        body = yaml.safe_dump(spec, allow_unicode=True, sort_keys=False).encode()
        self.client("s3").put_object(Bucket=self.data, Key=key, Body=body)
        self.until(lambda: self._in_force(spec), f"{key} is in force")

    def _in_force(self, spec: dict[str, Any]) -> bool:
        document = self.artifact_json(names.spec_key(spec["name"]))
        return (
            document is not None
            and set(document["spec"]["features"]) == set(spec["features"])
            and (document["spec"]["gate"]["at_most"] == spec.get("gate", {}).get("at_most"))
        )

    def drop(self, model: str, filename: str, content: bytes, kind: str = "train") -> str:
        """Put a file under `<model>/train/` or `score/`; gives the id of the run that it starts."""
        key = names.drop_key(model, kind, filename)
        put = self.client("s3").put_object(Bucket=self.data, Key=key, Body=content)
        return names.run_id(self.data, key, put["VersionId"])

    def train(self, model: str, filename: str, content: bytes, seconds: float = SECONDS) -> dict[str, Any]:
        """Drop a file and wait for its run's end; gives the run's record."""
        return self.ended(self.drop(model, filename, content), seconds)

    def score(self, model: str, filename: str, content: bytes, seconds: float = SECONDS) -> dict[str, Any]:
        """Drop a file to score and wait for its run's end; gives the run's record."""
        return self.ended(self.drop(model, filename, content, "score"), seconds)

    def fail(self, state: str, model: str, **fault: Any) -> None:
        """Have a state of one model's runs fail or crash; see `tidegate.local.emulator.faults`."""
        file = self.cloud.state / FAULTS
        faults = json.loads(file.read_text()) if file.exists() else []
        partial = file.with_suffix(".new")
        partial.write_text(json.dumps([*faults, {"state": state, "model": model, **fault}]))
        partial.replace(file)

    # ------------------------------------------------------------ looking
    def record(self, run: str) -> dict[str, Any] | None:
        """Read a run's record, its result as a document."""
        table = self.outputs["RunsTable"]
        item = self.client("dynamodb").get_item(TableName=table, Key={"run": {"S": run}}).get("Item")
        if item is None:
            return None
        record = {name: next(iter(value.values())) for name, value in item.items()}
        return {**record, "result": json.loads(record.get("result", "{}"))}

    def ended(self, run: str, seconds: float = SECONDS) -> dict[str, Any]:
        """Wait until a run is over: its record is written and its execution has ended."""

        def over() -> dict[str, Any] | None:
            record = self.record(run)
            if record is None or record["status"] == "RUNNING":
                return None
            return record if self.execution(record)["status"] != "RUNNING" else None

        found: dict[str, Any] = self.until(over, f"run {run} ended", seconds)
        return found

    def execution(self, record: dict[str, Any]) -> dict[str, Any]:
        """Describe the execution that made a run."""
        found: dict[str, Any] = self.client("stepfunctions").describe_execution(
            executionArn=record["execution"]
        )
        return found

    def states_of(self, record: dict[str, Any]) -> list[str]:
        """Name the states that a run entered, in order."""
        pages = self.client("stepfunctions").get_paginator("get_execution_history")
        events = [
            event for page in pages.paginate(executionArn=record["execution"]) for event in page["events"]
        ]
        return [e["stateEnteredEventDetails"]["name"] for e in events if e["type"].endswith("StateEntered")]

    def executions(self) -> list[dict[str, Any]]:
        """List every execution of the train machine."""
        pages = self.client("stepfunctions").get_paginator("list_executions")
        arn = self.outputs["TrainMachineArn"]
        return [each for page in pages.paginate(stateMachineArn=arn) for each in page["executions"]]

    def notifications(self, run: str) -> list[dict[str, Any]]:
        """Read what people were told about a run."""
        keys = [key for key in self.keys(self.artifacts, "notifications/") if f"-{run}-" in key]
        return [self.artifact_json(key) for key in keys]

    def parameter(self, model: str, algorithm: str, what: str) -> str | None:
        """Read a name from Parameter Store."""
        name = names.parameter_name(self.stack, model, algorithm, what)
        try:
            value: str = self.client("ssm").get_parameter(Name=name)["Parameter"]["Value"]
            return value
        except ClientError as error:
            if error.response["Error"]["Code"] == "ParameterNotFound":
                return None
            raise

    def keys(self, bucket: str, prefix: str) -> list[str]:
        """List keys under a prefix."""
        pages = self.client("s3").get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        return [each["Key"] for page in pages for each in page.get("Contents", [])]

    def read(self, bucket: str, key: str) -> bytes:
        """Read an object."""
        body: bytes = self.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
        return body

    def artifact_json(self, key: str) -> Any:
        """Read a document of the artifacts bucket, None where there is none."""
        try:
            return json.loads(self.read(self.artifacts, key))
        except ClientError as error:
            if error.response["Error"]["Code"] == "NoSuchKey":
                return None
            raise

    def invoke(
        self, endpoint: str, body: str, content_type: str = "text/csv", accept: str = "text/csv"
    ) -> str:
        """Ask an endpoint."""
        answer = self.client("sagemaker-runtime").invoke_endpoint(
            EndpointName=endpoint, Body=body.encode(), ContentType=content_type, Accept=accept
        )
        text: str = answer["Body"].read().decode()
        return text

    @staticmethod
    def until(look: Any, what: str, seconds: float = SECONDS) -> Any:
        """Look again and again until something true is seen."""
        return until(look, what, seconds, pause=0.1)


def csv_bytes(rows: list[dict[str, Any]], header: list[str] | None = None) -> bytes:
    """Write rows as CSV."""
    import csv

    out = io.StringIO()
    writer = csv.DictWriter(out, header or list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()


def tidegate(town: Town, *words: str) -> tuple[int, dict[str, Any]]:
    """Type a command; gives its exit code and its document."""
    own = ["--json", "--state", str(town.cloud.state), "--stack", town.stack]
    command = [sys.executable, "-m", "tidegate.cli", *words, *own]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    return done.returncode, json.loads(done.stdout)
