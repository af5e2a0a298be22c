"""Training jobs from their request to their artifacts, with real processes, S3, logs and metrics."""

from __future__ import annotations

import io
import itertools
import json
import os
import subprocess
import sys
import tarfile
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from jobs_world import ROLE, World, channel, descendants, make_context, marked
from tests.waiting import PATIENCE_SECONDS, quick_enough, seconds_of, until

from tidegate.local.sagemaker import jobs
from tidegate.local.sagemaker.errors import ResourceInUse, ValidationException
from tidegate.local.sagemaker.jobs import running
from tidegate.local.sagemaker.store import Store

pytestmark = pytest.mark.integration
pytest_plugins = ["jobs_world"]


def members(archive: bytes) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        return {item.name: file.read() for item in tar if (file := tar.extractfile(item)) is not None}


TRAIN = """
import json, os, sys
from pathlib import Path
ml = Path(os.environ["TIDEGATE_ML_ROOT"])
config = ml / "input/config"
seen = {
    "argv": sys.argv[1:],
    "hyperparameters": json.loads((config / "hyperparameters.json").read_text()),
    "channels": json.loads((config / "inputdataconfig.json").read_text()),
    "files": sorted(str(p.relative_to(ml / "input/data")) for p in (ml / "input/data").rglob("*.*")),
    "environment": dict(os.environ),
}
for round, rmse in enumerate((3.5, 2.5)):
    print(f"[{round}]\\tvalidation-rmse:{rmse}")
print("to standard error", file=sys.stderr)
(ml / "model/model.json").write_text(json.dumps(seen))
(ml / "output/data/extra.txt").write_text("extra")
"""


def test_a_job_runs_to_its_artifacts_metrics_logs_and_events(world: World) -> None:
    image = world.image(
        "good", TRAIN, metric_definitions=(("validation:rmse", r".*#011validation-rmse:(\S+)"),)
    )
    world.put("s3://jobs-in/cars/train/a b+c.csv", "1,2\n")
    world.put("s3://jobs-in/cars/train/deep/ü.csv", "3,4\n")
    world.put(
        "s3://jobs-in/cars/manifest", json.dumps([{"prefix": "s3://jobs-in/cars/"}, "train/deep/ü.csv"])
    )
    record = world.trained(
        image,
        "good",
        HyperParameters={"num_round": "2"},
        Environment={"CODE": "/opt/ml/code", "MINE": "yes"},
        InputDataConfig=[
            channel("train", "s3://jobs-in/cars/train", ContentType="text/csv"),
            channel("validation", "s3://jobs-in/cars/manifest", data_type="ManifestFile"),
        ],
        ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 2, "VolumeSizeInGB": 5},
    )
    assert record["TrainingJobStatus"] == "Completed", record.get("FailureReason")
    assert record["SecondaryStatus"] == "Completed"
    story = record["SecondaryStatusTransitions"]
    assert [step["Status"] for step in story] == [
        "Starting",
        "Downloading",
        "Training",
        "Uploading",
        "Completed",
    ]
    assert all(step["StatusMessage"] and step["StartTime"] <= step["EndTime"] for step in story)
    assert record["CreationTime"] <= record["TrainingStartTime"] <= record["TrainingEndTime"]
    assert record["TrainingTimeInSeconds"] == record["BillableTimeInSeconds"] >= 0

    artifacts = record["ModelArtifacts"]["S3ModelArtifacts"]
    assert artifacts == "s3://jobs-out/models/good/output/model.tar.gz"
    seen = json.loads(members(world.read(artifacts))["model.json"])
    assert seen["argv"] == ["train"]
    assert seen["hyperparameters"] == {"num_round": "2"}
    assert seen["files"] == ["train/a b+c.csv", "train/deep/ü.csv", "validation/train/deep/ü.csv"]
    assert seen["channels"]["train"]["ContentType"] == "text/csv"
    environment = seen["environment"]
    assert environment["TRAINING_JOB_NAME"] == "good"
    assert environment["TRAINING_JOB_ARN"] == record["TrainingJobArn"]
    assert environment["MINE"] == "yes"
    assert environment["CODE"] == environment["TIDEGATE_ML_ROOT"] + "/code"
    assert environment["AWS_ENDPOINT_URL"] == world.ctx.endpoint_url
    assert members(world.read("s3://jobs-out/models/good/output/output.tar.gz")) == {"extra.txt": b"extra"}

    assert [(item["MetricName"], item["Value"]) for item in record["FinalMetricDataList"]] == [
        ("validation:rmse", 2.5)
    ]
    lines = world.logs("/aws/sagemaker/TrainingJobs", "good/algo-1-")
    assert lines[0].startswith("This job asks for 2 instances")
    assert lines[1:] == ["[0]#011validation-rmse:3.5", "[1]#011validation-rmse:2.5", "to standard error"]
    metric = world.ctx.client("cloudwatch").list_metrics(
        Namespace="/aws/sagemaker/TrainingJobs",
        Dimensions=[{"Name": "TrainingJobName", "Value": "good"}],
    )["Metrics"]
    assert [item["MetricName"] for item in metric] == ["validation:rmse"]

    assert {kind for kind, _, _ in world.events} == {"SageMaker Training Job State Change"}
    assert [detail["SecondaryStatus"] for _, detail, _ in world.events] == [step["Status"] for step in story]
    _, detail, resources = world.events[-1]
    assert resources == [record["TrainingJobArn"]]
    assert detail["TrainingEndTime"] == round(record["TrainingEndTime"].timestamp() * 1000)
    assert detail["Tags"] == {}
    assert not list((world.ctx.root / "containers").iterdir())


