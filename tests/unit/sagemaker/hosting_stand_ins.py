"""Stand-ins for what hosting talks to: the local cloud's S3, logs and metrics, and model servers."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.waiting import PATIENCE_SECONDS

from tidegate.local.sagemaker import control, hosting
from tidegate.local.sagemaker.containers.serving import Answer
from tidegate.local.sagemaker.context import Context
from tidegate.local.sagemaker.images.registry import Image
from tidegate.local.sagemaker.store import Store

ROLE = "arn:aws:iam::000000000000:role/models"


class Cloud:
    """S3, CloudWatch and CloudWatch Logs in memory."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.metrics: list[dict[str, Any]] = []
        self.alarms: dict[str, str] = {}
        self.lines: list[tuple[str, str]] = []
        self.events: list[tuple[str, dict[str, Any], list[str]]] = []

    def put_object(self, Bucket: str, Key: str, Body: bytes, **_: Any) -> None:
        self.objects[f"{Bucket}/{Key}"] = Body

    def put_metric_data(self, Namespace: str, MetricData: list[dict[str, Any]]) -> None:
        self.metrics.extend({"Namespace": Namespace, **datum} for datum in MetricData)

    def describe_alarms(self, AlarmNames: list[str]) -> dict[str, Any]:
        return {
            "MetricAlarms": [
                {"AlarmName": name, "StateValue": self.alarms.get(name, "OK")} for name in AlarmNames
            ]
        }

    def emit(self, detail_type: str, detail: dict[str, Any], resources: list[str]) -> None:
        self.events.append((detail_type, detail, resources))


class StandInContext(Context):
    """A context whose clients are one `Cloud`."""

    cloud: Cloud

    def client(self, service: str) -> Any:
        return self.cloud


class StandInServers:
    """A model server that answers with its model's name, and dies when told to."""

    def __init__(self, model: str, on_exit: Callable[[int, int], None]) -> None:
        self.model = model
        self.running = True
        self.well = True
        self.stopped = threading.Event()
        self.hold = threading.Event()
        self.hold.set()
        self.entered = threading.Event()
        self.answer: Callable[[bytes], Answer] | None = None
        self._on_exit = on_exit

    def invoke(
        self, body: bytes, content_type: str, accept: str, headers: dict[str, str], timeout_seconds: float
    ) -> Answer:
        assert not self.stopped.is_set(), "a stopped server was asked"
        self.entered.set()
        self.hold.wait(PATIENCE_SECONDS)
        if self.answer is not None:
            return self.answer(body)
        custom = "x-amzn-sagemaker-custom-attributes"
        answered = {"content-type": accept or "text/csv"}
        if custom in headers:
            answered[custom] = headers[custom]
        return Answer(200, answered, f"{self.model}:".encode() + body)

    def silent(self) -> int | None:
        return None if self.well else 0

    def stop(self, grace_seconds: float) -> None:
        self.running = False
        self.stopped.set()

    def die(self, exit_code: int = 1) -> None:
        self.running = False
        self._on_exit(0, exit_code)


class Starter:
    """Takes the place of `start_model`: makes stand-in servers, or fails as told."""

    def __init__(self) -> None:
        self.made: list[StandInServers] = []
        self.failures: dict[str, Exception] = {}
        self.slow: set[str] = set()
        self.hold = threading.Event()
        self.hold.set()

    def __call__(
        self, ctx: Context, model: dict[str, Any], instance_id: str, *, on_exit: Any, check: Any, **_: Any
    ) -> StandInServers:
        while not self.hold.wait(0.005):
            check()
        name = model["ModelName"]
        while name in self.slow:
            time.sleep(0.005)
            check()
        if name in self.failures:
            raise self.failures[name]
        servers = StandInServers(name, on_exit)
        self.made.append(servers)
        return servers

    def of(self, model: str) -> StandInServers:
        """Return the newest server of a model."""
        return next(servers for servers in reversed(self.made) if servers.model == model)


def make_context(folder: Path) -> StandInContext:
    """Return a context with an empty cloud."""
    cloud = Cloud()
    ctx = StandInContext(
        region="us-east-1",
        account="000000000000",
        endpoint_url="http://127.0.0.1:1",
        root=folder,
        store=Store(folder / "sagemaker.db"),
        images=lambda uri: Image("prices", serve=("serve",)),
        emit=cloud.emit,
    )
    ctx.cloud = cloud
    return ctx


def make_models(ctx: Context, *names: str) -> None:
    """Create models without data."""
    for name in names:
        request = {
            "ModelName": name,
            "PrimaryContainer": {"Image": "prices:1"},
            "ExecutionRoleArn": ROLE,
        }
        control.OPERATIONS["CreateModel"](ctx, request)


def make_config(ctx: Context, name: str, *variants: tuple[str, str, float], **more: Any) -> None:
    """Create an endpoint configuration of variants (name, model, weight)."""
    request = {
        "EndpointConfigName": name,
        "ProductionVariants": [
            {
                "VariantName": variant,
                "ModelName": model,
                "InstanceType": "ml.m5.large",
                "InitialInstanceCount": 1,
                "InitialVariantWeight": weight,
            }
            for variant, model, weight in variants
        ],
        **more,
    }
    control.OPERATIONS["CreateEndpointConfig"](ctx, request)


def settled(ctx: Context, name: str, seconds: float = PATIENCE_SECONDS) -> dict[str, Any]:
    """Wait until an endpoint is in no transition, and return its description."""
    end = time.monotonic() + seconds
    while True:
        answer = hosting.OPERATIONS["DescribeEndpoint"](ctx, {"EndpointName": name})
        if answer["EndpointStatus"] in ("InService", "Failed"):
            return answer
        assert time.monotonic() < end, f"the endpoint is still {answer['EndpointStatus']}"
        time.sleep(0.005)
