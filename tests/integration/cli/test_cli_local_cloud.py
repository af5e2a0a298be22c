"""The command line as a person runs it, in processes of its own, against a real local cloud with a toy stack.

The toy machine claims a run, visits a state for each algorithm, and writes a result as the train machine does.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.free_ports import free_port
from tests.waiting import until

pytestmark = pytest.mark.integration

Run = Callable[..., "subprocess.CompletedProcess[str]"]
RUN_ID = """{% $substring($hash($states.input.detail.bucket.name & '/' & $states.input.detail.object.key & '/'
 & $states.input.detail.object.`version-id`, 'SHA-256'), 0, 12) %}"""
MACHINE = {
    "QueryLanguage": "JSONata",
    "StartAt": "Name the run",
    "States": {
        "Name the run": {
            "Type": "Pass",
            "Assign": {
                "run": RUN_ID.replace("\n", ""),
                "is_bad": "{% $contains($states.input.detail.object.key, 'bad') %}",
                # A run that a test does something to stays where it is until that is done.
                "is_held": "{% $contains($states.input.detail.object.key, 'stopped') %}",
            },
            "Next": "Claim the run",
        },
        "Claim the run": {
            "Type": "Task",
            "Resource": "arn:aws:states:::dynamodb:putItem",
            "Arguments": {
                "TableName": "${RunsTable}",
                "Item": {
                    "run": {"S": "{% $run %}"},
                    "model": {"S": "cars"},
                    "status": {"S": "RUNNING"},
                    "started": {"S": "{% $now() %}"},
                    "execution": {"S": "{% $states.context.Execution.Id %}"},
                },
            },
            "Next": "For each algorithm",
        },
        "For each algorithm": {
            "Type": "Map",
            "Items": [{"algorithm": "xgboost"}, {"algorithm": "linear-learner"}],
            "ItemProcessor": {
                "StartAt": "Train the model",
                "States": {
                    "Train the model": {"Type": "Wait", "Seconds": "{% $is_held ? 3600 : 1 %}", "End": True}
                },
            },
            "Next": "Record the outcome",
        },
        "Record the outcome": {
            "Type": "Task",
            "Resource": "arn:aws:states:::dynamodb:updateItem",
            "Arguments": {
                "TableName": "${RunsTable}",
                "Key": {"run": {"S": "{% $run %}"}},
                "UpdateExpression": "SET #s = :s, #r = :r, #f = :f, #x = :x",
                "ExpressionAttributeNames": {
                    "#s": "status",
                    "#r": "result",
                    "#f": "finished",
                    "#x": "spec_sha256",
                },
                "ExpressionAttributeValues": {
                    ":s": {"S": "{% $is_bad ? 'REJECTED' : 'SUCCEEDED' %}"},
                    ":r": {
                        "S": "{% $string({'algorithms': {'xgboost': {'status': 'SUCCEEDED', 'rmse': 12.5}}}) %}"
                    },
                    ":f": {"S": "{% $now() %}"},
                    ":x": {"S": "abc"},
                },
            },
            "End": True,
        },
    },
}
TEMPLATE: dict[str, Any] = {
    "Resources": {
        "DataBucket": {
            "Type": "AWS::S3::Bucket",
            "Properties": {
                "VersioningConfiguration": {"Status": "Enabled"},
                "NotificationConfiguration": {"EventBridgeConfiguration": {"EventBridgeEnabled": True}},
            },
        },
        "ArtifactsBucket": {"Type": "AWS::S3::Bucket"},
        "RunsTable": {
            "Type": "AWS::DynamoDB::Table",
            "Properties": {
                "BillingMode": "PAY_PER_REQUEST",
                "AttributeDefinitions": [
                    {"AttributeName": name, "AttributeType": "S"} for name in ("run", "model", "started")
                ],
                "KeySchema": [{"AttributeName": "run", "KeyType": "HASH"}],
                "GlobalSecondaryIndexes": [
                    {
                        "IndexName": "by-model",
                        "KeySchema": [
                            {"AttributeName": "model", "KeyType": "HASH"},
                            {"AttributeName": "started", "KeyType": "RANGE"},
                        ],
                        "Projection": {"ProjectionType": "ALL"},
                    }
                ],
            },
        },
        "Role": {
            "Type": "AWS::IAM::Role",
            "Properties": {
                "AssumeRolePolicyDocument": {
                    "Version": "2012-10-17",
                    "Statement": [
                        {
                            "Effect": "Allow",
                            "Principal": {"Service": ["states.amazonaws.com", "events.amazonaws.com"]},
                            "Action": "sts:AssumeRole",
                        }
                    ],
                }
            },
        },
        "TrainMachine": {
            "Type": "AWS::StepFunctions::StateMachine",
            "Properties": {
                "RoleArn": {"Fn::GetAtt": ["Role", "Arn"]},
                "DefinitionString": {"Fn::Sub": json.dumps(MACHINE)},
            },
        },
        "Rule": {
            "Type": "AWS::Events::Rule",
            "Properties": {
                "EventPattern": {
                    "source": ["aws.s3"],
                    "detail-type": ["Object Created"],
                    "detail": {"bucket": {"name": [{"Ref": "DataBucket"}]}},
                },
                "Targets": [
                    {
                        "Id": "train",
                        "Arn": {"Ref": "TrainMachine"},
                        "RoleArn": {"Fn::GetAtt": ["Role", "Arn"]},
                    }
                ],
            },
        },
    },
    "Outputs": {name: {"Value": {"Ref": name}} for name in ("DataBucket", "ArtifactsBucket", "RunsTable")},
}


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cli") / "state"


def command_on(state: Path) -> Run:
    """Run the command in a process of its own, away from any AWS settings of this machine."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    clean |= {"AWS_EC2_METADATA_DISABLED": "true", "AWS_CONFIG_FILE": "/nowhere", "COLUMNS": "120"}
    clean |= {"AWS_SHARED_CREDENTIALS_FILE": "/nowhere"}

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "tidegate.cli", *arguments, "--state", str(state)]
        return subprocess.run(command, capture_output=True, text=True, env=clean, timeout=600)

    return run