def test_a_failure_is_told_with_the_container_s_own_words(world: World) -> None:
    image = world.shell(
        "fails", "echo 'Extraneous hyperparameter found: x' > $TIDEGATE_ML_ROOT/output/failure; exit 7"
    )
    record = world.trained(image, "fails")
    assert record["TrainingJobStatus"] == record["SecondaryStatus"] == "Failed"
    assert record["FailureReason"] == "AlgorithmError: Extraneous hyperparameter found: x, exit code: 7"
    assert "ModelArtifacts" not in record
    assert world.keys("s3://jobs-out/models/fails/") == []


def test_a_prefix_without_objects_fails_the_job_and_names_it(world: World) -> None:
    image = world.shell("reads", "exit 0")
    world.put("s3://jobs-in/elsewhere", "")
    record = world.trained(image, "no-data", InputDataConfig=[channel("train", "s3://jobs-in/nothing/here")])
    assert record["TrainingJobStatus"] == "Failed"
    assert record["FailureReason"].startswith("ClientError: Data download failed: channel train: No object")
    assert "s3://jobs-in/nothing/here" in record["FailureReason"]


def test_a_key_cannot_lead_out_of_the_container(world: World) -> None:
    image = world.shell("escapes", "exit 0")
    world.put("s3://jobs-in/escape/x/../../../../../../out", "bad")
    record = world.trained(image, "escape", InputDataConfig=[channel("train", "s3://jobs-in/escape/")])
    assert record["TrainingJobStatus"] == "Failed"
    assert "leads out of the container" in record["FailureReason"]


def test_an_image_that_nobody_registered_fails_the_job_with_the_way_to_register_it(world: World) -> None:
    record = world.trained("123456789012.dkr.ecr.us-east-1.amazonaws.com/mine:1", "unknown-image")
    assert record["TrainingJobStatus"] == "Failed"
    assert record["FailureReason"].startswith("ClientError: No program is registered")
    assert "TIDEGATE_IMAGES" in record["FailureReason"]


def test_an_output_bucket_that_does_not_exist_fails_the_job(world: World) -> None:
    image = world.shell("writes", "exit 0")
    world.train(image, "no-bucket", OutputDataConfig={"S3OutputPath": "s3://jobs-no-such-bucket/x"})
    record = world.end("training-job", "no-bucket")
    assert record["TrainingJobStatus"] == "Failed"
    assert "NoSuchBucket" in record["FailureReason"]


