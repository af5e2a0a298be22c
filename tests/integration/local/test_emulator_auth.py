"""With IAM in force, policies decide over SageMaker and over what state machines call."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import emulator_project as small
import pytest
from botocore.exceptions import ClientError
from tests.free_ports import free_port

from tidegate.local.cloud import Cloud, down, up
from tidegate.local.deploy import deploy

pytestmark = pytest.mark.integration


@dataclass
class Guarded:
    cloud: Cloud
    outputs: dict[str, str]

    def client_allowed(self, service: str, *statements: dict[str, Any]) -> Any:
        """A client of a new user with these policy statements."""
        iam = self.cloud.client("iam")
        name = f"user-{len(iam.list_users()['Users'])}"
        iam.create_user(UserName=name)
        if statements:
            document = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
            iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=document)
        key = iam.create_access_key(UserName=name)["AccessKey"]
        return boto3.client(
            service,
            endpoint_url=self.cloud.endpoint_url,
            region_name="us-east-1",
            aws_access_key_id=key["AccessKeyId"],
            aws_secret_access_key=key["SecretAccessKey"],
        )


def _allow(action: str, resource: str) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource}


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    port = free_port()
    folder = tmp_path_factory.mktemp("guarded")
    cloud = up(folder, port, auth=True)
    project: Path = small.write(tmp_path_factory.mktemp("project"))
    deploy(cloud, project)
    yield Guarded(cloud, small.outputs(cloud))
    down(folder)


def test_a_machine_calls_what_its_role_allows(guarded: Guarded) -> None:
    ended = small.run(guarded.cloud, guarded.outputs["Flow"], {"do": "greet"})
    assert json.loads(ended["output"])["said"] == "hello, local"


def test_a_machine_is_refused_what_its_role_does_not_allow(guarded: Guarded) -> None:
    ended = small.run(
        guarded.cloud, guarded.outputs["Flow"], {"do": "look", "name": "/tidegate-test/greeting"}
    )
    assert ended["error"] == "Ssm.AccessDeniedException"
    assert "ssm:GetParameter" in ended["cause"] and ":parameter/tidegate-test/greeting" in ended["cause"]


def test_sagemaker_answers_only_whom_a_policy_allows(guarded: Guarded) -> None:
    stranger = guarded.client_allowed("sagemaker")
    with pytest.raises(ClientError) as refusal:
        stranger.list_models()
    assert refusal.value.response["Error"]["Code"] == "AccessDeniedException"
    assert "sagemaker:ListModels" in str(refusal.value)
    friend = guarded.client_allowed("sagemaker", _allow("sagemaker:List*", "*"))
    assert friend.list_models()["Models"] == []


def test_a_policy_holds_for_the_resources_it_names(guarded: Guarded) -> None:
    models = "arn:aws:sagemaker:us-east-1:000000000000:model/"
    client = guarded.client_allowed("sagemaker", _allow("sagemaker:DescribeModel", f"{models}tg-*"))
    with pytest.raises(ClientError, match="Could not find"):
        client.describe_model(ModelName="tg-nobody")
    with pytest.raises(ClientError, match="not authorized") as refusal:
        client.describe_model(ModelName="other")
    assert f"{models}other" in str(refusal.value)


def test_a_model_is_not_made_without_the_right_to_pass_its_role(guarded: Guarded) -> None:
    client = guarded.client_allowed("sagemaker", _allow("sagemaker:*", "*"))
    role = "arn:aws:iam::000000000000:role/jobs"
    image = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"
    with pytest.raises(ClientError, match="iam:PassRole"):
        client.create_model(ModelName="m", ExecutionRoleArn=role, PrimaryContainer={"Image": image})


def test_an_endpoint_is_invoked_only_by_whom_a_policy_allows(guarded: Guarded) -> None:
    stranger = guarded.client_allowed("sagemaker-runtime")
    with pytest.raises(ClientError, match="sagemaker:InvokeEndpoint"):
        stranger.invoke_endpoint(EndpointName="e", Body=b"1")


def test_an_unsigned_request_is_refused(guarded: Guarded) -> None:
    from botocore import UNSIGNED
    from botocore.config import Config

    client = boto3.client(
        "sagemaker",
        endpoint_url=guarded.cloud.endpoint_url,
        region_name="us-east-1",
        config=Config(signature_version=UNSIGNED),
    )
    with pytest.raises(ClientError):
        client.list_models()
