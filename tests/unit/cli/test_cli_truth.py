"""`tidegate truth` against a cloud in memory: what it reads, refuses, drops and tells, and the exit codes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from cli_fakes import DATA, FakeCloud, FakeSteps, History

from tidegate.cli.stack import Stack
from tidegate.core import names

COUNTS = {"rows": 3, "matched": 1, "corrected": 0, "repeated": 0, "waiting": 2, "first_waiting": ["x1", "x2"]}


@pytest.fixture
def file(tmp_path: Path, cloud: FakeCloud) -> Path:
    spec = {"name": "cars", "target": "Price", "id": "Id", "features": {"KM": "numeric"}, "algorithms": {}}
    cloud.s3.put_json("cars/spec.json", {"source_sha256": "abc", "spec": spec})
    path = tmp_path / "may.v2.csv"
    path.write_text("Id,KM,Price\na,1,5\nb,2,6\nc,3,7\n")
    return path


@pytest.fixture
def checked(cloud: FakeCloud, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Give a way to say how the next check finds that a file fared."""
    outputs = Stack.output

    def output(self: Stack, name: str) -> str:
        return "arn:monitor" if name == "MonitorMachineArn" else outputs(self, name)

    monkeypatch.setattr(Stack, "output", output)

    def finds(counts: dict[str, Any] | None, status: str = "SUCCEEDED", reason: str = "all well") -> None:
        def start_execution(self: FakeSteps, **given: str) -> dict[str, str]:
            run = given["name"].rpartition("-")[2]
            result: dict[str, Any] = {"verdict": "ok", "algorithms": {}}
            if counts is not None:
                result["algorithms"] = {"xgboost": {"verdict": "ok"}}
                [key] = [key for bucket, key in cloud.s3.objects if bucket == DATA and "/truth/" in key]
                etag = cloud.s3.head_object(DATA, key)["ETag"].strip('"')
                so_far = {"rows": 40, "metrics": {"rmse": 12.345}}
                document = {"files": {names.truth_digest(key, etag): counts}, "so_far": so_far}
                cloud.s3.put_json(f"{names.check_prefix('cars', run)}/xgboost/check.json", document)
            facts = {"kind": "monitor", "model": "cars", "execution": "arn:e", "key": "on demand"}
            cloud.dynamodb.put(
                run,
                status=status,
                started="2026-11-21T05:00:00Z",
                reason=reason,
                result=json.dumps(result),
                **facts,
            )
            return {"executionArn": "arn:e"}

        monkeypatch.setattr(FakeSteps, "start_execution", start_execution, raising=False)
        history = History()
        history.add("ExecutionStarted")
        history.add("ExecutionSucceeded" if status == "SUCCEEDED" else "ExecutionFailed")
        cloud.stepfunctions.events = history.events

    return finds


def dropped(cloud: FakeCloud) -> list[str]:
    return [key for bucket, key in cloud.s3.objects if bucket == DATA]


def test_it_says_which_columns_it_found_and_when_they_are_matched(tidegate, cloud, file):
    done = tidegate("truth", "cars", str(file))
    assert done.exit_code == 0, done.output
    for words in ("3 rows", "'Price'", "'Id', the model's id column", "one every 1 hour", "--wait"):
        assert words in done.stdout
    assert dropped(cloud) == ["cars/truth/may.v2.csv"]


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ('{"prediction_id": "p", "label": 5}\n', ("prediction_id", "label")),
        (
            '{"groundTruthData": {"data": "5", "encoding": "CSV"}, "eventMetadata": {"eventId": "p"}}\n',
            ("eventMetadata.eventId", "groundTruthData.data"),
        ),
        ("inference_id,ground_truth\np,5\n", ("inference_id", "ground_truth")),
    ],
)
def test_a_prediction_may_be_called_by_the_id_that_it_got(tidegate, cloud, file, text, columns):
    file.write_text(text)
    done = tidegate("truth", "cars", str(file), "--json")
    document = json.loads(done.stdout)
    assert (document["id_column"], document["target_column"]) == columns
    assert (document["matched_by"], document["status"]) == ("prediction id", "SUBMITTED")