@pytest.fixture(scope="module")
def tidegate(state: Path) -> Run:
    return command_on(state)


@pytest.fixture(scope="module")
def up(tidegate: Run, state: Path) -> Iterator[dict[str, Any]]:
    done = tidegate("up", "--no-deploy", "--port", str(free_port()), "--json")
    assert done.returncode == 0, done.stderr
    try:
        yield json.loads(done.stdout)
    finally:
        assert tidegate("down").returncode == 0


@pytest.fixture(scope="module")
def stack(up: dict[str, Any], state: Path) -> dict[str, str]:
    """Deploy the toy stack and declare a model in it."""
    from tidegate.local.cloud import connect

    cloud = connect(state)
    stacks = cloud.client("cloudformation")
    stacks.create_stack(
        StackName="tidegate", TemplateBody=json.dumps(TEMPLATE), Capabilities=["CAPABILITY_IAM"]
    )
    stacks.get_waiter("stack_create_complete").wait(StackName="tidegate", WaiterConfig={"Delay": 1})
    shown = stacks.describe_stacks(StackName="tidegate")["Stacks"][0]["Outputs"]
    outputs = {each["OutputKey"]: each["OutputValue"] for each in shown}
    spec = {"name": "cars", "target": "Price", "features": {}, "algorithms": {"xgboost": {}}}
    cloud.client("s3").put_object(
        Bucket=outputs["ArtifactsBucket"],
        Key="cars/spec.json",
        Body=json.dumps({"source_sha256": "abc", "spec": spec}).encode(),
    )
    return outputs


