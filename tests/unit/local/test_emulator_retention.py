"""What the emulator puts away is still served, and what stays in memory is bounded."""

from __future__ import annotations

import copy
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from emulator_bench import Run
from hypothesis import given
from hypothesis import strategies as st
from ministack.services import cloudwatch_logs, s3, stepfunctions
from tests.waiting import until

from tidegate.local.emulator.names import hold_in, logs, step
from tidegate.local.emulator.retention import executions, objects
from tidegate.local.emulator.retention import logs as old_logs
from tidegate.local.emulator.retention.cooling import Cooling, CoolingInside, looking
from tidegate.local.emulator.retention.shelf import Shelf

PASS = {"StartAt": "A", "States": {"A": {"Type": "Pass", "End": True}}}


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Shelf]:
    before = dict(step.executions._data), dict(logs.groups._data), dict(logs.records._data)
    made = Shelf(tmp_path / "shelf.db")
    yield made
    for store, entries in zip((step.executions, logs.groups, logs.records), before, strict=True):
        store._data = entries
    executions._held.clear()
    old_logs._held.clear()


def asked(function: Any, **request: Any) -> tuple[int, dict[str, Any]]:
    status, _, body = function(request)
    return status, json.loads(body or "{}")


# ------------------------------------------------------------ executions
def test_all_but_the_latest_executions_are_on_disk_and_served_as_before(shelf: Shelf):
    executions.install(shelf)
    [held] = executions._held
    held._kept = 3
    runs = [Run(PASS, given={"number": number}) for number in range(8)]
    events = []
    for run in runs:
        run.end()
        events.append(run.types())
    until(lambda: len(held.here()) <= 3)
    assert len(held.here()) == 3
    for number, run in enumerate(runs):
        status, described = asked(stepfunctions._describe_execution, executionArn=run.arn)
        assert (status, described["status"]) == (200, "SUCCEEDED")
        assert json.loads(described["output"]) == {"number": number}
        _, history = asked(stepfunctions._get_execution_history, executionArn=run.arn)
        assert [event["type"] for event in history["events"]] == events[number]
        machine = step.executions[run.arn]["stateMachineArn"]
        _, listed = asked(stepfunctions._list_executions, stateMachineArn=machine)
        assert [each["executionArn"] for each in listed["executions"]] == [run.arn]
        name = run.arn.rsplit(":", 1)[1]
        status, _ = asked(stepfunctions._start_execution, stateMachineArn=machine, name=name)
        assert status == 400
    assert stepfunctions.get_state()["executions"]._data.keys() == {key for key, _ in held.here()}
    assert step.executions.get("arn:of:nobody") is None


def test_what_was_put_away_is_there_after_a_restart_and_goes_with_its_machine(shelf: Shelf, tmp_path: Path):
    first = executions.Executions(shelf, kept=0)
    key = ("0", "r", "arn:1")
    first[key] = {"status": "SUCCEEDED", "stopDate": "2026-01-01T00:00:00Z", "events": [{"id": 1}]}
    first.tidy()
    again = executions.Executions(Shelf(tmp_path / "shelf.db"))
    assert key in again
    assert again[key]["events"] == [{"id": 1}]
    assert [name for name, _ in again.items()] == [key]
    again.pop(key)
    assert key not in first
    with pytest.raises(KeyError):
        again[key]


# ------------------------------------------------------------ logs
def lines(group: str, stream: str, *messages: str, at: int) -> None:
    events = [{"timestamp": at + number, "message": message} for number, message in enumerate(messages)]
    status, _ = asked(
        cloudwatch_logs._put_log_events, logGroupName=group, logStreamName=stream, logEvents=events
    )
    assert status == 200


def found(group: str, **request: Any) -> list[str]:
    _, answer = asked(cloudwatch_logs._filter_log_events, logGroupName=group, **request)
    return [event["message"] for event in answer["events"]]