def test_a_file_that_a_check_would_refuse_is_refused_at_once_and_nothing_is_dropped(tidegate, cloud, file):
    file.write_text("Id,Price\na,cheap\n")
    done = tidegate("truth", "cars", str(file))
    assert done.exit_code == 5
    assert "may.v2.csv, line 2, column 'Price': 'cheap' is not a number" in done.stderr
    file.write_text("KM,Price\n1,2\n")
    done = tidegate("truth", "cars", str(file), "--json")
    assert done.exit_code == 5
    assert "no id column: one must be Id or prediction_id" in json.loads(done.stdout)["error"]["message"]
    assert dropped(cloud) == []


def test_with_wait_it_tells_what_matched_and_what_waits_and_why(tidegate, cloud, file, checked):
    checked(COUNTS)
    done = tidegate("truth", "cars", str(file), "--wait")
    assert done.exit_code == 0, done.output
    for words in (
        "2 rows without a prediction",
        "('x1', 'x2')",
        "by 'Id' or the prediction id",
        "12.35 by 40 truths",
        "all well",
    ):
        assert words in done.stdout
    again = tidegate("truth", "cars", str(file), "--wait", "--json")
    document = json.loads(again.stdout)
    assert (document["status"], document["verdict"]) == ("DUPLICATE", "ok")
    assert document["algorithms"]["xgboost"]["waiting"] == 2
    assert cloud.s3.puts == 1
    assert (
        json.loads(tidegate("truth", "cars", str(file), "--again", "--json").stdout)["status"] == "SUBMITTED"
    )
    assert cloud.s3.puts == 2


@pytest.mark.parametrize(
    ("counts", "status", "code"),
    [
        ({**COUNTS, "matched": 0, "waiting": 3}, "SUCCEEDED", 4),
        ({**COUNTS, "matched": 0, "repeated": 3, "waiting": 0}, "SUCCEEDED", 0),
        (None, "SUCCEEDED", 4),
        (None, "FAILED", 1),
    ],
)
def test_the_exit_code_says_whether_any_row_found_its_prediction(
    tidegate, file, checked, counts, status, code
):
    checked(counts, status, "no model of cars serves yet; train one, then check again")
    done = tidegate("truth", "cars", str(file), "--wait")
    assert done.exit_code == code, done.output
    if counts is None:
        assert "no model of cars serves yet" in done.stdout


def test_other_content_of_a_file_is_dropped_too_and_ids_named_again_are_told(tidegate, cloud, file):
    tidegate("truth", "cars", str(file))
    file.write_text("Id,Price\nd,8\nd,9\n")
    done = tidegate("truth", "cars", str(file))
    assert "1 row names an id again; the last row of each counts" in done.stdout
    assert (len(dropped(cloud)), cloud.s3.puts) == (1, 2)


def test_a_check_that_was_faster_is_waited_for_and_tells_how_the_file_fared(tidegate, cloud, file, checked):
    checked(None, reason="the run 0f is checking the same predictions right now")
    tidegate("truth", "cars", str(file))
    facts = {"kind": "monitor", "model": "cars", "execution": "arn:other", "key": "a schedule"}
    cloud.dynamodb.put("0f", status="RUNNING", started="2026-11-21T04:59:59Z", **facts)
    cloud.stepfunctions.status = "RUNNING"

    def ends(run: str) -> None:
        if run == "0f" and "result" not in cloud.dynamodb.items["0f"]:
            [key] = dropped(cloud)
            etag = cloud.s3.head_object(DATA, key)["ETag"].strip('"')
            home = names.check_prefix("cars", "0f")
            files = {names.truth_digest(key, etag): COUNTS}
            cloud.s3.put_json(f"{home}/xgboost/check.json", {"files": files, "so_far": None})
            result = json.dumps({"verdict": "ok", "algorithms": {"xgboost": {"verdict": "ok"}}})
            cloud.dynamodb.put("0f", status="SUCCEEDED", started="x", reason="", result=result, **facts)

    cloud.dynamodb.on_get = ends
    done = tidegate("truth", "cars", str(file), "--wait", "--json")
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["algorithms"]["xgboost"]["check"] == "0f"
