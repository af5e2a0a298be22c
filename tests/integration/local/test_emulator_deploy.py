"""A SAM project is deployed to the local cloud by the real sam, and works there as on AWS."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import emulator_project as small
import pytest
from tests.free_ports import free_port
from tests.waiting import until

from tidegate.local.cloud import Cloud, down, up
from tidegate.local.deploy import DeployFailed, deploy
from tidegate.local.settings import StateFolder

pytestmark = pytest.mark.integration

TOPIC = '{"Resources": {"Half": {"Type": "AWS::SNS::Topic"}}}'


@dataclass
class Deployed:
    cloud: Cloud
    project: Path
    outputs: dict[str, str]

    @property
    def log(self) -> Path:
        return StateFolder.of(self.cloud.state).deploy_log


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    port = free_port()
    folder = tmp_path_factory.mktemp("cloud")
    cloud = up(folder, port)
    project = small.write(tmp_path_factory.mktemp("project"))
    assert deploy(cloud, project)
    yield Deployed(cloud, project, small.outputs(cloud))
    down(folder)


def test_an_unchanged_project_is_not_deployed_again(deployed: Deployed) -> None:
    said: list[str] = []
    before = deployed.log.read_text()
    assert not deploy(deployed.cloud, deployed.project, on_progress=said.append)
    assert said == []
    assert deployed.log.read_text() == before, "sam was not run"


def test_functions_see_their_layer(deployed: Deployed) -> None:
    ended = small.run(deployed.cloud, deployed.outputs["Flow"], {"do": "greet"})
    assert json.loads(ended["output"])["said"] == "hello, local"


def test_a_functions_failure_is_caught_by_the_name_of_its_exception(deployed: Deployed) -> None:
    ended = small.run(deployed.cloud, deployed.outputs["Flow"], {"do": "fail"})
    caught = json.loads(ended["output"])
    assert caught["Error"] == "BadGreeting"
    cause = json.loads(caught["Cause"])
    assert cause["errorMessage"] == "nobody to greet" and cause["stackTrace"]


def test_an_sdk_error_has_the_name_of_the_java_sdks_exception(deployed: Deployed) -> None:
    ended = small.run(deployed.cloud, deployed.outputs["Flow"], {"do": "look", "name": "/no/such"})
    assert ended["error"] == "Ssm.ParameterNotFoundException"


def test_a_dropped_object_starts_the_machine_with_its_version(deployed: Deployed) -> None:
    client = deployed.cloud.client("stepfunctions")
    version = deployed.cloud.client("s3").put_object(
        Bucket=deployed.outputs["Data"], Key="m/train/a b+c.csv", Body=b"x"
    )["VersionId"]

    def dropped() -> dict[str, str] | None:
        for execution in client.list_executions(stateMachineArn=deployed.outputs["Flow"])["executions"]:
            given = json.loads(client.describe_execution(executionArn=execution["executionArn"])["input"])
            if given.get("source") == "aws.s3":
                return dict(given["detail"]["object"])
        return None

    found = until(dropped)
    assert found and (found["key"], found["version-id"]) == ("m/train/a b+c.csv", version)


def test_a_build_that_fails_says_why(deployed: Deployed, tmp_path: Path) -> None:
    project = small.write(tmp_path / "project")
    (project / "layers/words/Makefile").write_text("build-WordsLayer:\n\tcp nothing-here $(ARTIFACTS_DIR)\n")
    with pytest.raises(DeployFailed, match=r"sam build.*nothing-here.*deploy\.log"):
        deploy(deployed.cloud, project, stack="broken")


def test_a_deployment_that_fails_names_the_resource_and_can_be_repeated(
    deployed: Deployed, tmp_path: Path
) -> None:
    project = small.write(tmp_path / "project")
    bad = small.TEMPLATE + "  Bad: {Value: !GetAtt Flow.NoSuchThing}\n"
    (project / "template.yaml").write_text(bad)
    with pytest.raises(DeployFailed, match=r"NoSuchThing|failed"):
        deploy(deployed.cloud, project, stack="second")
    mended = small.TEMPLATE.replace("/tidegate-test/greeting", "/tidegate-test/second")
    (project / "template.yaml").write_text(mended)
    assert deploy(deployed.cloud, project, stack="second")


@pytest.mark.parametrize("left", ["aws-sam-cli-managed-default", "third"])
def test_what_a_ctrl_c_left_of_a_first_deployment_is_cleared_away(tmp_path: Path, left: str) -> None:
    """A change set that nobody carried out leaves a stack that sam itself can neither use nor make anew."""
    cloud = up(tmp_path / "cloud", free_port())
    try:
        client = cloud.client("cloudformation")
        client.create_change_set(
            StackName=left, ChangeSetName="interrupted", ChangeSetType="CREATE", TemplateBody=TOPIC
        )
        assert client.describe_stacks(StackName=left)["Stacks"][0]["StackStatus"] == "REVIEW_IN_PROGRESS"
        said: list[str] = []
        assert deploy(cloud, small.write(tmp_path / "project"), stack="third", on_progress=said.append)
        assert f"Clearing away what an earlier deployment left of {left}" in said
        assert client.describe_stacks(StackName="third")["Stacks"][0]["StackStatus"] == "CREATE_COMPLETE"
    finally:
        down(tmp_path / "cloud")