@pytest.fixture
def group(shelf: Shelf) -> str:
    old_logs.install(shelf)
    name = "/of/a/test"
    asked(cloudwatch_logs._create_log_group, logGroupName=name)
    for number, stream in enumerate(("old", "new")):
        asked(cloudwatch_logs._create_log_stream, logGroupName=name, logStreamName=stream)
        lines(name, stream, f"{stream} one", f"{stream} two", at=1_000 * (number + 1))
    return name


def in_memory(group: str) -> list[str]:
    return [name for name, _ in logs.groups[group]["streams"].here()]


def test_quiet_streams_are_on_disk_and_read_from_there(group: str):
    old_logs.tidy(quiet_seconds=-1)
    assert in_memory(group) == []
    assert found(group) == ["old one", "old two", "new one", "new two"]
    assert found(group, startTime=2_000) == ["new one", "new two"]
    assert found(group, logStreamNames=["old"]) == ["old one", "old two"]
    assert in_memory(group) == []
    _, streams = asked(cloudwatch_logs._describe_log_streams, logGroupName=group)
    assert {each["logStreamName"] for each in streams["logStreams"]} == {"old", "new"}
    records = cloudwatch_logs._collect_query_records([group], 0, 10)
    assert [record["@message"] for record in records] == ["old one", "old two", "new one", "new two"]
    _, one = asked(cloudwatch_logs._get_log_events, logGroupName=group, logStreamName="old")
    assert [event["message"] for event in one["events"]] == ["old one", "old two"]


def test_a_stream_that_was_put_away_takes_more_lines(group: str):
    old_logs.tidy(quiet_seconds=-1)
    lines(group, "old", "old three", at=3_000)
    assert found(group) == ["old one", "old two", "new one", "new two", "old three"]
    old_logs.tidy(quiet_seconds=-1)
    assert found(group, startTime=3_000) == ["old three"]


def test_a_saved_state_older_than_the_disk_hides_nothing_after_a_crash(group: str, shelf: Shelf):
    saved = cloudwatch_logs.get_state()["log_groups"]._data
    lines(group, "old", "said later", at=4_000)
    old_logs.tidy(quiet_seconds=-1)
    logs.groups._data = {}
    hold_in(logs.groups, old_logs.Groups(shelf))
    logs.groups._data.update(saved)
    assert found(group)[-1] == "said later"


def test_what_is_deleted_is_gone_from_disk_too(group: str):
    old_logs.tidy(quiet_seconds=-1)
    asked(cloudwatch_logs._delete_log_stream, logGroupName=group, logStreamName="old")
    assert found(group) == ["new one", "new two"]
    asked(cloudwatch_logs._delete_log_group, logGroupName=group)
    asked(cloudwatch_logs._create_log_group, logGroupName=group)
    assert found(group) == []


