"""What the tests of jobs stand on: a MiniStack of their own, a context, and containers that are tiny scripts.

A pytest plugin: a test module says ``pytest_plugins = ["jobs_world"]``. PYTEST_DONT_REWRITE: it is imported
by name too.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.free_ports import free_port
from tests.waiting import PATIENCE_SECONDS, until

from tidegate.local.sagemaker import jobs, service
from tidegate.local.sagemaker.containers import process as container_process
from tidegate.local.sagemaker.context import Context
from tidegate.local.sagemaker.images.registry import Image, ImageNotRegistered
from tidegate.local.sagemaker.store import Store

ACCOUNT = "000000000000"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/jobs"
HERE = Path(__file__).parent


def image_uri(repository: str) -> str:
    return f"{ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com/{repository}:1"


class World:
    """A local SageMaker without its HTTP front: operations are called, everything else is real."""

    def __init__(self, ctx: Context, scripts: Path) -> None:
        self.ctx = ctx
        self.events: list[tuple[str, dict[str, Any], list[str]]] = []
        self._images: dict[str, Image] = {}
        self._scripts = scripts
        ctx.images = self._find
        ctx.emit = lambda *event: self.events.append(event)
        self.s3 = ctx.client("s3")
        self.rooms = service.Rooms(
            operations={**jobs.OPERATIONS},
            invoke_endpoint=lambda *_: (500, {}, b""),
            wait=jobs.wait,
        )

    def _find(self, uri: str) -> Image:
        repository = uri.rpartition("/")[2].partition(":")[0]
        if repository not in self._images:
            raise ImageNotRegistered(f"No program is registered for the image {uri!r}; set TIDEGATE_IMAGES.")
        return self._images[repository]

    def call(self, name: str, **request: Any) -> dict[str, Any]:
        return service.call(self.ctx, name, request, self.rooms)

    def image(self, repository: str, script: str, **more: Any) -> str:
        """Register a script as an image that trains and serves; return its URI."""
        path = self._scripts / f"{repository}.py"
        path.write_text(script)
        # Without site packages a script starts ten times as fast.
        command = (sys.executable, "-S", str(path))
        self._images[repository] = Image(
            repository,
            train=(*command, "train"),
            serve=(*command, "serve"),
            process=(sys.executable, "-S"),
            **more,
        )
        return image_uri(repository)

    def shell(self, repository: str, script: str) -> str:
        """Register a shell script as an image; the quickest container there is."""
        self._images[repository] = Image(repository, train=("sh", "-c", script), process=("sh",))
        return image_uri(repository)

    def put(self, uri: str, body: str | bytes) -> None:
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        with contextlib.suppress(self.s3.exceptions.BucketAlreadyOwnedByYou):
            self.s3.create_bucket(Bucket=bucket)
        self.s3.put_object(Bucket=bucket, Key=key, Body=body)

    def read(self, uri: str) -> bytes:
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        body: bytes = self.s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        return body

    def keys(self, uri: str) -> list[str]:
        bucket, _, prefix = uri.removeprefix("s3://").partition("/")
        listing = self.s3.list_objects_v2(Bucket=bucket, Prefix=prefix)
        return [item["Key"] for item in listing.get("Contents", [])]

    def logs(self, group: str, stream_prefix: str) -> list[str]:
        client = self.ctx.client("logs")
        streams = client.describe_log_streams(logGroupName=group, logStreamNamePrefix=stream_prefix)
        return [
            event["message"]
            for stream in streams["logStreams"]
            for event in client.get_log_events(
                logGroupName=group, logStreamName=stream["logStreamName"], startFromHead=True
            )["events"]
        ]

    until = staticmethod(until)

    def train(self, image: str, name: str, **more: Any) -> dict[str, Any]:
        """Create a training job."""
        output = more.pop("output", "s3://jobs-out/models")
        self.put(f"{output}/.keep", b"")
        return self.call(
            "CreateTrainingJob",
            **{
                "TrainingJobName": name,
                "RoleArn": ROLE,
                "AlgorithmSpecification": {"TrainingImage": image, "TrainingInputMode": "File"},
                "OutputDataConfig": {"S3OutputPath": output},
                "ResourceConfig": {
                    "InstanceType": "ml.m5.large",
                    "InstanceCount": 1,
                    "VolumeSizeInGB": 5,
                },
                "StoppingCondition": {"MaxRuntimeInSeconds": 60},
                **more,
            },
        )

    def end(self, kind: str, name: str) -> dict[str, Any]:
        """Wait for a job's end; a test that waits longer than there is patience has failed."""
        give_up = time.monotonic() + PATIENCE_SECONDS
        record = jobs.wait(self.ctx, kind, name, lambda: time.monotonic() > give_up)
        assert time.monotonic() < give_up, f"{name} did not end: {record}"
        return record

    def trained(self, image: str, name: str, **more: Any) -> dict[str, Any]:
        """Create a training job and wait for its end."""
        self.train(image, name, **more)
        return self.end("training-job", name)


