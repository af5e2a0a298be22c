"""The functions as Lambda would load them: by path, with the environment that the template gives, AWS by moto."""

from __future__ import annotations

import importlib.util
import io
import json
import logging
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws
from moto.moto_api._internal import moto_api_backend

ROOT = Path(__file__).parents[3]
DATA, ARTIFACTS, TABLE, RUNS = "tidegate-data", "tidegate-artifacts", "idempotency", "runs"
ROLE = "arn:aws:iam::123456789012:role/sagemaker"
MONITOR, SCHEDULES = "monitor", "tidegate-monitor"


@dataclass
class Context:
    """What Powertools reads of Lambda's context."""

    function_name: str = "a-function"
    memory_limit_in_mb: int = 256
    invoked_function_arn: str = "arn:aws:lambda:us-east-1:123456789012:function:a-function"
    aws_request_id: str = "11111111-2222-3333-4444-555555555555"
    log: list[str] = field(default_factory=list)

    def get_remaining_time_in_millis(self) -> int:
        return 60_000


def sample_event(name: str) -> dict[str, Any]:
    """Read a sample event."""
    event: dict[str, Any] = json.loads((ROOT / "events" / f"{name}.json").read_text())
    return event


class Account:
    """A small AWS account: two buckets, a topic with a queue that hears it, the idempotency table."""

    def __init__(self, clients: Callable[[str], Any]) -> None:
        self.s3 = clients("s3")
        for bucket in (DATA, ARTIFACTS):
            self.s3.create_bucket(Bucket=bucket)
        self.s3.put_bucket_versioning(Bucket=DATA, VersioningConfiguration={"Status": "Enabled"})
        self.sns, self.sqs = clients("sns"), clients("sqs")
        self.topic = self.sns.create_topic(Name="people")["TopicArn"]
        self.queue = self.sqs.create_queue(QueueName="ears")["QueueUrl"]
        self.sns.subscribe(
            TopicArn=self.topic, Protocol="sqs", Endpoint="arn:aws:sqs:us-east-1:123456789012:ears"
        )
        self.dynamodb = clients("dynamodb")
        for table, key in ((TABLE, "id"), (RUNS, "run"), (MONITOR, "id")):
            self.dynamodb.create_table(
                TableName=table,
                BillingMode="PAY_PER_REQUEST",
                AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"}],
                KeySchema=[{"AttributeName": key, "KeyType": "HASH"}],
            )

        clients("scheduler").create_schedule_group(Name=SCHEDULES)

    def put(self, bucket: str, key: str, body: bytes | str) -> str:
        """Put an object; gives its version."""
        version: str = self.s3.put_object(Bucket=bucket, Key=key, Body=body).get("VersionId", "")
        return version

    def keys(self, bucket: str) -> list[str]:
        """List a bucket."""
        return [each["Key"] for each in self.s3.list_objects_v2(Bucket=bucket).get("Contents", [])]

    def read_json(self, bucket: str, key: str) -> Any:
        """Read a document."""
        return json.loads(self.s3.get_object(Bucket=bucket, Key=key)["Body"].read())

    def heard(self) -> list[dict[str, Any]]:
        """Give the messages that the topic sent."""
        answer = self.sqs.receive_message(QueueUrl=self.queue, MaxNumberOfMessages=10)
        return [json.loads(each["Body"]) for each in answer.get("Messages", [])]


@pytest.fixture(scope="session")
def clients() -> Iterator[Callable[[str], Any]]:
    """Give moto's clients, made once: making them is most of what an empty account costs."""
    with mock_aws():
        session = boto3.Session("testing", "testing", region_name="us-east-1")
        yield cache(session.client)


@pytest.fixture
def logged() -> Iterator[io.StringIO]:
    """What the functions log, as Powertools writes it."""
    from aws_lambda_powertools.logging.formatter import LambdaPowertoolsFormatter

    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(LambdaPowertoolsFormatter())
    logger = logging.getLogger("tidegate")
    logger.addHandler(handler)
    yield stream
    logger.removeHandler(handler)


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch, clients: Callable[[str], Any]) -> Account:
    for name, value in {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": "us-east-1",
        "ARTIFACTS_BUCKET": ARTIFACTS,
        "IDEMPOTENCY_TABLE": TABLE,
        "RUNS_TABLE": RUNS,
        "DATA_BUCKET": DATA,
        "MONITOR_TABLE": MONITOR,
        "MONITOR_MACHINE_ARN": "arn:aws:states:us-east-1:123456789012:stateMachine:monitor",
        "SCHEDULE_GROUP": SCHEDULES,
        "SAGEMAKER_ROLE_ARN": ROLE,
        "SCHEDULE_ROLE_ARN": "arn:aws:iam::123456789012:role/schedule",
        "DEAD_LETTER_QUEUE_ARN": "arn:aws:sqs:us-east-1:123456789012:parked",
        "NAME_PREFIX": "tg",
        "PARAMETER_ROOT": "tidegate",
        "POWERTOOLS_SERVICE_NAME": "tidegate",
        "POWERTOOLS_METRICS_NAMESPACE": "Tidegate",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    moto_api_backend.reset()
    made = Account(clients)
    monkeypatch.setenv("NOTIFICATION_TOPIC_ARN", made.topic)
    return made


@pytest.fixture
def load(account: Account) -> Any:
    """Give a loader: ``load("notify")`` is that function's handler, freshly imported, as on a cold start."""

    def load_function(name: str) -> Any:
        path = ROOT / "functions" / name / "app.py"
        spec = importlib.util.spec_from_file_location(f"functions_{name}_app", path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[spec.name] = module
        spec.loader.exec_module(module)
        return module.handler

    return load_function