def test_a_stopped_job_really_stops_and_keeps_what_it_saved(world: World) -> None:
    image = world.shell(
        "saves",
        "trap 'echo saved > $TIDEGATE_ML_ROOT/model/m; exit 0' TERM; echo $$ > $TIDEGATE_ML_ROOT/pid;"
        " while :; do sleep 0.01; done",
    )
    world.train(image, "stopped")
    world.until(lambda: list(world.ctx.root.glob("containers/*/opt/ml/pid")))
    world.call("StopTrainingJob", TrainingJobName="stopped")
    world.call("StopTrainingJob", TrainingJobName="stopped")
    record = world.end("training-job", "stopped")
    assert record["TrainingJobStatus"] == record["SecondaryStatus"] == "Stopped"
    assert [step["Status"] for step in record["SecondaryStatusTransitions"]][-2:] == ["Stopping", "Stopped"]
    assert members(world.read(record["ModelArtifacts"]["S3ModelArtifacts"])) == {"m": b"saved\n"}
    world.until(lambda: not descendants())
    with pytest.raises(ValidationException, match="status Stopped"):
        world.call("StopTrainingJob", TrainingJobName="stopped")


def test_a_job_that_ignores_its_stop_is_killed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "STOP_GRACE_SECONDS", 0.2)
    image = world.shell("stubborn", "trap '' TERM; touch $TIDEGATE_ML_ROOT/up; while :; do sleep 0.01; done")
    world.train(image, "stubborn")
    world.until(lambda: list(world.ctx.root.glob("containers/*/opt/ml/up")))
    world.call("StopTrainingJob", TrainingJobName="stubborn")
    record = world.end("training-job", "stubborn")
    assert record["TrainingJobStatus"] == "Stopped"
    assert "ModelArtifacts" not in record
    world.until(lambda: not descendants())


def test_a_job_beyond_its_runtime_is_stopped_and_says_so(world: World) -> None:
    image = world.shell("endless", "sleep 100")
    record = world.trained(image, "endless", StoppingCondition={"MaxRuntimeInSeconds": 1})
    assert (record["TrainingJobStatus"], record["SecondaryStatus"]) == ("Stopped", "MaxRuntimeExceeded")
    assert record["TrainingTimeInSeconds"] >= 1


def test_a_name_is_taken_for_good(world: World) -> None:
    image = world.shell("once", "exit 0")
    world.trained(image, "once")
    with pytest.raises(ResourceInUse, match="once exists already"):
        world.train(image, "once")


def test_no_more_jobs_run_at_once_than_allowed_and_all_get_their_turn(world: World) -> None:
    gate = world.ctx.root / "gate"
    image = world.shell("queue", f"touch $TIDEGATE_ML_ROOT/up; while [ ! -e {gate} ]; do sleep 0.01; done")
    for number in range(4):
        world.train(image, f"queue-{number}")
    up = lambda: len(list(world.ctx.root.glob("containers/*/opt/ml/up")))  # noqa: E731
    world.until(lambda: up() == 2)
    waiting = world.call("DescribeTrainingJob", TrainingJobName="queue-3")
    assert waiting["SecondaryStatus"] == "Starting"
    assert "Waiting for a free place" in waiting["SecondaryStatusTransitions"][-1]["StatusMessage"]
    time.sleep(0.1)
    assert up() == 2
    gate.touch()
    for number in range(4):
        assert world.end("training-job", f"queue-{number}")["TrainingJobStatus"] == "Completed"


def test_an_entry_point_of_the_job_s_own_runs_with_mapped_arguments(world: World) -> None:
    image = world.image("own", "raise SystemExit('the image itself must not run')")
    world.put("s3://jobs-in/code/run.py", "import sys; open(sys.argv[2] + '/said', 'w').write(sys.argv[1])")
    record = world.trained(
        image,
        "own-entry",
        AlgorithmSpecification={
            "TrainingImage": image,
            "TrainingInputMode": "FastFile",
            "ContainerEntrypoint": ["python3", "/opt/ml/input/data/code/run.py"],
            "ContainerArguments": ["hello", "/opt/ml/model"],
        },
        InputDataConfig=[channel("code", "s3://jobs-in/code/")],
    )
    assert record["TrainingJobStatus"] == "Completed", record["FailureReason"]
    assert members(world.read(record["ModelArtifacts"]["S3ModelArtifacts"])) == {"said": b"hello"}


