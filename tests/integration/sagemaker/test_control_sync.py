"""Step Functions' `.sync` on the real jobs room: what a state gets when a job ends, fails or is aborted."""

from __future__ import annotations

import io
import json
import sys
import tarfile
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from control_process import Cloud
from tests.waiting import until

from tidegate.local.sagemaker import service
from tidegate.local.sagemaker.context import Context
from tidegate.local.sagemaker.images.registry import Image
from tidegate.local.sagemaker.integrations import HANDLERS, IntegrationError
from tidegate.local.sagemaker.store import Store

pytestmark = pytest.mark.integration

ACTION = "arn:aws:states:::sagemaker:createTrainingJob"
CONTAINER = """
import json, os, pathlib, sys, time
root = pathlib.Path(os.environ["TIDEGATE_ML_ROOT"])
what = json.loads((root / "input/config/hyperparameters.json").read_text())["what"]
if what == "wait":
    time.sleep(60)
if what == "fail":
    (root / "output/failure").write_text("the data made no sense")
    sys.exit(1)
print("score=0.5", flush=True)
(root / "model/model.txt").write_text("a model")
"""


@pytest.fixture(scope="module")
def ctx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Context]:
    folder = tmp_path_factory.mktemp("sync")
    cloud = Cloud(folder / "cloud")
    context = Context(
        region="us-east-1",
        account="000000000000",
        endpoint_url=f"http://127.0.0.1:{cloud.port}",
        root=folder,
        store=Store(folder / "sagemaker.db"),
        images=lambda uri: Image(uri, train=(sys.executable, "-c", CONTAINER)),
        emit=lambda *event: None,
    )
    try:
        s3 = context.client("s3")
        s3.create_bucket(Bucket="artifacts")
        s3.put_object(Bucket="artifacts", Key="train/part-0.csv", Body=b"1,2\n")
        yield context
    finally:
        service.stop(context)
        cloud.kill()


def job(name: str, what: str) -> dict[str, Any]:
    data = {"S3DataType": "S3Prefix", "S3Uri": "s3://artifacts/train/"}
    return {
        "TrainingJobName": name,
        "AlgorithmSpecification": {
            "TrainingImage": "prices:1",
            "TrainingInputMode": "File",
            "MetricDefinitions": [{"Name": "score", "Regex": r"score=(\S+)"}],
        },
        "HyperParameters": {"what": what},
        "InputDataConfig": [{"ChannelName": "train", "DataSource": {"S3DataSource": data}}],
        "OutputDataConfig": {"S3OutputPath": "s3://artifacts/out"},
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
        "RoleArn": "arn:aws:iam::000000000000:role/models",
        "StoppingCondition": {"MaxRuntimeInSeconds": 120},
    }


def run(ctx: Context, arguments: dict[str, Any], aborted: Any = lambda: False) -> dict[str, Any]:
    return HANDLERS[ACTION](ctx, f"{ACTION}.sync", arguments, aborted)


def test_a_state_gets_the_finished_jobs_description_and_its_model_is_there(ctx: Context) -> None:
    answer = run(ctx, job("done", "train"))
    assert (answer["TrainingJobStatus"], answer["SecondaryStatus"]) == ("Completed", "Completed")
    assert answer["Tags"]["MANAGED_BY_AWS"] == "STARTED_BY_STEP_FUNCTIONS"
    assert [(metric["MetricName"], metric["Value"]) for metric in answer["FinalMetricDataList"]] == [
        ("score", 0.5)
    ]
    assert answer["TrainingStartTime"] <= answer["TrainingEndTime"]
    assert isinstance(answer["TrainingEndTime"], int)
    bucket, _, key = answer["ModelArtifacts"]["S3ModelArtifacts"].removeprefix("s3://").partition("/")
    archive = ctx.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    with tarfile.open(fileobj=io.BytesIO(archive)) as model:
        assert model.getnames() == ["model.txt"]


def test_a_failed_job_fails_its_state_with_the_reason(ctx: Context) -> None:
    with pytest.raises(IntegrationError) as caught:
        run(ctx, job("failed", "fail"))
    assert caught.value.error == "States.TaskFailed"
    assert "the data made no sense" in json.loads(caught.value.cause)["FailureReason"]


def test_an_aborted_state_stops_its_job_soon(ctx: Context) -> None:
    aborted = threading.Event()
    threading.Timer(0.5, aborted.set).start()
    with pytest.raises(IntegrationError, match="the job stops too"):
        run(ctx, job("aborted", "wait"), aborted.is_set)
    name = {"TrainingJobName": "aborted"}
    until(lambda: service.call(ctx, "DescribeTrainingJob", name)["TrainingJobStatus"] == "Stopped")
