"""Endpoints as boto3 sees them: its validation, waiters, paginators and errors, and a cloud that is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from hosting_cloud import cloud, listens, make_context, put_model_data
from tests.free_ports import free_port
from tests.waiting import until

pytestmark = pytest.mark.integration

WAIT = {"Delay": 1, "MaxAttempts": 300}


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with cloud() as address:
        yield address


@contextmanager
def daemon(url: str, folder: Path) -> Iterator[tuple[subprocess.Popen[bytes], Any, Any]]:
    """Run a local SageMaker; gives its process and its two clients."""
    port = free_port()
    script = Path(__file__).with_name("hosting_daemon.py")
    process = subprocess.Popen(
        [sys.executable, str(script), str(port), url, str(folder)],
        env={**os.environ, "STATE_DIR": str(folder / "emulator"), "TMPDIR": str(folder)},
        stdout=subprocess.DEVNULL,
    )
    try:
        until(lambda: listens(port) or process.poll() is not None)
        assert process.poll() is None, "the local SageMaker ended instead of listening"
        more = {
            "endpoint_url": f"http://127.0.0.1:{port}",
            "region_name": "us-east-1",
            "aws_access_key_id": "test",
            "aws_secret_access_key": "test",
            "config": Config(retries={"total_max_attempts": 1}),
        }
        yield process, boto3.client("sagemaker", **more), boto3.client("sagemaker-runtime", **more)
    finally:
        process.kill()
        process.wait()


def model_server_pids(folder: Path) -> list[int]:
    """Find the model servers of a state folder by what they were started with."""
    script = str(folder / "server.py").encode()
    pids = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            command = (entry / "cmdline").read_bytes()
        except OSError:
            continue
        if script in command.split(b"\0"):
            pids.append(int(entry.name))
    return pids


def make_endpoint(sagemaker: Any, name: str, *words: str) -> None:
    """Create a model and a configuration for each word, and an endpoint of the first."""
    for word in words:
        sagemaker.create_model(
            ModelName=word,
            ExecutionRoleArn="arn:aws:iam::000000000000:role/models",
            PrimaryContainer={"Image": "word:1", "ModelDataUrl": f"s3://artifacts/{word}/model.tar.gz"},
        )
        variant = {
            "VariantName": "All",
            "ModelName": word,
            "InstanceType": "ml.m5.large",
            "InitialInstanceCount": 1,
        }
        sagemaker.create_endpoint_config(EndpointConfigName=f"config-{word}", ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=f"config-{words[0]}")
    sagemaker.get_waiter("endpoint_in_service").wait(EndpointName=name, WaiterConfig=WAIT)


def test_boto3_creates_invokes_updates_and_deletes_an_endpoint(url: str, tmp_path: Path):
    put_model_data(make_context(url, tmp_path), "old", "new")
    with daemon(url, tmp_path) as (_, sagemaker, runtime):
        make_endpoint(sagemaker, "cars", "old", "new")
        answer = runtime.invoke_endpoint(
            EndpointName="cars", Body=b"1,2", ContentType="text/csv", CustomAttributes="trace=7"
        )
        assert answer["Body"].read() == b"old:1,2"
        assert answer["InvokedProductionVariant"] == "All"
        assert answer["CustomAttributes"] == "trace=7"
        assert answer["ContentType"] == "text/csv"

        sagemaker.update_endpoint(EndpointName="cars", EndpointConfigName="config-new")
        sagemaker.get_waiter("endpoint_in_service").wait(EndpointName="cars", WaiterConfig=WAIT)
        described = sagemaker.describe_endpoint(EndpointName="cars")
        assert described["EndpointConfigName"] == "config-new"
        assert described["ProductionVariants"][0]["CurrentWeight"] == 1.0
        pages = sagemaker.get_paginator("list_endpoints").paginate(StatusEquals="InService")
        assert [item["EndpointName"] for page in pages for item in page["Endpoints"]] == ["cars"]

        with pytest.raises(runtime.exceptions.ModelError) as failed:
            runtime.invoke_endpoint(EndpointName="cars", Body=b"fail 500")
        assert failed.value.response["OriginalStatusCode"] == 500
        assert failed.value.response["OriginalMessage"] == "as you wish"
        with pytest.raises(ClientError, match=r"ValidationError.*Endpoint vans of account \d+ not found"):
            runtime.invoke_endpoint(EndpointName="vans", Body=b"1")
        with pytest.raises(ClientError, match=r"ValidationException.*Could not find endpoint"):
            sagemaker.describe_endpoint(EndpointName="vans")

        sagemaker.delete_endpoint(EndpointName="cars")
        sagemaker.get_waiter("endpoint_deleted").wait(EndpointName="cars", WaiterConfig=WAIT)
        until(lambda: not model_server_pids(tmp_path))


def test_a_killed_cloud_leaves_no_server_and_its_endpoint_comes_back(url: str, tmp_path: Path):
    put_model_data(make_context(url, tmp_path), "word")
    with daemon(url, tmp_path) as (process, sagemaker, _):
        make_endpoint(sagemaker, "cars", "word")
        assert len(model_server_pids(tmp_path)) == 1
        os.kill(process.pid, signal.SIGKILL)
        until(lambda: not model_server_pids(tmp_path))
    with daemon(url, tmp_path) as (_, sagemaker, runtime):
        sagemaker.get_waiter("endpoint_in_service").wait(EndpointName="cars", WaiterConfig=WAIT)
        assert runtime.invoke_endpoint(EndpointName="cars", Body=b"1")["Body"].read() == b"word:1"
    until(lambda: not model_server_pids(tmp_path))
