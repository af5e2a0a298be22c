"""Endpoints with real model servers in processes of their own, against a MiniStack of their own."""

from __future__ import annotations

import json
import os
import signal
import statistics
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hosting_cloud import ask, cloud, make_config, make_context, make_model, settled, start_endpoint
from tests.waiting import quick_enough, until

from tidegate.local.sagemaker import hosting
from tidegate.local.sagemaker.containers import server as containers_server
from tidegate.local.sagemaker.context import Context
from tidegate.local.sagemaker.errors import ModelError
from tidegate.local.sagemaker.hosting import build, invoke
from tidegate.local.sagemaker.hosting.live import hosting_of

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with cloud() as address:
        yield address


@pytest.fixture
def ctx(url: str, tmp_path: Path) -> Iterator[Context]:
    ctx = make_context(url, tmp_path)
    yield ctx
    pids = _pids(ctx)
    hosting.shutdown(ctx)
    assert not [pid for pid in pids if _runs(pid)], "a model server outlived the shutdown"
    assert not any((tmp_path / "containers").glob("*")), "a container's folder was left behind"


def _pids(ctx: Context, name: str = "cars") -> list[int]:
    live = hosting_of(ctx).endpoint(name)
    if live is None or live.current is None:
        return []
    servers = live.current.variants[0].replica._servers
    return servers.pids if servers is not None else []


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_pipeline_passes_a_request_from_container_to_container(ctx: Context):
    make_model(ctx, "pair", "first", "second")
    make_config(ctx, "config", "pair")
    assert start_endpoint(ctx, "cars", "config")["EndpointStatus"] == "InService"
    status, headers, body = hosting.invoke_endpoint(
        ctx,
        "cars",
        b"1,2",
        {
            "content-type": "text/csv",
            "accept": "application/json",
            "x-amzn-sagemaker-custom-attributes": "trace=7",
        },
    )
    assert (status, body) == (200, b"second:first:1,2")
    assert headers["content-type"] == "application/json"
    assert headers["x-amzn-invoked-production-variant"] == "All"
    assert headers["x-amzn-sagemaker-custom-attributes"] == "trace=7"
    with pytest.raises(ModelError, match=r"Received client error \(415\) from container-1") as raised:
        ask(ctx, "cars", b"fail 415")
    assert raised.value.members["OriginalMessage"] == "as you wish"


def test_a_model_that_crashes_fails_its_endpoint_and_leaves_its_words_in_the_log(ctx: Context):
    make_model(ctx, "broken", "crash")
    make_config(ctx, "config", "broken")
    done = start_endpoint(ctx, "broken", "config")
    assert done["EndpointStatus"] == "Failed"
    assert "exit code 3" in done["FailureReason"]
    logs = ctx.client("logs")
    group = "/aws/sagemaker/Endpoints/broken"
    streams = until(lambda: logs.describe_log_streams(logGroupName=group)["logStreams"])
    assert streams[0]["logStreamName"].startswith("All/i-")
    events = logs.get_log_events(logGroupName=group, logStreamName=streams[0]["logStreamName"])["events"]
    assert [event["message"] for event in events] == ["cannot load the model"]


def test_no_request_fails_while_an_update_moves_the_traffic(ctx: Context):
    for word in ("old", "new"):
        make_model(ctx, word, word)
        make_config(ctx, f"config-{word}", word)
    start_endpoint(ctx, "cars", "config-old")
    (before,) = _pids(ctx)
    answers: list[bytes] = []
    failures: list[Exception] = []
    stop = threading.Event()

    def keep_asking() -> None:
        while not stop.is_set():
            try:
                answers.append(ask(ctx, "cars", b"1"))
            except Exception as error:
                failures.append(error)

    slow = threading.Thread(target=lambda: answers.append(ask(ctx, "cars", b"sleep 1.0")))
    slow.start()
    askers = [threading.Thread(target=keep_asking) for _ in range(4)]
    for asker in askers:
        asker.start()
    until(lambda: answers)
    hosting.OPERATIONS["UpdateEndpoint"](ctx, {"EndpointName": "cars", "EndpointConfigName": "config-new"})
    settled(ctx, "cars")
    until(lambda: answers[-1] == b"new:1")
    stop.set()
    for asker in [*askers, slow]:
        asker.join()
    assert failures == []
    assert set(answers) == {b"old:1", b"new:1", b"old:sleep 1.0"}
    until(lambda: not _runs(before))


def test_a_failed_update_leaves_the_old_server_untouched(ctx: Context):
    make_model(ctx, "good", "good")
    make_model(ctx, "broken", "crash")
    make_config(ctx, "config-good", "good")
    make_config(ctx, "config-broken", "broken")
    start_endpoint(ctx, "cars", "config-good")
    before = _pids(ctx)
    hosting.OPERATIONS["UpdateEndpoint"](ctx, {"EndpointName": "cars", "EndpointConfigName": "config-broken"})
    done = settled(ctx, "cars")
    assert done["EndpointStatus"] == "InService"
    assert done["EndpointConfigName"] == "config-good"
    assert "exit code 3" in done["FailureReason"]
    assert _pids(ctx) == before
    assert ask(ctx, "cars", b"1") == b"good:1"