def test_records_of_single_lines_are_bounded(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(old_logs, "_MOST_RECORDS", 3)
    kept = old_logs.Newest()
    for number in range(9):
        kept[number] = number
    assert list(kept) == [6, 7, 8]
    assert copy.deepcopy(kept) == {}


# ------------------------------------------------------------ objects
def test_contents_of_versions_are_read_from_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(s3, "S3_PERSIST", True)
    monkeypatch.setattr(s3, "DATA_DIR", str(tmp_path))
    monkeypatch.setattr(s3, "_persist_object", objects.letting_go(s3._persist_object))
    bucket = "of-a-test"
    s3._create_bucket(bucket, b"", {})
    s3._bucket_versioning[bucket] = "Enabled"
    versions = []
    for content in (b"first", b"second", b"third"):
        _, headers, _ = s3._put_object(bucket, "a/key", content, {})
        versions.append(headers["x-amz-version-id"])
    assert [each["data"] for each in s3._object_versions[(bucket, "a/key")]] == [None] * 3
    read = [s3._get_object(bucket, "a/key", {}, {"versionId": [each]})[2] for each in versions]
    assert read == [b"first", b"second", b"third"]
    assert s3._get_object(bucket, "a/key", {})[2] == b"third"


def test_what_has_cooled_is_read_changed_and_deleted_like_anything_else(shelf: Shelf, tmp_path: Path):
    kept = Cooling(shelf, "object", "here", {("b", number): [{"n": number}] for number in range(4)})
    kept.cool()
    kept["b", 3].append(b"changed")
    assert kept.cool() == 3
    assert kept["b", 3] == [{"n": 3}, b"changed"]
    assert kept.get(("b", 0)) == [{"n": 0}]
    kept["b", 0].append("changed too")
    kept.cool()
    kept.cool()
    assert dict(kept.items())["b", 0] == [{"n": 0}, "changed too"]
    assert kept.setdefault(("b", 1), []) == [{"n": 1}]
    assert kept.pop(("b", 2)) == [{"n": 2}]
    assert kept.pop(("b", 2), None) is None
    assert sorted(kept) == [("b", 0), ("b", 1), ("b", 3)]
    assert len(kept) == 3


def test_names_of_what_has_cooled_are_on_disk_too(shelf: Shelf):
    kept = Cooling(shelf, "object", "here", {f"a/{number}": {"size": number} for number in range(1_200)})
    kept.cool()
    assert kept.cool() == 1_200
    assert list(dict.keys(kept)) == []
    assert len(kept) == 1_200
    assert sorted(kept) == sorted(f"a/{number}" for number in range(1_200))
    assert "a/7" in kept
    assert "a/1200" not in kept
    assert kept["a/7"] == {"size": 7}
    del kept["a/7"], kept["a/8"]
    with pytest.raises(KeyError):
        kept["a/8"]
    kept.cool()
    kept.cool()
    assert len(kept) == 1_198
    kept.clear()
    assert list(kept) == []


def test_who_only_looks_warms_nothing(shelf: Shelf):
    kept = Cooling(shelf, "object", "here", {"a": {"size": 1}})
    kept.cool()
    kept.cool()
    assert looking(lambda: (kept["a"], kept.get("b"), "a" in kept))() == ({"size": 1}, None, True)
    assert list(dict.keys(kept)) == []
    assert kept["a"] == {"size": 1}
    assert list(dict.keys(kept)) == ["a"]


@pytest.mark.slow
@given(st.sets(st.one_of(st.text(), st.tuples(st.text(), st.tuples(st.text(), st.text()))), max_size=8))
def test_names_come_back_as_they_were(names: set[Any]):
    with tempfile.TemporaryDirectory() as folder:
        kept = Cooling(Shelf(Path(folder) / "shelf.db"), "object", "here", dict.fromkeys(names, 1))
        kept.cool()
        kept.cool()
        assert set(kept) == names
        assert {kept[name] for name in names} <= {1}


def test_what_is_asked_for_while_the_rest_cools_stays(shelf: Shelf, monkeypatch: pytest.MonkeyPatch):
    kept = Cooling(shelf, "object", "here", {number: [number] for number in range(1_000)})
    kept.cool()
    put_all = shelf.put_all

    def asking(*given: Any) -> None:
        put_all(*given)
        kept[999].append("changed in the meantime")

    monkeypatch.setattr(shelf, "put_all", asking)
    kept.cool()
    assert kept[999][0] == 999
    assert kept[999][1:]


def test_buckets_keep_their_objects_so_from_the_moment_they_are_made(shelf: Shelf):
    buckets = CoolingInside(shelf, "record", "objects")
    buckets.update({("0", "a"): {"objects": {"x": {"size": 1}}}})
    buckets.setdefault(("0", "b"), {"objects": {}})["objects"]["y"] = {"size": 2}
    for cooling in [*buckets.cooling(), *buckets.cooling()]:
        cooling.cool()
    assert [buckets["0", "a"]["objects"]["x"], buckets["0", "b"]["objects"]["y"]] == [
        {"size": 1},
        {"size": 2},
    ]