def test_checkpoints_come_from_s3_and_go_back(world: World) -> None:
    image = world.shell("resumes", 'cd $TIDEGATE_ML_ROOT/checkpoints; cp 1 2; rm 1; echo "round 3" > 3')
    world.put("s3://jobs-in/checkpoints/1", "round 1")
    record = world.trained(image, "resumes", CheckpointConfig={"S3Uri": "s3://jobs-in/checkpoints"})
    assert record["TrainingJobStatus"] == "Completed", record.get("FailureReason")
    assert {key: world.read(f"s3://jobs-in/{key}") for key in world.keys("s3://jobs-in/checkpoints/")} == {
        "checkpoints/1": b"round 1",
        "checkpoints/2": b"round 1",
        "checkpoints/3": b"round 3\n",
    }


def test_uncompressed_output_is_written_file_by_file(world: World) -> None:
    image = world.shell("flat", "mkdir $TIDEGATE_ML_ROOT/model/a; echo 1 > $TIDEGATE_ML_ROOT/model/a/b")
    record = world.trained(
        image, "flat", OutputDataConfig={"S3OutputPath": "s3://jobs-out/x/", "CompressionType": "NONE"}
    )
    assert record["ModelArtifacts"]["S3ModelArtifacts"] == "s3://jobs-out/x/flat/output/model/"
    assert world.keys("s3://jobs-out/x/flat/") == ["x/flat/output/model/a/b"]


def spot(repository: str, wait: int) -> dict[str, Any]:
    return {
        "AlgorithmSpecification": {
            "TrainingImage": f"1.dkr.ecr.us-east-1.amazonaws.com/{repository}:1",
            "TrainingInputMode": "File",
        },
        "EnableManagedSpotTraining": True,
        "StoppingCondition": {"MaxRuntimeInSeconds": 60, "MaxWaitTimeInSeconds": wait},
    }


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"InputDataConfig": [channel("a", "s3://b/c", InputMode="Pipe")]}, "Pipe mode"),
        ({"InputDataConfig": [channel("a", "s3://b/c"), channel("a", "s3://b/d")]}, "Two channels"),
        ({"InputDataConfig": [channel("a", "s3://b/c", CompressionType="Gzip")]}, "CompressionType"),
        ({"InputDataConfig": [channel("a", "s3://b/c", data_type="AugmentedManifestFile")]}, "S3Prefix or"),
        ({"CheckpointConfig": {"S3Uri": "s3://b/c", "LocalPath": "/opt/ml/input/../.."}}, "LocalPath"),
        (
            {"StoppingCondition": {"MaxRuntimeInSeconds": 60, "MaxWaitTimeInSeconds": 70}},
            "managed spot training",
        ),
        (
            {
                "EnableManagedSpotTraining": True,
                "StoppingCondition": {"MaxRuntimeInSeconds": 60, "MaxWaitTimeInSeconds": 50},
            },
            "less than MaxRuntime",
        ),
        (spot("linear-learner", 3601), "keeps no checkpoints"),
        (spot("linear-learner", 3601) | {"CheckpointConfig": {"S3Uri": "s3://b/c"}}, "keeps no checkpoints"),
        (spot("sagemaker-xgboost", 3601), "is given no CheckpointConfig"),
        (
            {
                "AlgorithmSpecification": {
                    "TrainingImage": "x",
                    "TrainingInputMode": "File",
                    "MetricDefinitions": [{"Name": "m", "Regex": "("}],
                }
            },
            "not a regular expression",
        ),
        (
            {"AlgorithmSpecification": {"AlgorithmName": "x", "TrainingInputMode": "File"}},
            "TrainingImage is missing",
        ),
    ],
)
def test_a_request_that_cannot_be_served_is_refused_with_a_sentence(
    world: World, change: dict[str, object], words: str
) -> None:
    with pytest.raises(ValidationException, match=words):
        world.train("x", "refused", **change)
    assert world.ctx.store.get("training-job", "refused") is None


def test_jobs_are_listed_by_pages_and_by_status(world: World) -> None:
    good, bad = world.shell("yes", "exit 0"), world.shell("no", "exit 1")
    for name, image in (("cars-1", good), ("cars-2", bad), ("bikes-1", good)):
        world.trained(image, name)
    first = world.call("ListTrainingJobs", MaxResults=2, SortBy="Name", SortOrder="Ascending")
    second = world.call(
        "ListTrainingJobs",
        MaxResults=2,
        SortBy="Name",
        SortOrder="Ascending",
        NextToken=first["NextToken"],
    )
    names = [item["TrainingJobName"] for page in (first, second) for item in page["TrainingJobSummaries"]]
    assert names == ["bikes-1", "cars-1", "cars-2"]
    failed = world.call("ListTrainingJobs", StatusEquals="Failed", NameContains="cars")
    (summary,) = failed["TrainingJobSummaries"]
    assert summary["TrainingJobName"] == "cars-2"
    assert summary["TrainingJobStatus"] == summary["SecondaryStatus"] == "Failed"