def test_a_server_that_is_killed_comes_back(ctx: Context):
    make_model(ctx, "m", "word")
    make_config(ctx, "config", "m")
    start_endpoint(ctx, "cars", "config")
    (first,) = _pids(ctx)
    with pytest.raises(ModelError) as raised:
        ask(ctx, "cars", b"die")
    assert raised.value.members["OriginalStatusCode"] == 503
    until(lambda: _pids(ctx) not in ([], [first]))
    assert ask(ctx, "cars", b"1") == b"word:1"
    (second,) = _pids(ctx)
    os.kill(second, signal.SIGKILL)
    until(lambda: _pids(ctx) not in ([], [second]))
    assert ask(ctx, "cars", b"1") == b"word:1"


def test_a_server_that_hangs_is_replaced(ctx: Context, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(build, "PING_EVERY_SECONDS", 0.05)
    monkeypatch.setattr(containers_server, "_PING_SECONDS", 0.2)
    make_model(ctx, "m", "word")
    make_config(ctx, "config", "m")
    start_endpoint(ctx, "cars", "config")
    (first,) = _pids(ctx)
    os.kill(first, signal.SIGSTOP)
    until(lambda: _pids(ctx) not in ([], [first]))
    assert ask(ctx, "cars", b"1") == b"word:1"
    assert not _runs(first)


def test_an_answer_that_takes_too_long_is_a_model_error(ctx: Context, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(invoke, "TIMEOUT_SECONDS", 0.3)
    make_model(ctx, "m", "word")
    make_config(ctx, "config", "m")
    start_endpoint(ctx, "cars", "config")
    with pytest.raises(
        ModelError, match="timed out while waiting for a response from container primary"
    ) as e:
        ask(ctx, "cars", b"sleep 2")
    assert e.value.members["OriginalStatusCode"] == 0
    assert ask(ctx, "cars", b"1") == b"word:1"


def test_captures_and_metrics_arrive_while_the_endpoint_serves(ctx: Context):
    make_model(ctx, "m", "word")
    capture = {
        "EnableCapture": True,
        "InitialSamplingPercentage": 100,
        "DestinationS3Uri": "s3://artifacts/captured",
        "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
        "CaptureContentTypeHeader": {"CsvContentTypes": ["text/csv"]},
    }
    make_config(ctx, "config", "m", DataCaptureConfig=capture)
    start_endpoint(ctx, "vans", "config")
    for number in range(20):
        ask(ctx, "vans", f"{number}".encode(), **{"x-amzn-sagemaker-inference-id": f"id-{number}"})
    s3 = ctx.client("s3")

    def lines() -> list[dict]:
        found = s3.list_objects_v2(Bucket="artifacts", Prefix="captured/vans/All/").get("Contents", [])
        bodies = [s3.get_object(Bucket="artifacts", Key=item["Key"])["Body"].read() for item in found]
        return [json.loads(line) for body in bodies for line in body.splitlines()]

    until(lambda: len(lines()) == 20)
    assert {line["eventMetadata"]["inferenceId"] for line in lines()} == {f"id-{n}" for n in range(20)}
    assert {line["captureData"]["endpointOutput"]["encoding"] for line in lines()} == {"CSV"}
    hosting_of(ctx).metrics.flush()
    metrics = ctx.client("cloudwatch").list_metrics(Namespace="AWS/SageMaker")["Metrics"]
    dimensions = [
        {"Name": "EndpointName", "Value": "vans"},
        {"Name": "VariantName", "Value": "All"},
    ]
    names = {metric["MetricName"] for metric in metrics if metric["Dimensions"] == dimensions}
    assert names >= {"Invocations", "ModelLatency", "OverheadLatency", "Invocation4XXErrors"}


def test_an_endpoint_serves_again_after_a_restart(url: str, tmp_path: Path):
    first = make_context(url, tmp_path)
    make_model(first, "m", "word")
    make_config(first, "config", "m")
    start_endpoint(first, "cars", "config")
    hosting.shutdown(first)
    second = make_context(url, tmp_path)
    hosting.recover(second)
    assert settled(second, "cars")["EndpointStatus"] == "InService"
    assert ask(second, "cars", b"1") == b"word:1"
    hosting.shutdown(second)


def test_invoking_costs_little_more_than_asking_the_server(ctx: Context):
    make_model(ctx, "m", "word")
    make_config(ctx, "config", "m")
    start_endpoint(ctx, "cars", "config")
    live = hosting_of(ctx).endpoint("cars")
    assert live is not None
    assert live.current is not None
    replica = live.current.variants[0].replica

    def median_ms(work) -> float:
        times = []
        for _ in range(400):
            begun = time.perf_counter()
            work()
            times.append(time.perf_counter() - begun)
        return statistics.median(times) * 1000

    def more_ms() -> float:
        direct = median_ms(lambda: replica.answer(b"1", "text/csv", "", {}, 60.0))
        return median_ms(lambda: ask(ctx, "cars", b"1")) - direct

    quick_enough(more_ms, 1.5)
