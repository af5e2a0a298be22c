"""With IAM in force, jobs, models and endpoints act in their own role, and are refused what it lacks."""

from __future__ import annotations

import io
import json
import os
import sys
import tarfile
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.free_ports import free_port
from tests.waiting import PATIENCE_SECONDS

from tidegate.local.cloud import Cloud, down, up

pytestmark = pytest.mark.integration

ACCOUNT = "000000000000"
IMAGE = f"{ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com/whoami:1"
BUCKET = "arn:aws:s3:::works"
READ = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": f"{BUCKET}/*"}
WRITE = {"Effect": "Allow", "Action": "s3:PutObject", "Resource": f"{BUCKET}/*"}
LIST = {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": BUCKET}
LOGS = {
    "Effect": "Allow",
    "Action": ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"],
    "Resource": "arn:aws:logs:us-east-1:000000000000:log-group:/aws/sagemaker/*",
}
METRICS = {
    "Effect": "Allow",
    "Action": "cloudwatch:PutMetricData",
    "Resource": "*",
    "Condition": {"StringLike": {"cloudwatch:namespace": "/aws/sagemaker/*"}},
}
ALL = (READ, WRITE, LIST, LOGS, METRICS)

# It tells whose credentials its own boto3 finds.
CONTAINER = """
import http.server, json, os, sys
from pathlib import Path
import boto3

me = boto3.client("sts").get_caller_identity()["Arn"]
root = Path(os.environ["TIDEGATE_ML_ROOT"])
if sys.argv[1] == "train":
    (root / "model" / "me").write_text(me)
    print("score=0.5")
    raise SystemExit


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.answer(b"")

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.answer(me.encode())

    def answer(self, body):
        self.send_response(200)
        self.send_header("Content-Type", "text/csv")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["SAGEMAKER_BIND_TO_PORT"])), Handler).serve_forever()
"""


class Place:
    """A local cloud that enforces IAM, with a bucket and an image that says who it is."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self.sagemaker, self.s3, self.iam = (cloud.client(name) for name in ("sagemaker", "s3", "iam"))
        self.s3.create_bucket(Bucket="works")
        self.s3.put_object(Bucket="works", Key="in/data.csv", Body=b"1,2\n")
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w:gz"):
            pass
        self.s3.put_object(Bucket="works", Key="model.tar.gz", Body=packed.getvalue())

    def role(self, name: str, *statements: dict[str, Any], trust: dict[str, Any] | None = None) -> str:
        """Make a role that SageMaker may act in, with these statements; gives its ARN."""
        trusted = trust or {
            "Effect": "Allow",
            "Principal": {"Service": "sagemaker.amazonaws.com"},
            "Action": "sts:AssumeRole",
            "Condition": {"StringEquals": {"aws:SourceAccount": ACCOUNT}},
        }
        made = self.iam.create_role(
            RoleName=name, AssumeRolePolicyDocument=json.dumps({"Statement": [trusted]})
        )
        self.iam.put_role_policy(
            RoleName=name, PolicyName="p", PolicyDocument=json.dumps({"Statement": list(statements)})
        )
        return str(made["Role"]["Arn"])

    def train(self, name: str, role: str) -> dict[str, Any]:
        """Run a training job and wait for its end."""
        self.create_training_job(name, role)
        return self.until(
            lambda: self.sagemaker.describe_training_job(TrainingJobName=name),
            lambda job: job["TrainingJobStatus"] not in ("InProgress", "Stopping"),
        )

    def create_training_job(self, name: str, role: str) -> None:
        source = {
            "S3DataType": "S3Prefix",
            "S3Uri": "s3://works/in/",
            "S3DataDistributionType": "FullyReplicated",
        }
        self.sagemaker.create_training_job(
            TrainingJobName=name,
            RoleArn=role,
            AlgorithmSpecification={
                "TrainingImage": IMAGE,
                "TrainingInputMode": "File",
                "MetricDefinitions": [{"Name": "score", "Regex": "score=(.*)"}],
            },
            InputDataConfig=[{"ChannelName": "train", "DataSource": {"S3DataSource": source}}],
            OutputDataConfig={"S3OutputPath": "s3://works/out"},
            ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 5},
            StoppingCondition={"MaxRuntimeInSeconds": 60},
        )

    def create_model(self, name: str, role: str) -> None:
        self.sagemaker.create_model(
            ModelName=name,
            ExecutionRoleArn=role,
            PrimaryContainer={"Image": IMAGE, "ModelDataUrl": "s3://works/model.tar.gz"},
        )

    def serve(self, name: str, role: str) -> dict[str, Any]:
        """Make an endpoint with data capture and wait for what becomes of it."""
        self.create_model(name, role)
        self.sagemaker.create_endpoint_config(
            EndpointConfigName=name,
            ProductionVariants=[
                {
                    "VariantName": "all",
                    "ModelName": name,
                    "InstanceType": "ml.m5.large",
                    "InitialInstanceCount": 1,
                }
            ],
            DataCaptureConfig={
                "EnableCapture": True,
                "InitialSamplingPercentage": 100,
                "DestinationS3Uri": f"s3://works/captured/{name}",
                "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
            },
        )
        self.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
        return self.until(
            lambda: self.sagemaker.describe_endpoint(EndpointName=name),
            lambda endpoint: endpoint["EndpointStatus"] in ("InService", "Failed"),
        )

    def invoke(self, name: str) -> str:
        runtime = self.cloud.client("sagemaker-runtime")
        answer = runtime.invoke_endpoint(EndpointName=name, Body=b"1", ContentType="text/csv")
        return str(answer["Body"].read().decode())

    def keys(self, prefix: str) -> list[str]:
        listing = self.s3.list_objects_v2(Bucket="works", Prefix=prefix)
        return [item["Key"] for item in listing.get("Contents", [])]

    @staticmethod
    def until(
        look: Callable[[], Any], there: Callable[[Any], Any] = bool, seconds: float = PATIENCE_SECONDS
    ) -> Any:
        end = time.monotonic() + seconds
        while not there(found := look()):
            assert time.monotonic() < end, f"it never came to that: {found}"
            time.sleep(0.05)
        return found


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    port = free_port()
    home = tmp_path_factory.mktemp("images")
    (home / "whoami.py").write_text(CONTAINER)
    command = [sys.executable, "whoami.py"]
    images = {"whoami": {"train": [*command, "train"], "serve": [*command, "serve"], "process": ["sh"]}}
    (home / "images.json").write_text(json.dumps(images))
    folder = tmp_path_factory.mktemp("guarded")
    with pytest.MonkeyPatch.context() as patch:
        # Somebody's own profile must not be what a container finds.
        (home / ".aws").mkdir()
        (home / ".aws" / "credentials").write_text(
            "[default]\naws_access_key_id = mine\naws_secret_access_key = mine\n"
        )
        patch.setenv("HOME", str(home))
        patch.setenv("TIDEGATE_IMAGES", os.path.relpath(home / "images.json"))
        cloud = up(folder, port, auth=True)
    yield Place(cloud)
    down(folder)


def _session(role: str) -> str:
    return f"arn:aws:sts::{ACCOUNT}:assumed-role/{role}/SageMaker"


def test_a_job_and_its_container_act_in_the_role_of_the_job(place: Place) -> None:
    job = place.train("allowed", place.role("allowed", *ALL))
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    archive = place.s3.get_object(Bucket="works", Key="out/allowed/output/model.tar.gz")["Body"].read()
    with tarfile.open(fileobj=io.BytesIO(archive)) as packed:
        member = packed.extractfile("me")
        assert member is not None
        assert member.read().decode() == _session("allowed")
    streams = place.cloud.client("logs").describe_log_streams(logGroupName="/aws/sagemaker/TrainingJobs")
    assert [each for each in streams["logStreams"] if each["logStreamName"].startswith("allowed/")]
    dimensions = [{"Name": "TrainingJobName", "Value": "allowed"}]
    assert place.cloud.client("cloudwatch").list_metrics(Dimensions=dimensions)["Metrics"]


@pytest.mark.parametrize(
    ("name", "statements", "start", "action"),
    [
        ("cannot-read", (LIST, WRITE), "ClientError: Data download failed: channel train: ", "s3:GetObject"),
        ("cannot-list", (READ, WRITE), "ClientError: Data download failed: channel train: ", "s3:ListBucket"),
        ("cannot-write", (READ, LIST), "ClientError: Data transfer failed: ", "s3:PutObject"),
    ],
)
def test_a_right_that_the_role_lacks_fails_the_job_in_a_sentence(
    place: Place, name: str, statements: tuple[dict[str, Any], ...], start: str, action: str
) -> None:
    job = place.train(name, place.role(name, *statements))
    assert job["TrainingJobStatus"] == "Failed"
    reason = job["FailureReason"]
    assert reason.startswith(start)
    assert "AccessDenied" in reason
    assert f"User: {_session(name)} is not authorized to perform: {action}" in reason


def test_a_job_whose_role_cannot_write_logs_and_metrics_still_trains(place: Place) -> None:
    job = place.train("silent", place.role("silent", READ, LIST, WRITE))
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    assert [each["MetricName"] for each in job["FinalMetricDataList"]] == ["score"]
    dimensions = [{"Name": "TrainingJobName", "Value": "silent"}]
    assert place.cloud.client("cloudwatch").list_metrics(Dimensions=dimensions)["Metrics"] == []


def test_a_processing_job_reads_in_its_own_role(place: Place) -> None:
    place.sagemaker.create_processing_job(
        ProcessingJobName="cannot-read",
        RoleArn=place.role("cannot-process", LIST),
        AppSpecification={
            "ImageUri": IMAGE,
            "ContainerEntrypoint": ["true"],
        },
        ProcessingInputs=[
            {
                "InputName": "rows",
                "S3Input": {
                    "S3Uri": "s3://works/in/",
                    "LocalPath": "/opt/ml/processing/rows",
                    "S3DataType": "S3Prefix",
                    "S3InputMode": "File",
                },
            }
        ],
        ProcessingResources={
            "ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 5}
        },
    )
    job = place.until(
        lambda: place.sagemaker.describe_processing_job(ProcessingJobName="cannot-read"),
        lambda job: job["ProcessingJobStatus"] != "InProgress",
    )
    assert job["FailureReason"].startswith("ClientError: Data download failed: input rows: ")
    assert _session("cannot-process") in job["FailureReason"]


@pytest.mark.parametrize(
    "trust",
    [
        {"Principal": {"Service": "lambda.amazonaws.com"}},
        {
            "Principal": {"Service": "sagemaker.amazonaws.com"},
            "Condition": {"StringEquals": {"aws:SourceAccount": "111111111111"}},
        },
    ],
    ids=["another-service", "another-account"],
)
def test_a_role_that_does_not_trust_sagemaker_is_refused_at_once(
    place: Place, trust: dict[str, Any], request: pytest.FixtureRequest
) -> None:
    name = f"distrusts-{request.node.callspec.id}"
    role = place.role(name, *ALL, trust={"Effect": "Allow", "Action": "sts:AssumeRole", **trust})
    for create in (place.create_training_job, place.create_model):
        with pytest.raises(ClientError, match="Could not assume role") as refusal:
            create(name, role)
        assert refusal.value.response["Error"]["Code"] == "ValidationException"
        assert f"arn:aws:iam::{ACCOUNT}:role/{name}" in str(refusal.value)


def test_a_role_that_does_not_exist_is_refused_at_once(place: Place) -> None:
    with pytest.raises(ClientError, match="There is no role"):
        place.create_training_job("nobody", f"arn:aws:iam::{ACCOUNT}:role/nobody")


def test_an_endpoint_serves_and_captures_in_the_role_of_its_model(place: Place) -> None:
    endpoint = place.serve("served", place.role("served", *ALL))
    assert endpoint["EndpointStatus"] == "InService", endpoint.get("FailureReason")
    assert place.invoke("served") == _session("served")
    place.until(lambda: place.keys("captured/served/"))


def test_a_capture_that_the_model_s_role_may_not_write_is_told_in_the_log(place: Place) -> None:
    place.serve("reader", place.role("reader", READ))
    assert place.invoke("reader") == _session("reader")
    log = place.cloud.state / "daemon.log"
    told = place.until(lambda: [line for line in log.read_text().splitlines() if "captured/reader/" in line])
    assert "not authorized to perform: s3:PutObject" in told[0]
    assert place.keys("captured/reader/") == []


def test_a_model_is_not_made_of_data_that_its_role_cannot_read(place: Place) -> None:
    role = place.role("blind", WRITE)
    with pytest.raises(
        ClientError, match=r"Could not access model data at s3://works/model\.tar\.gz"
    ) as told:
        place.create_model("blind", role)
    assert f'the role "{role}" has "s3:GetObject" permissions' in str(told.value)


def test_a_stranger_gets_no_credentials(place: Place) -> None:
    import urllib.error
    import urllib.request

    address = f"{place.cloud.endpoint_url}/_tidegate/credentials"
    with pytest.raises(urllib.error.HTTPError) as refusal:
        urllib.request.urlopen(urllib.request.Request(address, headers={"Authorization": "guess"}))
    assert refusal.value.code == 403