@pytest.fixture(scope="module")
def trained(tidegate: Run, stack: dict[str, str], state: Path) -> subprocess.CompletedProcess[str]:
    file = state.parent / "größe + 1.csv"
    file.write_text("KM,Price\n1,2\n")
    return tidegate("train", "cars", str(file), "--wait", "--json")


def test_training_is_shown_live_on_standard_error_and_its_result_alone_on_standard_output(
    trained: subprocess.CompletedProcess[str],
) -> None:
    assert trained.returncode == 0, trained.stderr
    result = json.loads(trained.stdout)
    assert (result["status"], result["algorithms"]["xgboost"]["rmse"]) == ("SUCCEEDED", 12.5)
    told = trained.stderr.splitlines()
    for algorithm in ("xgboost", "linear-learner"):
        assert f"{algorithm} · Train the model: started" in told
    assert told[-1].startswith("Record the outcome: done in ")


def test_the_same_file_again_is_the_same_run(
    tidegate: Run, trained: subprocess.CompletedProcess[str], state: Path
) -> None:
    done = tidegate("train", "cars", str(state.parent / "größe + 1.csv"), "--wait", "--json")
    again = json.loads(done.stdout)
    assert (done.returncode, again["status"]) == (0, "DUPLICATE")
    assert again["run"] == json.loads(trained.stdout)["run"]


def test_a_rejected_training_ends_with_3(tidegate: Run, stack: dict[str, str], state: Path) -> None:
    file = state.parent / "bad.csv"
    file.write_text("KM,Price\n1,3\n")
    assert tidegate("train", "cars", str(file), "--wait").returncode == 3


def test_a_run_is_found_again_with_its_states(
    tidegate: Run, trained: subprocess.CompletedProcess[str]
) -> None:
    run = json.loads(trained.stdout)["run"]
    listed = json.loads(tidegate("runs", "cars", "--json").stdout)["runs"]
    assert run in [each["run"] for each in listed]
    document = json.loads(tidegate("run", run[:8], "--json").stdout)
    branches = next(each for each in document["states"] if each["type"] == "Map")["branches"]
    assert [branch["label"] for branch in branches] == ["xgboost", "linear-learner"]
    assert all(branch["states"][0]["seconds"] >= 0.9 for branch in branches)


def test_an_execution_that_somebody_stops_fails_its_run(
    tidegate: Run, stack: dict[str, str], state: Path
) -> None:
    from tidegate.local.cloud import connect

    file = state.parent / "stopped.csv"
    file.write_text("KM,Price\n1,4\n")
    run = json.loads(tidegate("train", "cars", str(file), "--json").stdout)["run"]
    clients = connect(state)
    table, key = clients.client("dynamodb"), {"run": {"S": run}}
    item = until(lambda: table.get_item(TableName=stack["RunsTable"], Key=key).get("Item"), "the claim")
    execution = item["execution"]["S"]
    clients.client("stepfunctions").stop_execution(executionArn=execution, cause="not needed")
    document = json.loads(tidegate("run", run, "--json").stdout)
    assert document["status"] == "FAILED"
    assert "not needed" in document["reason"]


def test_status_and_up_tell_where_things_are_and_up_is_idempotent(
    tidegate: Run, up: dict[str, Any], stack: dict[str, str]
) -> None:
    status = json.loads(tidegate("status", "--json").stdout)
    assert status["local"]["url"] == up["url"]
    assert status["stack"]["outputs"]["DataBucket"] == stack["DataBucket"]
    assert json.loads(tidegate("up", "--no-deploy", "--json").stdout)["url"] == up["url"]


def test_down_leaves_nothing_and_the_next_verb_says_so(tmp_path: Path) -> None:
    run, port = command_on(tmp_path), free_port()
    assert run("up", "--no-deploy", "--port", str(port)).returncode == 0
    assert json.loads(run("down", "--json").stdout)["was_running"] is True
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", port))
    after = run("models")
    assert after.returncode == 1
    assert "tidegate up" in after.stderr
