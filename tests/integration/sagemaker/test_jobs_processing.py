"""Processing jobs: inputs, the container, outputs, and what they say at the end."""

from __future__ import annotations

import json

import pytest
from jobs_world import ROLE, World, descendants

from tidegate.local.sagemaker.errors import ResourceInUse, ValidationException

pytestmark = pytest.mark.integration
pytest_plugins = ["jobs_world"]

SCRIPT = """
import json, os, sys
folder = os.environ["TIDEGATE_ML_ROOT"]
config = json.load(open(folder + "/config/processingjobconfig.json"))
with open(sys.argv[2] + "/sub folder.json", "w") as file:
    json.dump({"name": config["ProcessingJobName"], "argv": sys.argv[1:], "env": os.environ["WHERE"],
               "in": open(folder + "/processing/input/data/x+1.csv").read()}, file)
open(folder + "/output/message", "w").write("Completed: " + "m" * 2000)
print("done\\tnow")
"""


def process(world: World, image: str, name: str, **more: object) -> None:
    world.call(
        "CreateProcessingJob",
        **{
            "ProcessingJobName": name,
            "RoleArn": ROLE,
            "AppSpecification": {"ImageUri": image},
            "ProcessingResources": {
                "ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 5}
            },
            **more,
        },
    )


def s3_input(name: str, uri: str, path: str, **more: object) -> dict[str, object]:
    source = {"S3Uri": uri, "LocalPath": path, "S3DataType": "S3Prefix", "S3InputMode": "File", **more}
    return {"InputName": name, "S3Input": source}


def s3_output(name: str, uri: str, path: str, mode: str = "EndOfJob") -> dict[str, object]:
    return {"OutputName": name, "S3Output": {"S3Uri": uri, "LocalPath": path, "S3UploadMode": mode}}


def test_a_script_reads_its_inputs_and_its_outputs_are_uploaded(world: World) -> None:
    image = world.image("process", "raise SystemExit('not this')")
    world.put("s3://jobs-in/code/run.py", SCRIPT)
    world.put("s3://jobs-in/data/x+1.csv", "1,2")
    process(
        world,
        image,
        "process",
        AppSpecification={
            "ImageUri": image,
            "ContainerEntrypoint": ["python3", "/opt/ml/processing/input/code/run.py"],
            "ContainerArguments": ["--out", "/opt/ml/processing/output"],
        },
        Environment={"WHERE": "/opt/ml/processing"},
        ProcessingInputs=[
            s3_input("code", "s3://jobs-in/code/run.py", "/opt/ml/processing/input/code"),
            s3_input("data", "s3://jobs-in/data", "/opt/ml/processing/input/data"),
        ],
        ProcessingOutputConfig={
            "Outputs": [
                s3_output("result", "s3://jobs-in/result", "/opt/ml/processing/output", "Continuous"),
                s3_output("none", "s3://jobs-in/none", "/opt/ml/processing/none"),
            ]
        },
    )
    record = world.end("processing-job", "process")
    assert record["ProcessingJobStatus"] == "Completed", record.get("FailureReason")
    result = json.loads(world.read("s3://jobs-in/result/sub folder.json"))
    assert result["name"] == "process"
    assert result["in"] == "1,2"
    assert result["argv"] == ["--out", result["env"] + "/output"]
    assert record["ExitMessage"].startswith("Completed: mm")
    assert len(record["ExitMessage"]) == 1024
    assert world.logs("/aws/sagemaker/ProcessingJobs", "process/algo-1-") == ["done#011now"]
    assert [detail["ProcessingJobStatus"] for _, detail, _ in world.events] == ["InProgress", "Completed"]
    assert record["CreationTime"] <= record["ProcessingStartTime"] <= record["ProcessingEndTime"]
    (summary,) = world.call("ListProcessingJobs", NameContains="process")["ProcessingJobSummaries"]
    assert summary["ExitMessage"] == record["ExitMessage"]
    with pytest.raises(ResourceInUse):
        process(world, image, "process")


def test_an_exit_code_other_than_zero_fails_the_job_and_uploads_nothing(world: World) -> None:
    image = world.shell("p-fails", "")
    process(
        world,
        image,
        "p-fails",
        AppSpecification={
            "ImageUri": image,
            "ContainerEntrypoint": ["sh", "-c", "echo x > /opt/ml/processing/out/x; exit 4"],
        },
        ProcessingOutputConfig={
            "Outputs": [s3_output("o", "s3://jobs-in/p-fails", "/opt/ml/processing/out")]
        },
    )
    record = world.end("processing-job", "p-fails")
    assert record["ProcessingJobStatus"] == "Failed"
    assert record["FailureReason"].startswith("AlgorithmError: The container ended")
    assert record["FailureReason"].endswith("exit code: 4")
    world.put("s3://jobs-in/other", "")
    assert world.keys("s3://jobs-in/p-fails") == []


def test_an_input_without_objects_fails_the_job(world: World) -> None:
    image = world.shell("p-no-input", "")
    world.put("s3://jobs-in/other", "")
    process(
        world,
        image,
        "p-no-input",
        ProcessingInputs=[s3_input("data", "s3://jobs-in/no/such", "/opt/ml/processing/input")],
    )
    record = world.end("processing-job", "p-no-input")
    assert record["FailureReason"].startswith("ClientError: Data download failed: input data: No object")


@pytest.mark.parametrize("limited", [True, False])
def test_a_stop_and_a_limit_both_end_the_container(world: World, limited: bool) -> None:
    image = world.shell("p-long", "")
    stopping = {"StoppingCondition": {"MaxRuntimeInSeconds": 1}} if limited else {}
    process(
        world,
        image,
        "p-long",
        AppSpecification={"ImageUri": image, "ContainerEntrypoint": ["sleep", "100"]},
        **stopping,
    )
    if not limited:
        world.until(descendants)
        world.call("StopProcessingJob", ProcessingJobName="p-long")
    record = world.end("processing-job", "p-long")
    assert record["ProcessingJobStatus"] == "Stopped"
    assert ("MaxRuntimeInSeconds" in record.get("FailureReason", "")) == limited
    assert not descendants()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            {"ProcessingInputs": [s3_input("a", "s3://b/c", "/opt/ml/processing/../../x")]},
            "LocalPath",
        ),
        ({"ProcessingInputs": [s3_input("a", "s3://b/c", "/data")]}, "/opt/ml/processing"),
        (
            {"ProcessingInputs": [s3_input("a", "s3://b/c", "/opt/ml/processing/a", S3InputMode="Pipe")]},
            "Pipe mode",
        ),
        (
            {"ProcessingInputs": [s3_input("a", "s3://b/c", "/opt/ml/processing/a")] * 2},
            "Two inputs or outputs",
        ),
        ({"ProcessingInputs": [{"InputName": "a", "DatasetDefinition": {}}]}, "Athena"),
    ],
)
def test_a_request_that_cannot_be_served_is_refused_with_a_sentence(
    world: World, change: dict[str, object], words: str
) -> None:
    with pytest.raises(ValidationException, match=words):
        process(world, "x", "refused", **change)