def channel(name: str, uri: str, **more: Any) -> dict[str, Any]:
    source = {
        "S3DataType": more.pop("data_type", "S3Prefix"),
        "S3Uri": uri,
        "S3DataDistributionType": "FullyReplicated",
    }
    return {"ChannelName": name, "DataSource": {"S3DataSource": source}, **more}


@pytest.fixture(scope="session")
def jobs_cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A MiniStack with S3, logs and metrics; its URL."""
    port = free_port()
    folder = tmp_path_factory.mktemp("ministack")
    process = subprocess.Popen(
        [sys.executable, "-c", "from ministack import app; app.main()"],
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={
            **os.environ,
            "GATEWAY_PORT": str(port),
            "BIND_HOST": "127.0.0.1",
            "IOT_MTLS_ENABLED": "0",
            "SFTP_ENABLED": "0",
            "SERVICES": "s3,logs,cloudwatch",
            "STATE_DIR": str(folder),
            "TMPDIR": str(folder),
            "LOG_LEVEL": "ERROR",
        },
    )
    url = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            assert process.poll() is None, "MiniStack ended before it was ready"
            assert time.monotonic() < deadline, "MiniStack was not ready in time"
            try:
                urllib.request.urlopen(f"{url}/_ministack/health", timeout=1).close()
                break
            except OSError:
                time.sleep(0.05)
        yield url
    finally:
        process.terminate()
        try:
            process.wait(PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def make_context(url: str, folder: Path, max_jobs: int = 2) -> Context:
    return Context(
        region="us-east-1",
        account=ACCOUNT,
        endpoint_url=url,
        root=folder,
        store=Store(folder / "sagemaker.db"),
        images=lambda uri: Image(uri),
        emit=lambda *event: None,
        max_jobs=max_jobs,
    )


@pytest.fixture(scope="session")
def jobs_clients(jobs_cloud: str, tmp_path_factory: pytest.TempPathFactory) -> Context:
    """A context whose clients every other one shares: building them is slow."""
    ctx = make_context(jobs_cloud, tmp_path_factory.mktemp("clients"))
    for name in ("s3", "logs", "cloudwatch"):
        ctx.client(name)
    return ctx


@pytest.fixture
def world(jobs_cloud: str, jobs_clients: Context, tmp_path: Path) -> Iterator[World]:
    ctx = make_context(jobs_cloud, tmp_path / "state")
    ctx.client = jobs_clients.client  # type: ignore[method-assign]
    scripts = tmp_path / "scripts"
    scripts.mkdir()
    jobs.recover(ctx)
    yield World(ctx, scripts)
    jobs.shutdown(ctx)
    ctx.store.close()


def descendants() -> list[int]:
    """Containers of this process that still run."""
    return marked(f"TIDEGATE_OWNER={container_process._OWNER}")


def marked(variable: str) -> list[int]:
    """Processes that were started with this variable in their environment."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            with contextlib.suppress(OSError):
                if variable.encode() in (folder / "environ").read_bytes().split(b"\0"):
                    found.append(int(folder.name))
    return found


__all__ = ["ROLE", "World", "channel", "descendants", "image_uri", "jobs_cloud", "make_context", "marked"]
