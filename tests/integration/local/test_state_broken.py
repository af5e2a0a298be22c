"""Whatever happened to a file of the state folder, the local cloud starts, says so, and keeps the rest."""

from __future__ import annotations

import os
import shutil
import signal
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tidegate.local.cloud import down, up
from tidegate.local.emulator import processes

pytestmark = pytest.mark.integration

TABLE = {
    "TableName": "items",
    "KeySchema": [{"AttributeName": "k", "KeyType": "HASH"}],
    "AttributeDefinitions": [{"AttributeName": "k", "AttributeType": "S"}],
    "BillingMode": "PAY_PER_REQUEST",
}
IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:3.0-5"

DAMAGE: dict[str, Callable[[bytes], bytes]] = {
    "emptied": lambda _: b"",
    "cut in half": lambda content: content[: len(content) // 2],
    "written over": lambda content: b"\x00\xff\xfe" + os.urandom(max(len(content), 64)),
    "of another kind": lambda _: b"[1, 2]\n",
}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The state folder of a local cloud that was killed with something in it, a journal too."""
    folder = tmp_path_factory.mktemp("whole")
    cloud = up(folder, free_port())
    cloud.client("s3").create_bucket(Bucket="data")
    # So that S3's events have sequencers, which are kept in a file.
    events: dict[str, Any] = {"EventBridgeConfiguration": {}}
    cloud.client("s3").put_bucket_notification_configuration(Bucket="data", NotificationConfiguration=events)
    cloud.client("s3").put_object(Bucket="data", Key="k", Body=b"content")
    cloud.client("dynamodb").create_table(**TABLE)
    cloud.client("sagemaker").create_model(
        ModelName="m", ExecutionRoleArn="arn:aws:iam::000000000000:role/r", PrimaryContainer={"Image": IMAGE}
    )
    cloud.client("sns").create_topic(Name="t")
    down(folder)
    cloud = up(folder, free_port())
    cloud.client("dynamodb").put_item(TableName="items", Item={"k": {"S": "journaled"}})
    cloud.client("ssm").put_parameter(Name="/n", Value="v", Type="String")
    os.kill(cloud.pid, signal.SIGKILL)
    processes.wait_for_end([cloud.pid], 10)
    return folder


@pytest.fixture
def state(whole: Path, tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "state"
    shutil.copytree(whole, folder)
    yield folder
    down(folder)


def small_files(folder: Path) -> list[Path]:
    """What a local cloud keeps beside the objects and logs of people."""
    kept = [folder / "cloud.json", *(folder / "emulator").glob("*.json"), *(folder / "emulator").glob("*.db")]
    kept.append(folder / "emulator" / "s3-sequencers")
    return [*kept, *(folder / "emulator").glob("*.jsonl"), *(folder / "sagemaker").glob("*.db")]


@pytest.mark.parametrize("damage", DAMAGE)
def test_all_files_broken_at_once_are_told_one_by_one_and_the_cloud_works(state: Path, damage: str) -> None:
    broken = [file for file in small_files(state) if file.stat().st_size]
    assert {"cloud.json", "ssm.json", "dynamodb.json", "records.db", "shelf.db"} <= {
        each.name for each in broken
    }
    for file in broken:
        file.write_bytes(DAMAGE[damage](file.read_bytes()))
    for file in [*state.rglob("*.db-wal"), *state.rglob("*.db-shm")]:
        file.unlink()
    said: list[str] = []
    cloud = up(state, free_port(), on_progress=said.append)
    told = "\n".join(said)
    # An empty SQLite file is a new one; an empty journal says nothing; nor does one cut in its only line.
    silent = {".db", ".jsonl"} if damage == "emptied" else {".jsonl"} if damage == "cut in half" else set()
    for file in broken:
        # Of the journal, only whole lines count; sequencers go on by the clock.
        untold = file.suffix in silent or file.suffix == ".jsonl" or file.name == "s3-sequencers"
        assert untold or file.name in told, (file.name, told)
    assert "Traceback" not in told
    assert cloud.client("sagemaker").list_models()["Models"] == []
    cloud.client("ssm").put_parameter(Name="/again", Value="v", Type="String")
    cloud.client("dynamodb").create_table(**TABLE)
    down(state)
    said.clear()
    again = up(state, free_port(), on_progress=said.append)
    assert not [each for each in said if "aside" in each], "what was mended is whole"
    assert again.client("ssm").get_parameter(Name="/again")["Parameter"]["Value"] == "v"


def test_one_broken_file_loses_no_other_s(state: Path) -> None:
    file = state / "emulator" / "ssm.json"
    content = file.read_bytes()
    file.write_bytes(content[:-20])
    said: list[str] = []
    cloud = up(state, free_port(), on_progress=said.append)
    (told,) = [each for each in said if "ssm.json" in each]
    (aside,) = (state / "emulator").glob("ssm.json.broken-*")
    assert aside.name in told and aside.read_bytes() == content[:-20], "nothing is thrown away"
    assert cloud.client("s3").get_object(Bucket="data", Key="k")["Body"].read() == b"content"
    assert cloud.client("dynamodb").get_item(TableName="items", Key={"k": {"S": "journaled"}})["Item"]
    assert [each["ModelName"] for each in cloud.client("sagemaker").list_models()["Models"]] == ["m"]
    assert cloud.client("sns").list_topics()["Topics"]


def test_a_line_of_the_journal_that_cannot_be_read_takes_no_other_with_it(state: Path) -> None:
    (journal,) = (state / "emulator").glob("journal.jsonl")
    lines = b'\xff\xfe\n{"a": 1}\n["item", 7, 8]\n[1]\n["nothing", "x", "y"]\n'
    journal.write_bytes(lines + journal.read_bytes() + b'["item", ["cut off')
    said: list[str] = []
    cloud = up(state, free_port(), on_progress=said.append)
    (told,) = [each for each in said if "journal" in each]
    assert told.startswith("5 of the ")
    assert cloud.client("dynamodb").get_item(TableName="items", Key={"k": {"S": "journaled"}})["Item"]
