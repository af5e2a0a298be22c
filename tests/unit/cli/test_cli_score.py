"""`tidegate score` against a cloud in memory: what it drops, prints, brings, and when it does nothing anew."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from cli_fakes import ARTIFACTS, DATA, FakeCloud, training_history

from tidegate.core import names

HOME = "cars/scores/date=2026-11-21/run=x"
RESULT = {
    "rows": 12,
    "scored": 10,
    "rejected": 2,
    "scores": f"s3://{ARTIFACTS}/{HOME}",
    "rejects": f"s3://{ARTIFACTS}/rejects.csv",
    "algorithms": {"xgboost": {"status": "SUCCEEDED", "model": "tg-cars-xgboost-1"}},
}


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    file = tmp_path / "on sale.jsonl"
    file.write_text('{"KM": 1, "Fuel": "Diesel"}\n')
    return file


@pytest.fixture
def scoring(cloud: FakeCloud) -> FakeCloud:
    """Let a dropped file start a run that ends once its history is shown."""
    cloud.ssm.values["/tidegate/cars/xgboost/model"] = "tg-cars-xgboost-1"
    for ending in ("csv", "parquet"):
        cloud.s3.objects[ARTIFACTS, f"{HOME}/scores.{ending}"] = {"body": ending.encode()}

    def claim(bucket: str, key: str) -> None:
        run = names.run_id(bucket, key, f"v{cloud.s3.puts}")
        item = {"model": "cars", "kind": "score", "started": "2026-11-21T03:00:00Z", "execution": "arn:run"}
        cloud.dynamodb.put(run, status="RUNNING", **item)
        cloud.stepfunctions.events = training_history().events

    def end(run: str) -> None:
        if run in cloud.dynamodb.items and cloud.stepfunctions.shown == len(cloud.stepfunctions.events):
            item = {name: value["S"] for name, value in cloud.dynamodb.items[run].items() if name != "run"}
            item |= {"status": "SUCCEEDED", "reason": "10 rows scored", "spec_sha256": "abc"}
            item |= {"finished": "2026-11-21T03:00:05Z", "result": json.dumps(RESULT)}
            cloud.dynamodb.put(run, **item)

    cloud.s3.on_put, cloud.dynamodb.on_get = claim, end
    return cloud


def test_score_with_wait_and_json_prints_the_counts_and_where_the_scores_are(scoring, tidegate, rows):
    done = tidegate("score", "cars", str(rows), "--wait", "--json")
    run = names.run_id(DATA, "cars/score/on sale.jsonl", "v1")
    assert done.exit_code == 0
    assert json.loads(done.stdout) == {
        "run": run,
        "status": "SUCCEEDED",
        "reason": "10 rows scored",
        **RESULT,
    }


def test_score_without_wait_tells_the_run_and_returns(scoring, tidegate, rows):
    done = tidegate("score", "cars", str(rows))
    assert done.exit_code == 0
    assert "is on its way" in done.stdout


@pytest.mark.parametrize("ending", ["csv", "parquet", "CSV"])
def test_the_ending_of_out_says_in_what_form_the_scores_come(scoring, tidegate, rows, tmp_path, ending):
    out = tmp_path / f"scores.{ending}"
    done = tidegate("score", "cars", str(rows), "-o", str(out))
    assert done.exit_code == 0
    assert out.read_text() == ending.lower()
    assert f"written to {out}" in done.stdout.replace("\n", "")
    assert sorted(path.name for path in tmp_path.iterdir()) == [rows.name, out.name]


@pytest.mark.parametrize(
    ("out", "words"), [("scores.xlsx", "neither in .csv nor in .parquet"), ("no/x.csv", "no folder")]
)
def test_a_place_that_cannot_be_written_is_told_before_anything_is_dropped(
    scoring, tidegate, rows, tmp_path, out, words
):
    done = tidegate("score", "cars", str(rows), "-o", str(tmp_path / out))
    assert done.exit_code == 2
    assert words in done.stderr.replace("\n", " ")
    assert scoring.s3.puts == 0


def test_the_same_file_is_not_scored_twice_by_the_same_models(scoring, tidegate, rows, tmp_path):
    first = json.loads(tidegate("score", "cars", str(rows), "--wait", "--json").stdout)
    again = json.loads(tidegate("score", "cars", str(rows), "-o", str(tmp_path / "s.csv"), "--json").stdout)
    assert (again["status"], again["run"]) == ("DUPLICATE", first["run"])
    assert (tmp_path / "s.csv").read_text() == "csv"
    assert (
        json.loads(tidegate("score", "cars", str(rows), "--again", "--json").stdout)["status"] == "SUBMITTED"
    )


def test_the_same_file_is_scored_again_when_another_model_was_approved(scoring, tidegate, rows):
    tidegate("score", "cars", str(rows), "--wait")
    scoring.ssm.values["/tidegate/cars/xgboost/model"] = "tg-cars-xgboost-2"
    done = tidegate("score", "cars", str(rows), "--json")
    assert json.loads(done.stdout)["status"] == "SUBMITTED"


def test_runs_tell_what_was_scored_and_how_much(scoring: FakeCloud, tidegate: Any, rows: Path):
    tidegate("score", "cars", str(rows), "--wait")
    [listed] = json.loads(tidegate("runs", "--json").stdout)["runs"]
    assert (listed["kind"], listed["scored"], listed["rejected"]) == ("score", 10, 2)
    assert "10 rows, 2 set aside" in tidegate("runs").stdout
    shown = tidegate("run", listed["run"]).stdout
    assert "xgboost: scored by tg-cars-xgboost-1" in shown
    assert HOME in shown.replace("\n", "")


def test_models_tell_of_the_last_training_whatever_was_scored_since(scoring, tidegate, rows):
    tidegate("score", "cars", str(rows), "--wait")
    assert json.loads(tidegate("models", "--json").stdout)["models"][0]["last_run"] is None
