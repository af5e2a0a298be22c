"""The local cloud starts, keeps what it has, stops, and leaves nothing behind."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import emulator_project as small
import pytest
from botocore.exceptions import ClientError
from tests.free_ports import free_port
from tests.waiting import PATIENCE_SECONDS, until

from tidegate.local import settings
from tidegate.local.cloud import Cloud, CloudNotRunning, CloudProblem, PortTaken, connect, down, status, up
from tidegate.local.emulator import processes

pytestmark = pytest.mark.integration

WAITER = {"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 600, "End": True}}}


@pytest.fixture
def state(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "state of a cloud"
    yield folder
    down(folder)


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    folder = tmp_path_factory.mktemp("cloud")
    yield up(folder, free_port())
    down(folder)


def _request(cloud: Cloud, path: str = "/", **headers: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", cloud.port, timeout=PATIENCE_SECONDS)
    connection.request(
        "GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()}
    )
    response = connection.getresponse()
    body = response.read()
    connection.close()
    return response.status, body


def _start_waiting(cloud: Cloud) -> str:
    client = cloud.client("stepfunctions")
    machine = client.create_state_machine(
        name="waiter", definition=json.dumps(WAITER), roleArn="arn:aws:iam::000000000000:role/r"
    )
    arn: str = client.start_execution(stateMachineArn=machine["stateMachineArn"])["executionArn"]
    return arn


def test_up_twice_is_one_cloud_and_down_leaves_nothing(state: Path) -> None:
    port = free_port()
    first = up(state, port)
    assert (up(state), up(state, port), connect(state)) == (first, first, first)
    assert first.client("sts").get_caller_identity()["Account"] == settings.ACCOUNT
    assert status(state).processes >= 1
    down(state)
    assert processes.marked(settings.MARKER, str(state)) == []
    with socket.socket() as probe:
        # As any server does: connections that are still winding down do not count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", port))
    with pytest.raises(CloudNotRunning, match="tidegate up"):
        connect(state)
    down(state)


def test_a_taken_port_is_told_with_the_way_out(state: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        with pytest.raises(PortTaken, match=rf"port {other.getsockname()[1]}.*--port"):
            up(state, other.getsockname()[1])


def test_a_running_cloud_is_not_changed_behind_its_users_back(cloud: Cloud) -> None:
    with pytest.raises(CloudProblem, match="tidegate down"):
        up(cloud.state, free_port())
    with pytest.raises(CloudProblem, match="does not enforce IAM"):
        up(cloud.state, auth=True)


def test_what_it_has_survives_a_restart_and_a_running_execution_ends_with_a_reason(state: Path) -> None:
    port = free_port()
    first = up(state, port)
    arn = _start_waiting(first)
    s3 = first.client("s3")
    s3.create_bucket(Bucket="data")
    s3.put_object(Bucket="data", Key="a b/ü", Body=b"x" * 100_000)
    first.client("ssm").put_parameter(Name="/n", Value="v", Type="String")
    down(state)
    again = up(state, port)
    assert again.client("s3").get_object(Bucket="data", Key="a b/ü")["Body"].read() == b"x" * 100_000
    assert again.client("ssm").get_parameter(Name="/n")["Parameter"]["Value"] == "v"
    described = again.client("stepfunctions").describe_execution(executionArn=arn)
    assert described["status"] == "FAILED"
    assert "stopped while the execution was running" in described["cause"]
    history = again.client("stepfunctions").get_execution_history(executionArn=arn)["events"]
    assert history[-1]["type"] == "ExecutionFailed"


def test_a_kill_loses_no_more_than_the_last_seconds_and_leaves_nothing_running(state: Path) -> None:
    first = up(state, free_port())
    child = subprocess.Popen(
        [sys.executable, "-c", "import time; time.sleep(600)"],
        env={**os.environ, settings.MARKER: str(state)},
        start_new_session=True,
    )
    first.client("ssm").put_parameter(Name="/kept", Value="v", Type="String")
    file = state / "emulator" / "ssm.json"
    until(lambda: file.exists() and "/kept" in file.read_text())
    os.kill(first.pid, signal.SIGKILL)
    processes.wait_for_end([first.pid], PATIENCE_SECONDS)
    assert status(state).cloud is None
    again = up(state, free_port())
    assert not processes.alive(child.pid), "what the killed cloud left was ended"
    assert again.client("ssm").get_parameter(Name="/kept")["Parameter"]["Value"] == "v"


def test_a_kill_right_after_a_stack_is_complete_loses_none_of_it(state: Path) -> None:
    versioned: dict[str, Any] = {"VersioningConfiguration": {"Status": "Enabled"}}
    template = {"Resources": {"Bucket": {"Type": "AWS::S3::Bucket", "Properties": versioned}}}
    first = up(state, free_port())
    stacks = first.client("cloudformation")
    for name in ("one", "two"):
        # The first is saved; the second comes while the local cloud rests from that.
        versioned["BucketName"] = f"of-stack-{name}"
        stacks.create_stack(StackName=name, TemplateBody=json.dumps(template))
        stacks.get_waiter("stack_create_complete").wait(StackName=name, WaiterConfig={"Delay": 1})
    os.kill(first.pid, signal.SIGKILL)
    processes.wait_for_end([first.pid], PATIENCE_SECONDS)
    again = up(state, free_port())
    found = again.client("cloudformation").describe_stacks(StackName="two")["Stacks"][0]
    assert found["StackStatus"] == "CREATE_COMPLETE"
    answer = again.client("s3").get_bucket_versioning(Bucket="of-stack-two")
    assert answer["Status"] == "Enabled"


def test_only_this_machine_s_own_address_is_listened_on(cloud: Cloud) -> None:
    socket.create_connection(("127.0.0.1", cloud.port), timeout=5).close()
    # Whoever listens on every address is reached by this one too.
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.2", cloud.port), timeout=5)


def test_web_pages_are_kept_out(cloud: Cloud) -> None:
    own = f"127.0.0.1:{cloud.port}"
    assert _request(cloud, Host=own)[0] == 200
    assert _request(cloud, Host=f"localhost:{cloud.port}")[0] == 200
    assert _request(cloud, Host="evil.example")[0] == 403
    assert _request(cloud, Host=own, Origin="https://evil.example")[0] == 403
    assert _request(cloud, Host=own, Origin="null")[0] == 403
    assert _request(cloud, Host=own, Sec_Fetch_Site="cross-site")[0] == 403
    assert _request(cloud, Host=own, Origin=f"http://localhost:{cloud.port}")[0] == 403
    assert _request(cloud, Host=own, Origin=f"http://{own}")[0] == 200


def test_it_listens_on_this_machine_only(cloud: Cloud) -> None:
    addresses = {info[4][0] for info in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)}
    for address in addresses - {"127.0.0.1", "127.0.1.1"}:
        with socket.socket() as probe:
            probe.settimeout(1)
            assert probe.connect_ex((str(address), cloud.port)) != 0


def test_stopping_an_execution_by_the_api_ends_it_at_once(cloud: Cloud) -> None:
    client = cloud.client("stepfunctions")
    arn = _start_waiting(cloud)
    client.stop_execution(executionArn=arn, cause="enough")
    assert small.ended(client, arn)["status"] == "ABORTED"


def test_sagemaker_is_served_beside_the_emulators_services(cloud: Cloud) -> None:
    client = cloud.client("sagemaker")
    assert client.list_models()["Models"] == []
    with pytest.raises(ClientError) as refusal:
        client.describe_model(ModelName="nobody")
    assert refusal.value.response["Error"]["Code"] == "ValidationException"


def test_a_state_machine_reaches_sagemaker_and_names_its_errors_as_aws_does(cloud: Cloud) -> None:
    def task(resource: str, arguments: dict[str, Any]) -> str:
        state = {"Type": "Task", "Resource": resource, "Arguments": arguments, "End": True}
        machine = {"QueryLanguage": "JSONata", "StartAt": "T", "States": {"T": state}}
        arn: str = client.create_state_machine(
            name=f"sm-{len(machines)}",
            definition=json.dumps(machine),
            roleArn="arn:aws:iam::000000000000:role/r",
        )["stateMachineArn"]
        machines.append(arn)
        return arn

    client = cloud.client("stepfunctions")
    machines: list[str] = []
    sdk = small.run(
        cloud, task("arn:aws:states:::aws-sdk:sagemaker:describeModel", {"ModelName": "nobody"}), {}
    )
    assert (sdk["error"], "nobody" in sdk["cause"]) == ("SageMaker.SageMakerException", True)
    own = small.run(
        cloud, task("arn:aws:states:::sagemaker:createTrainingJob.sync", {"TrainingJobName": "x"}), {}
    )
    assert own["error"] == "SageMaker.AmazonSageMakerException"
    listed = small.run(cloud, task("arn:aws:states:::aws-sdk:sagemaker:listModels", {}), {})
    assert json.loads(listed["output"]) == {"Models": []}


def test_a_task_that_waits_for_its_token_goes_on_when_it_comes_back(cloud: Cloud) -> None:
    sqs, client = cloud.client("sqs"), cloud.client("stepfunctions")
    url = sqs.create_queue(QueueName="tokens")["QueueUrl"]
    state = {
        "Type": "Task",
        "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
        "Arguments": {"QueueUrl": url, "MessageBody": "{% $states.context.Task.Token %}"},
        "End": True,
    }
    machine = {"QueryLanguage": "JSONata", "StartAt": "T", "States": {"T": state}}
    arn = client.create_state_machine(
        name="asks", definition=json.dumps(machine), roleArn="arn:aws:iam::000000000000:role/r"
    )["stateMachineArn"]
    run = client.start_execution(stateMachineArn=arn)["executionArn"]
    (message,) = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=5)["Messages"]
    client.send_task_success(taskToken=message["Body"], output='{"answer": 42}')
    assert json.loads(small.ended(client, run)["output"]) == {"answer": 42}


def test_a_big_version_is_downloaded_and_copied_as_it_was_put(cloud: Cloud, tmp_path: Path) -> None:
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket="big-versions")
    s3.put_bucket_versioning(Bucket="big-versions", VersioningConfiguration={"Status": "Enabled"})
    body = os.urandom(20 << 20)  # more than boto3 moves in one piece
    version = s3.put_object(Bucket="big-versions", Key="k", Body=body)["VersionId"]
    s3.put_object(Bucket="big-versions", Key="k", Body=b"newer")
    s3.download_file("big-versions", "k", str(tmp_path / "k"), ExtraArgs={"VersionId": version})
    assert (tmp_path / "k").read_bytes() == body
    s3.copy({"Bucket": "big-versions", "Key": "k", "VersionId": version}, "big-versions", "aside")
    assert s3.get_object(Bucket="big-versions", Key="aside")["Body"].read() == body