def test_waiting_ends_when_its_caller_gives_up_and_the_job_goes_on(world: World) -> None:
    image = world.shell("slow", "sleep 600")
    world.train(image, "slow")
    gave_up = threading.Event()
    threading.Timer(0.1, gave_up.set).start()
    record = jobs.wait(world.ctx, "training-job", "slow", gave_up.is_set)
    assert record["TrainingJobStatus"] == "InProgress"


def test_shutting_down_fails_running_and_waiting_jobs_with_the_reason(world: World) -> None:
    image = world.shell("long", "trap '' TERM; while :; do sleep 0.01; done")
    for number in range(3):
        world.train(image, f"long-{number}")
    world.until(lambda: len(descendants()) >= 2)
    jobs.shutdown(world.ctx)
    jobs.shutdown(world.ctx)
    assert not descendants()
    for number in range(3):
        record = jobs.wait(world.ctx, "training-job", f"long-{number}")
        assert record["TrainingJobStatus"] == "Failed"
        assert "the local cloud stopped while the job was running" in record["FailureReason"]


CLOUD = """
import sys, time
from pathlib import Path
sys.path[:0] = [{here!r}, {top!r}]
from jobs_world import World, make_context
from tidegate.local.sagemaker import jobs
root = Path({root!r})
world = World(make_context({url!r}, root), root)
jobs.recover(world.ctx)
world.train(world.shell("long", "sleep 100"), "orphan")
world.until(lambda: list(root.glob("containers/*/opt/ml/model")))
print("running", flush=True)
time.sleep(100)
"""


def test_a_killed_local_cloud_leaves_no_process_and_its_job_is_failed_at_the_next_start(
    jobs_cloud: str, tmp_path: Path
) -> None:
    code = CLOUD.format(
        here=str(Path(__file__).parent),
        top=str(Path(__file__).parents[3]),
        root=str(tmp_path),
        url=jobs_cloud,
    )
    cloud = subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        env={**os.environ, "TIDEGATE_CLOUD": str(tmp_path), "TMPDIR": str(tmp_path)},
    )
    assert cloud.stdout is not None
    with cloud.stdout:
        assert cloud.stdout.readline() == b"running\n"
        cloud.kill()
        cloud.wait(PATIENCE_SECONDS)

    until(lambda: not marked(f"TIDEGATE_CLOUD={tmp_path}"), "the end of all processes")

    ctx = make_context(jobs_cloud, tmp_path)
    ctx.store.close()
    ctx.store = Store(tmp_path / "sagemaker.db")
    jobs.recover(ctx)
    record = jobs.wait(ctx, "training-job", "orphan")
    assert record["TrainingJobStatus"] == "Failed"
    assert "the local cloud stopped while the job was running" in record["FailureReason"]
    assert not list((tmp_path / "containers").iterdir())
    jobs.shutdown(ctx)


def test_orchestration_costs_less_than_a_quarter_second_a_job(world: World) -> None:
    image = world.shell("noop", "exit 0")
    world.put("s3://jobs-in/noop/train.csv", "1,2\n")
    data = [channel("train", "s3://jobs-in/noop/")]
    world.trained(image, "noop-warm", InputDataConfig=data)
    numbers = itertools.count()
    noop = lambda: world.trained(image, f"noop-{next(numbers)}", InputDataConfig=data)  # noqa: E731
    quick_enough(lambda: seconds_of(noop), 0.25)


def test_the_role_and_the_request_are_kept_as_given(world: World) -> None:
    image = world.shell("kept", "exit 0")
    record = world.trained(image, "kept", Tags=[{"Key": "team", "Value": "cars"}])
    assert record["RoleArn"] == ROLE
    assert world.events[0][1]["Tags"] == {"team": "cars"}
    with pytest.raises(ClientError):
        world.read("s3://jobs-out/models/kept/output/output.tar.gz")
