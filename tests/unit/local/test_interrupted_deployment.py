"""A deployment that was interrupted: the next one waits for its end, clears away what it left, or goes on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tidegate.local import deploy
from tidegate.local.emulator.recovery import recover

SCOPED = {"__account_region_scoped__": True}


class CloudFormation:
    """Has one stack, whose status changes from look to look."""

    def __init__(self, *statuses: str) -> None:
        self.statuses = list(statuses)
        self.deleted: list[str] = []

    def describe_stacks(self, StackName: str) -> dict[str, Any]:
        status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
        if not status:
            error = {"Code": "ValidationError", "Message": f"Stack with id {StackName} does not exist"}
            raise ClientError({"Error": error}, "DescribeStacks")
        return {"Stacks": [{"StackStatus": status}]}

    def delete_stack(self, StackName: str) -> None:
        self.deleted.append(StackName)

    def get_waiter(self, _: str) -> Any:
        return self

    def wait(self, **_: Any) -> None:
        self.statuses = [""]


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deploy, "_LOOK_SECONDS", 0.0)


@pytest.mark.parametrize("end", ["CREATE_COMPLETE", "ROLLBACK_COMPLETE", "CREATE_FAILED", ""])
def test_a_stack_at_work_is_waited_for(end: str) -> None:
    told: list[str] = []
    client = CloudFormation("CREATE_IN_PROGRESS", "CREATE_IN_PROGRESS", end)
    assert deploy._settled(client, "s", told.append) == end
    assert told == ["Waiting for the deployment of s that is under way (CREATE_IN_PROGRESS)"]


def test_one_that_does_not_end_is_told_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deploy, "COMMAND_SECONDS", -1.0)
    with pytest.raises(deploy.DeployFailed, match=r"UPDATE_IN_PROGRESS for .*tidegate down"):
        deploy._settled(CloudFormation("UPDATE_IN_PROGRESS"), "s", lambda _: None)


@pytest.mark.parametrize("status", deploy._STILLBORN)
def test_one_that_never_came_to_be_is_deleted(status: str) -> None:
    client = CloudFormation(status)
    assert deploy._settled(client, "s", lambda _: None) == status
    deploy._clear_away(client, "s", lambda _: None)
    assert client.deleted == ["s"]


@pytest.mark.parametrize("status", ["CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", ""])
def test_one_that_is_there_or_that_is_not_is_left_alone(status: str) -> None:
    client = CloudFormation(status)
    deploy._clear_away(client, "s", lambda _: None)
    assert client.deleted == []


def test_after_a_kill_no_stack_is_at_work_for_ever(tmp_path: Path) -> None:
    before = {
        "first": "CREATE_IN_PROGRESS",
        "rolling": "ROLLBACK_IN_PROGRESS",
        "changed": "UPDATE_IN_PROGRESS",
        "cleaning": "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS",
        "going": "DELETE_IN_PROGRESS",
        "looked at": "REVIEW_IN_PROGRESS",
        "whole": "CREATE_COMPLETE",
    }
    stacks = {**SCOPED, "data": {name: {"StackStatus": status} for name, status in before.items()}}
    file = tmp_path / "cloudformation.json"
    file.write_text(json.dumps({"__ministack_format__": 1, "payload": {"stacks": stacks}}))
    assert recover(tmp_path) == []
    found = json.loads(file.read_text())["payload"]["stacks"]["data"]
    assert {name: each["StackStatus"] for name, each in found.items()} == {
        "first": "CREATE_FAILED",
        "rolling": "CREATE_FAILED",
        "changed": "UPDATE_ROLLBACK_COMPLETE",
        "cleaning": "UPDATE_ROLLBACK_COMPLETE",
        "going": "DELETE_FAILED",
        "looked at": "REVIEW_IN_PROGRESS",
        "whole": "CREATE_COMPLETE",
    }
