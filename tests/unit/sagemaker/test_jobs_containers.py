"""The parts of a container that need no process: its folder, its archives, its metrics, its log lines."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path
from typing import Any

import pytest
from tests.waiting import PATIENCE_SECONDS

from tidegate.local.sagemaker.containers import ports, transfer
from tidegate.local.sagemaker.containers.archives import left_out, pack, unpack
from tidegate.local.sagemaker.containers.batch import Sender
from tidegate.local.sagemaker.containers.layout import (
    ContainerRoot,
    lay_out_processing,
    lay_out_training,
    make_root,
)
from tidegate.local.sagemaker.containers.logs import LogStream, translate
from tidegate.local.sagemaker.containers.metrics import MetricWatch


@pytest.mark.parametrize(
    ("text", "mapped"),
    [
        ("/opt/ml", "/R/opt/ml"),
        ("/opt/ml/model", "/R/opt/ml/model"),
        ("--dir=/opt/ml/model", "--dir=/R/opt/ml/model"),
        ("/opt/ml/code:/opt/ml/lib", "/R/opt/ml/code:/R/opt/ml/lib"),
        ("file:///opt/ml/code", "file:///R/opt/ml/code"),
        ('{"a": "/opt/ml/x"}', '{"a": "/R/opt/ml/x"}'),
        ("s3://bucket/opt/ml/model", "s3://bucket/opt/ml/model"),
        ("/opt/mlflow", "/opt/mlflow"),
        ("/usr/opt/ml", "/usr/opt/ml"),
    ],
)
def test_an_opt_ml_prefix_is_mapped_and_nothing_else(text: str, mapped: str) -> None:
    assert ContainerRoot(Path("/R")).local(text) == mapped


def test_a_training_container_finds_the_files_that_sagemaker_writes(tmp_path: Path) -> None:
    root = make_root(tmp_path, "one")
    source = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://b/p"}}
    lay_out_training(
        root,
        {
            "HyperParameters": {"num_round": "10", "dir": "/opt/ml/model"},
            "InputDataConfig": [
                {"ChannelName": "train", "ContentType": "text/csv", "DataSource": source},
                {"ChannelName": "more", "InputMode": "FastFile", "DataSource": source},
            ],
            "ResourceConfig": {"InstanceType": "ml.m5.xlarge", "InstanceCount": 2},
        },
    )
    config = root.ml / "input" / "config"
    assert json.loads((config / "hyperparameters.json").read_text()) == {
        "num_round": "10",
        "dir": f"{root.ml}/model",
    }
    channels = json.loads((config / "inputdataconfig.json").read_text())
    assert channels["train"] == {
        "ContentType": "text/csv",
        "TrainingInputMode": "File",
        "S3DistributionType": "FullyReplicated",
        "RecordWrapperType": "None",
    }
    assert channels["more"]["TrainingInputMode"] == "File"
    hosts = json.loads((config / "resourceconfig.json").read_text())
    assert set(hosts) == {
        "current_host",
        "current_instance_type",
        "current_group_name",
        "hosts",
        "instance_groups",
        "network_interface_name",
    }
    assert hosts["hosts"] == [hosts["current_host"]] == ["localhost"]
    folders = {"input", "model", "output"}
    assert {path.name for path in root.ml.iterdir()} == folders
    assert {path.name for path in (root.ml / "input" / "data").iterdir()} == {"train", "more"}


def test_a_processing_container_finds_its_request(tmp_path: Path) -> None:
    root = make_root(tmp_path, "one")
    lay_out_processing(root, {"ProcessingJobName": "p", "CreationTime": object(), "Environment": {"A": "b"}})
    config = json.loads((root.ml / "config" / "processingjobconfig.json").read_text())
    assert config == {"ProcessingJobName": "p", "Environment": {"A": "b"}}


def test_a_container_begins_with_an_empty_folder(tmp_path: Path) -> None:
    (make_root(tmp_path, "one").ml / "left").write_text("over")
    assert not list(make_root(tmp_path, "one").ml.iterdir())


def test_what_is_packed_comes_out_the_same(tmp_path: Path) -> None:
    source, target = tmp_path / "a", tmp_path / "b"
    (source / "code").mkdir(parents=True)
    target.mkdir()
    (source / "xgboost-model").write_bytes(b"\0\1")
    (source / "code" / "ü +.py").write_text("x")
    (source / "code" / "run.sh").write_text("y")
    (source / "code" / "run.sh").chmod(0o755)
    (source / "link").symlink_to("xgboost-model")
    (source / "again").hardlink_to(source / "xgboost-model")
    (source / "latest").symlink_to("code", target_is_directory=True)
    assert left_out(source) == []
    pack(source, tmp_path / "m.tar.gz")
    unpack(tmp_path / "m.tar.gz", target)
    assert (target / "link").read_bytes() == b"\0\1"
    assert (target / "again").read_bytes() == b"\0\1"
    for folder in ("code", "latest"):
        assert (target / folder / "ü +.py").read_text() == "x"
        assert (target / folder / "run.sh").stat().st_mode & 0o777 == 0o755
    assert not any(path.is_symlink() for path in target.rglob("*")), "a link is stored as what it leads to"


def test_what_cannot_be_packed_is_left_out_and_told(tmp_path: Path) -> None:
    source, target = tmp_path / "a", tmp_path / "b"
    (source / "deep").mkdir(parents=True)
    (source / "model").write_bytes(b"1")
    (tmp_path / "secret").write_text("not in the model's folder")
    links = {"out": tmp_path / "secret", "nowhere": "no-such-file", "itself": "itself", "deep/round": source}
    for name, goal in links.items():
        (source / name).symlink_to(goal)
    os.mkfifo(source / "pipe")
    told = left_out(source)
    assert len(told) == 5
    for name in (*links, "pipe"):
        assert sum(f"'{name}'" in sentence for sentence in told) == 1
    pack(source, tmp_path / "m.tar.gz")
    unpack(tmp_path / "m.tar.gz", target)
    assert sorted(path.relative_to(target).as_posix() for path in target.rglob("*")) == ["deep", "model"]


@pytest.mark.parametrize(
    ("prefix", "key", "path"),
    [
        ("a/train", "a/train/part-0.csv", "part-0.csv"),
        ("a/train/", "a/train/x/part 0.csv", "x/part 0.csv"),
        ("a/train/part", "a/train/part-0.csv", "part-0.csv"),
        ("a/train/one+two.csv", "a/train/one+two.csv", "one+two.csv"),
        ("", "top.csv", "top.csv"),
        ("a/train", "a/training/x.csv", "training/x.csv"),
    ],
)
def test_a_key_keeps_its_path_below_the_prefix(prefix: str, key: str, path: str) -> None:
    assert transfer._relative(key, prefix) == path


class Recorder:
    """Stands in for a client and keeps what it is sent."""

    class exceptions:
        class ResourceAlreadyExistsException(Exception):
            pass

    def __init__(self) -> None:
        self.calls: list[tuple[str, dict[str, Any]]] = []

    def __getattr__(self, name: str) -> Any:
        return lambda **arguments: self.calls.append((name, arguments))


def test_metrics_are_read_as_sagemaker_reads_them() -> None:
    client = Recorder()
    pattern = r".*\[[0-9]+\].*#011validation-rmse:(\S+)"
    watch = MetricWatch(client, "job", [("validation:rmse", pattern), ("loss", r"loss=(\S+)")])
    for line in (
        "[0]\ttrain-rmse:2.5\tvalidation-rmse:3.5",
        "nothing here",
        "[1]\ttrain-rmse:1.5\tvalidation-rmse:2.5",
        "loss=nan",
        "loss=none",
        "the loss=0.125 of it",
    ):
        watch.read(translate(line))
    watch.close()
    assert {item["MetricName"]: item["Value"] for item in watch.final()} == {
        "validation:rmse": 2.5,
        "loss": 0.125,
    }
    data = [datum for _, call in client.calls for datum in call["MetricData"]]
    assert [(datum["MetricName"], datum["Value"]) for datum in data] == [
        ("validation:rmse", 3.5),
        ("validation:rmse", 2.5),
        ("loss", 0.125),
    ]
    assert data[0]["Dimensions"] == [{"Name": "TrainingJobName", "Value": "job"}]


def test_log_lines_arrive_in_order_and_within_the_limits_of_a_call() -> None:
    client = Recorder()
    stream = LogStream(client, "/aws/sagemaker/TrainingJobs", "job/algo-1-1")
    lines = [f"{number} " + "x" * 1000 for number in range(2500)]
    for line in [*lines, ""]:
        stream.write(line)
    stream.close()
    stream.write("too late")
    sent = [call for name, call in client.calls if name == "put_log_events"]
    assert [event["message"] for call in sent for event in call["logEvents"]] == [*lines, " "]
    for call in sent:
        assert sum(len(event["message"]) + 26 for event in call["logEvents"]) <= 1_048_576
    names = [name for name, _ in client.calls]
    assert names[:2] == ["create_log_group", "create_log_stream"]


def test_control_characters_are_written_as_the_log_agent_writes_them() -> None:
    assert translate("a\tb\x1b[0m\r") == "a#011b#033[0m#015"


def test_a_sender_that_was_idle_takes_up_again() -> None:
    got: list[list[int]] = []
    sender: Sender[int] = Sender(got.append, gather_seconds=0.0, name="test", idle_seconds=0.0)
    sender.put(1)
    for thread in threading.enumerate():
        if thread.name == "test":
            thread.join(PATIENCE_SECONDS)
    sender.put(2)
    sender.close()
    assert [item for batch in got for item in batch] == [1, 2]


def test_no_port_is_given_out_twice() -> None:
    taken = [ports.take() for _ in range(20)]
    assert len(set(taken)) == 20
    for port in taken:
        ports.give_back(port)


@pytest.mark.slow
def test_a_catastrophic_expression_is_given_up_and_freezes_nobody() -> None:
    told: list[str] = []
    definitions = [("slow", r"(a|aa)+$"), ("slower", r"(a|a)+\d"), ("loss", r"loss=(\S+)")]
    watch = MetricWatch(Recorder(), "job", definitions, told.append)
    ticks = 0
    over = threading.Event()

    def tick() -> None:
        nonlocal ticks
        while not over.wait(0.001):
            ticks += 1

    other = threading.Thread(target=tick)
    other.start()
    for number in range(4):
        watch.read("a" * 60 + f" loss=0.{number}5 " + "word " * 40)
    over.set()
    other.join()
    watch.close()
    assert watch.values("loss") == [0.05, 0.15, 0.25, 0.35]  # the others are read as before
    assert "The metric slow is read no more" in told[0]
    assert len(told) == 2
    assert ticks > 10  # Python's own search would let no other thread run
