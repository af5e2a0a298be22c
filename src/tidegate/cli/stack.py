"""What a deployed stack holds, read through its outputs: models, runs, endpoints and notifications."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from tidegate.cli.errors import Trouble
from tidegate.core import names

if TYPE_CHECKING:
    from tidegate.cli.place import Place

NOT_FOUND = {"404", "NoSuchKey", "NotFound", "NoSuchBucket"}
NOTIFICATIONS = "notifications/"
# The outputs that name the machine of each kind of run.
MACHINES = {"train": "TrainMachineArn", "score": "ScoreMachineArn", "monitor": "MonitorMachineArn"}


@dataclass(frozen=True)
class Declaration:
    """A model's file as it is in force: its canonical spec, and the SHA-256 of the YAML it came from."""

    spec: dict[str, Any]
    source_sha256: str


class Stack:
    """One deployed stack.

    Parameters
    ----------
    place : Place
        The cloud it is in.
    """

    def __init__(self, place: Place) -> None:
        self.place = place
        self.name = place.options.stack

    def client(self, service: str) -> Any:
        """Give a boto3 client for the stack's cloud."""
        return self.place.client(service)

    @cached_property
    def description(self) -> dict[str, Any]:
        """What CloudFormation says about the stack."""
        from botocore.exceptions import ClientError

        cloudformation = self.client("cloudformation")
        try:
            found: dict[str, Any] = cloudformation.describe_stacks(StackName=self.name)["Stacks"][0]
            return found
        except ClientError as error:
            if error.response["Error"].get("Code") != "ValidationError":
                raise
            how = "`tidegate up`" if self.place.is_near else "`sam build && sam deploy`"
            raise Trouble(
                f"There is no stack named {self.name} on {self.place}.",
                f"Deploy it with {how}, or name another one with --stack.",
            ) from error

    @cached_property
    def outputs(self) -> dict[str, str]:
        """The outputs of the stack by name."""
        return {each["OutputKey"]: each["OutputValue"] for each in self.description.get("Outputs", [])}

    @property
    def key(self) -> str | None:
        """The KMS key that the stack was deployed with; None without one."""
        given = {each["ParameterKey"]: each for each in self.description.get("Parameters", [])}
        return given.get("KmsKeyArn", {}).get("ParameterValue") or None

    def output(self, name: str) -> str:
        """Give one output of the stack."""
        if name not in self.outputs:
            raise Trouble(
                f"The stack {self.name} is {self.description['StackStatus']} and has no output {name}.",
                "Wait until its deployment is done, or deploy this version of Tidegate over it.",
            )
        return self.outputs[name]

    @property
    def api_url(self) -> str | None:
        """Where the real-time API answers: a path of the local cloud, or the API's own host on AWS."""
        return api_url(self.outputs, self.place.local.endpoint_url if self.place.local else None)

    @property
    def data_bucket(self) -> str:
        """The bucket that files are dropped in."""
        return self.output("DataBucket")

    @property
    def artifacts_bucket(self) -> str:
        """The bucket that runs write to."""
        return self.output("ArtifactsBucket")

    def read_object(self, bucket: str, key: str) -> bytes | None:
        """Read an object, or None where there is none."""
        from botocore.exceptions import ClientError

        try:
            body: bytes = self.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
            return body
        except ClientError as error:
            if error.response["Error"].get("Code") in NOT_FOUND:
                return None
            raise

    def declaration(self, model: str) -> Declaration | None:
        """Read what is in force for a model, or None where nobody declared it."""
        body = self.read_object(self.artifacts_bucket, names.spec_key(model))
        if body is None:
            return None
        document = json.loads(body)
        return Declaration(document["spec"], document["source_sha256"])

    def spec(self, model: str) -> dict[str, Any]:
        """Read the canonical spec of a model that must be declared."""
        return self.declared(model).spec

    def declared(self, model: str) -> Declaration:
        """Read what is in force for a model that must be declared."""
        found = self.declaration(model)
        if found is None:
            raise self.no_such_model(model)
        return found

    def no_such_model(self, model: str) -> Trouble:
        """Say that nobody declared a model, and which ones are declared."""
        known = self.models()
        close = difflib.get_close_matches(model, known, n=1)
        declared = f" Declared are: {', '.join(known)}." if known else ""
        meant = f" Did you mean {close[0]}?" if close else ""
        return Trouble(
            f"There is no model named {model} in the stack {self.name}.{declared}{meant}",
            "Declare it with `tidegate apply MODEL.yaml`.",
        )

    def models(self) -> list[str]:
        """List the declared models by name."""
        pages = self.client("s3").get_paginator("list_objects_v2")
        folders = [
            each["Prefix"].rstrip("/")
            for page in pages.paginate(Bucket=self.artifacts_bucket, Delimiter="/")
            for each in page.get("CommonPrefixes", [])
        ]
        return sorted(name for name in folders if name != NOTIFICATIONS.rstrip("/") and self._is_model(name))

    def _is_model(self, name: str) -> bool:
        key = names.spec_key(name)
        answer = self.client("s3").list_objects_v2(Bucket=self.artifacts_bucket, Prefix=key, MaxKeys=1)
        return any(each["Key"] == key for each in answer.get("Contents", []))

    def parameters(self, model: str) -> dict[str, dict[str, str]]:
        """Read what Parameter Store says about a model: algorithm → {"model", "endpoint", "config"}."""
        root = f"/{self.name}/{model}/"
        found: dict[str, dict[str, str]] = {}
        pages = self.client("ssm").get_paginator("get_parameters_by_path")
        for page in pages.paginate(Path=root.rstrip("/"), Recursive=True):
            for each in page["Parameters"]:
                algorithm, _, what = each["Name"].removeprefix(root).partition("/")
                found.setdefault(algorithm, {})[what] = each["Value"]
        return found

    def endpoint_state(self, endpoint: str) -> str:
        """Give the status of an endpoint, ``Missing`` where there is none."""
        from botocore.exceptions import ClientError

        try:
            return str(self.client("sagemaker").describe_endpoint(EndpointName=endpoint)["EndpointStatus"])
        except ClientError as error:
            if error.response["Error"].get("Code") == "ValidationException":
                return "Missing"
            raise

    def notification_keys(self) -> list[str]:
        """List the keys of the kept notifications, oldest first."""
        pages = self.client("s3").get_paginator("list_objects_v2")
        return sorted(
            each["Key"]
            for page in pages.paginate(Bucket=self.artifacts_bucket, Prefix=NOTIFICATIONS)
            for each in page.get("Contents", [])
            if each["Key"].endswith(".json")
        )

    def notifications(self, keys: list[str]) -> Iterator[dict[str, Any]]:
        """Read the notifications kept under these keys."""
        for key in keys:
            body = self.read_object(self.artifacts_bucket, key)
            if body is not None:
                yield json.loads(body)


def api_url(outputs: Mapping[str, str], local_url: str | None) -> str | None:
    """Tell where a stack's API answers, None for a stack without one.

    >>> api_url({"ApiUrl": "https://0a1b.execute-api.us-east-1.amazonaws.com"}, "http://127.0.0.1:4566")
    'http://127.0.0.1:4566/_aws/execute-api/0a1b'
    """
    url = outputs.get("ApiUrl")
    if url is None or local_url is None:
        return url
    return f"{local_url}/_aws/execute-api/{(urlsplit(url).hostname or '').split('.')[0]}"
