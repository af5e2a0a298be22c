"""Each verb against a cloud in memory: what it prints, what it asks for, and how it ends."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from cli_fakes import ARTIFACTS, DATA, FakeCloud, History, refusal, training_history

from tidegate.cli import apply as apply_verb
from tidegate.cli import watch
from tidegate.core import names

MODEL_YAML = """
name: cars
target: Price
features:
  KM: numeric
algorithms:
  xgboost:
gate: {at_most: 2500}
"""
RESULT = {
    "run": "ignored",
    "status": "SUCCEEDED",
    "reason": "xgboost: fine",
    "algorithms": {
        "xgboost": {"status": "SUCCEEDED", "rmse": 12.5, "gate": {}, "endpoint": "tg-cars-xgboost"}
    },
}


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    file = tmp_path / "my cars+1.csv"
    file.write_text("KM,Fuel,Price\n1,Diesel,2\n")
    return file


def finish(cloud: FakeCloud, run: str, status: str = "SUCCEEDED", **more: str) -> None:
    cloud.dynamodb.put(
        run,
        model="cars",
        status=status,
        started="2026-11-21T03:00:00Z",
        finished="2026-11-21T03:00:20Z",
        reason="why",
        execution="arn:run",
        spec_sha256="abc",
        result=json.dumps({**RESULT, "status": status}),
        **more,
    )


def run_when_dropped(cloud: FakeCloud, status: str = "SUCCEEDED") -> None:
    """Let the machine claim a run when the file is dropped, and end it once its history is shown."""

    def claim(bucket: str, key: str) -> None:
        run = names.run_id(bucket, key, f"v{cloud.s3.puts}")
        cloud.dynamodb.put(run, model="cars", status="RUNNING", started="2026", execution="arn:run")
        cloud.stepfunctions.events = training_history().events

    def end(run: str) -> None:
        if run in cloud.dynamodb.items and cloud.stepfunctions.shown == len(cloud.stepfunctions.events):
            finish(cloud, run, status)

    cloud.s3.on_put, cloud.dynamodb.on_get = claim, end


def test_train_with_wait_and_json_prints_the_result_and_nothing_else(
    cloud: FakeCloud, tidegate: Any, rows: Path
) -> None:
    run_when_dropped(cloud)
    done = tidegate("train", "cars", str(rows), "--wait", "--json")
    run = names.run_id(DATA, "cars/train/my cars+1.csv", "v1")
    assert json.loads(done.stdout) == {
        "run": run,
        "status": "SUCCEEDED",
        "reason": "why",
        "algorithms": RESULT["algorithms"],
    }
    assert done.exit_code == 0
    assert "xgboost · Train the model: started" in done.stderr.splitlines()


@pytest.mark.parametrize(
    ("status", "code"), [("SUCCEEDED", 0), ("REJECTED", 3), ("FAILED", 1), ("REFUSED", 5)]
)
def test_the_exit_code_of_train_tells_how_the_run_ended(
    cloud: FakeCloud, tidegate: Any, rows: Path, status: str, code: int
) -> None:
    run_when_dropped(cloud, status)
    done = tidegate("train", "cars", str(rows), "--wait")
    assert done.exit_code == code
    assert status in done.stdout


def test_train_without_wait_tells_the_run_and_returns(cloud: FakeCloud, tidegate: Any, rows: Path) -> None:
    done = tidegate("train", "cars", str(rows), "--json")
    assert json.loads(done.stdout)["status"] == "SUBMITTED"
    assert (DATA, "cars/train/my cars+1.csv") in cloud.s3.objects


def test_the_same_file_is_not_trained_twice(cloud: FakeCloud, tidegate: Any, rows: Path) -> None:
    run_when_dropped(cloud)
    first = json.loads(tidegate("train", "cars", str(rows), "--wait", "--json").stdout)
    done = tidegate("train", "cars", str(rows), "--wait", "--json")
    again = json.loads(done.stdout)
    assert (again["status"], again["run"], done.exit_code) == ("DUPLICATE", first["run"], 0)
    assert again["algorithms"] == first["algorithms"]
    assert cloud.s3.puts == 1


def test_a_file_put_by_another_tool_is_known_by_its_md5(cloud: FakeCloud, tidegate: Any, rows: Path) -> None:
    cloud.s3.put_object(DATA, "cars/train/my cars+1.csv", rows.read_bytes())
    finish(cloud, names.run_id(DATA, "cars/train/my cars+1.csv", "v1"))
    assert json.loads(tidegate("train", "cars", str(rows), "--json").stdout)["status"] == "DUPLICATE"


@pytest.mark.parametrize("change", ["content", "again", "model file", "failed"])
def test_what_differs_is_trained_anew(cloud: FakeCloud, tidegate: Any, rows: Path, change: str) -> None:
    run_when_dropped(cloud, "FAILED" if change == "failed" else "SUCCEEDED")
    tidegate("train", "cars", str(rows), "--wait")
    if change == "content":
        rows.write_text("KM,Fuel,Price\n3,Petrol,4\n")
    elif change == "model file":
        cloud.s3.put_json("cars/spec.json", {"source_sha256": "new", "spec": {}})
    tidegate("train", "cars", str(rows), *(["--again"] if change == "again" else []))
    assert cloud.s3.puts == 2


def test_a_run_whose_execution_was_stopped_does_not_count_as_running(
    cloud: FakeCloud, tidegate: Any, rows: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "RECORD_SECONDS", 0.0)
    tidegate("train", "cars", str(rows))
    run = names.run_id(DATA, "cars/train/my cars+1.csv", "v1")
    cloud.dynamodb.put(run, model="cars", status="RUNNING", started="2026", execution="arn:run")
    cloud.stepfunctions.status = "RUNNING"
    assert json.loads(tidegate("train", "cars", str(rows), "--json").stdout)["status"] == "DUPLICATE"
    cloud.stepfunctions.status = "ABORTED"
    assert json.loads(tidegate("train", "cars", str(rows), "--json").stdout)["status"] == "SUBMITTED"


def test_a_run_that_never_starts_is_told_with_where_to_look(
    cloud: FakeCloud, tidegate: Any, rows: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "START_SECONDS", 0.01)
    done = tidegate("train", "cars", str(rows), "--wait")
    assert done.exit_code == 1
    assert "has not started" in done.stderr
    assert "tidegate inbox" in done.stderr


def test_an_unknown_model_is_answered_with_the_nearest_one(
    cloud: FakeCloud, tidegate: Any, rows: Path
) -> None:
    done = tidegate("train", "card", str(rows), "--json")
    assert done.exit_code == 1
    told = json.loads(done.stdout)["error"]
    assert "Did you mean cars?" in told["message"]
    assert "tidegate apply" in told["remedy"]


def test_a_file_that_is_not_there_is_a_wrong_use(cloud: FakeCloud, tidegate: Any, tmp_path: Path) -> None:
    done = tidegate("train", "cars", str(tmp_path / "nothing.csv"))
    assert done.exit_code == 2
    assert "nothing.csv does not exist" in done.stderr


def test_apply_waits_until_the_file_is_in_force(cloud: FakeCloud, tidegate: Any, tmp_path: Path) -> None:
    file = tmp_path / "model.yaml"
    file.write_text(MODEL_YAML)
    digest = hashlib.sha256(MODEL_YAML.encode()).hexdigest()
    cloud.s3.on_put = lambda bucket, key: cloud.s3.put_json(
        "cars/spec.json", {"source_sha256": digest, "spec": {}}
    )
    applied = json.loads(tidegate("apply", str(file), "--json").stdout)
    assert (applied["status"], applied["model"], applied["algorithms"]) == ("APPLIED", "cars", ["xgboost"])
    assert cloud.s3.objects[DATA, "cars/model.yaml"]["body"] == MODEL_YAML.encode()
    assert json.loads(tidegate("apply", str(file), "--json").stdout)["status"] == "UNCHANGED"
    assert cloud.s3.puts == 1


def test_apply_tells_the_line_of_a_bad_model_file_and_drops_nothing(
    cloud: FakeCloud, tidegate: Any, tmp_path: Path
) -> None:
    file = tmp_path / "model.yaml"
    file.write_text(MODEL_YAML.replace("at_most", "at_mots"))
    done = tidegate("apply", str(file))
    assert done.exit_code == 1
    assert "line 8" in done.stderr
    assert cloud.s3.puts == 0


@pytest.mark.slow
def test_apply_passes_on_the_refusal_of_the_cloud(cloud: FakeCloud, tidegate: Any, tmp_path: Path) -> None:
    file = tmp_path / "model.yaml"
    file.write_text(MODEL_YAML)
    other = {"model": "cars", "kind": "training-failed", "message": "another matter"}
    told = {"model": "cars", "kind": "model-refused", "message": "cars/model.yaml was refused: too new"}

    def refuse(bucket: str, key: str) -> None:
        cloud.s3.put_json("notifications/1-a-training-failed.json", other)
        cloud.s3.put_json("notifications/2-b-model-refused.json", told)

    cloud.s3.on_put = refuse
    done = tidegate("apply", str(file))
    assert done.exit_code == 1
    assert "refused: too new" in done.stderr


@pytest.mark.slow
def test_apply_does_not_wait_for_ever(
    cloud: FakeCloud, tidegate: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(apply_verb, "WAIT_SECONDS", 0.01)
    file = tmp_path / "model.yaml"
    file.write_text(MODEL_YAML)
    assert "nobody has read it" in tidegate("apply", str(file)).stderr


def test_runs_are_listed_newest_first_and_by_model(cloud: FakeCloud, tidegate: Any) -> None:
    finish(cloud, "aaaa00000000")
    cloud.dynamodb.put("bbbb00000000", model="cars", status="RUNNING", started="2026-11-22T00:00:00Z")
    cloud.dynamodb.put("cccc00000000", model="boats", status="RUNNING", started="2026-11-23T00:00:00Z")
    every = json.loads(tidegate("runs", "--json").stdout)["runs"]
    assert [each["run"][:4] for each in every] == ["cccc", "bbbb", "aaaa"]
    only = json.loads(tidegate("runs", "cars", "--limit", "1", "--json").stdout)["runs"]
    assert "bbbb00000000" in [each["run"] for each in only]
    assert "xgboost 12.5" in tidegate("runs", "cars").stdout


def test_a_run_is_shown_state_by_state_with_its_reasons(cloud: FakeCloud, tidegate: Any) -> None:
    finish(cloud, "aaaa00000000")
    cloud.stepfunctions.events, cloud.stepfunctions.per_look = training_history().events, 999
    document = json.loads(tidegate("run", "aaaa00000000", "--json").stdout)
    assert [state["name"] for state in document["states"]] == [
        "Claim the run",
        "For each algorithm",
        "Tell people",
    ]
    shown = tidegate("run", "aaaa").stdout
    assert "↪ Train the model" in shown
    assert "SUCCEEDED in 20.0 s" in shown


def test_a_run_under_way_is_followed_to_its_end(cloud: FakeCloud, tidegate: Any) -> None:
    cloud.dynamodb.put("aaaa00000000", model="cars", status="RUNNING", started="2026", execution="arn:run")
    cloud.stepfunctions.events = training_history().events
    cloud.dynamodb.on_get = lambda run: (
        finish(cloud, run) if cloud.stepfunctions.shown == len(cloud.stepfunctions.events) else None
    )
    done = tidegate("run", "aaaa00000000")
    assert "Tell people: done" in done.stderr
    assert "SUCCEEDED" in done.stdout


def test_an_id_that_several_runs_begin_with_is_asked_back(cloud: FakeCloud, tidegate: Any) -> None:
    finish(cloud, "aaaa00000000")
    finish(cloud, "aaaa11111111")
    done = tidegate("run", "aaaa")
    assert done.exit_code == 1
    assert "2 runs begin with aaaa" in done.stderr
    assert "There is no run ffff" in tidegate("run", "ffff").stderr


def test_logs_of_functions_and_jobs_are_merged_in_the_order_of_time(cloud: FakeCloud, tidegate: Any) -> None:
    run = "aaaa00000000"
    finish(cloud, run)
    result = {
        **RESULT,
        "algorithms": {"xgboost": {"status": "SUCCEEDED", "training_job": "tg-cars-xgboost-a"}},
    }
    cloud.dynamodb.items[run]["result"] = {"S": json.dumps(result)}
    scheduled = {
        "id": 1,
        "previousEventId": 0,
        "type": "TaskScheduled",
        "timestamp": training_history().events[0]["timestamp"],
        "taskScheduledEventDetails": {"parameters": '{"TransformJobName":"tg-cars-xgboost-a-c"}'},
    }
    cloud.stepfunctions.events = [scheduled]
    line = {
        "level": "INFO",
        "message": "split",
        "correlation_id": run,
        "function_name": "tidegate-Pre",
        "rows": 3,
    }
    cloud.logs.lines = {
        "/aws/lambda/tidegate-Preprocess": [("s", 1000, json.dumps(line)), ("s", 1001, "of another run")],
        "/aws/sagemaker/TrainingJobs": [
            ("tg-cars-xgboost-a/algo-1-1", 1500, "[0]#011train-rmse:0.7"),
            ("tg-cars-xgboost-a-1/algo-1-1", 1600, "a later try"),
        ],
        "/aws/sagemaker/TransformJobs": [("tg-cars-xgboost-a-c/i-1", 1700, "scored")],
    }
    found = json.loads(tidegate("logs", run, "--json").stdout)["lines"]
    assert [each["text"] for each in found] == ["split  rows=3", "[0]\ttrain-rmse:0.7", "scored"]
    assert [each["source"] for each in found] == ["Pre", "tg-cars-xgboost-a", "tg-cars-xgboost-a-c"]


def test_the_inbox_shows_the_newest_first(cloud: FakeCloud, tidegate: Any) -> None:
    for at in ("20261121T030000.1Z", "20261121T040000.1Z", "20261121T050000.1Z"):
        told = {"at": at, "subject": f"at {at}", "message": "[bold]as it is", "kind": "training-failed"}
        cloud.s3.put_json(f"notifications/{at}-run-training-failed.json", told)
    newest = json.loads(tidegate("inbox", "--limit", "2", "--json").stdout)["notifications"]
    assert [each["at"][9:11] for each in newest] == ["05", "04"]
    shown = tidegate("inbox", "--limit", "2").stdout
    assert "[bold]as it is" in shown
    assert "1 older ones" in shown


def test_models_tell_endpoint_state_and_last_run(cloud: FakeCloud, tidegate: Any) -> None:
    cloud.serve()
    finish(cloud, "aaaa00000000")
    cloud.s3.put_json("notifications/x.json", {})
    described = json.loads(tidegate("models", "--json").stdout)["models"]
    assert [each["model"] for each in described] == ["cars"]
    algorithm = described[0]["algorithms"]["xgboost"]
    assert (algorithm["state"], algorithm["last_rmse"]) == ("InService", 12.5)
    assert "12.5" not in tidegate("models").stdout.replace("tg-cars", "")


def test_models_tell_what_lasts_and_what_a_retraining_waits_for(cloud: FakeCloud, tidegate: Any) -> None:
    cloud.serve()
    episode = {"since": "2026-03-03T14:00:00+00:00", "severity": "act", "parts": {"KM": "act"}}
    episode |= {"extent": 0.5, "champion": "m", "last": "2026-03-04T14:00:00+00:00", "checks": 9}
    episode["extents"] = [0.2, 0.3, 0.4, 0.45, 0.5]
    told = {"algorithms": {"xgboost": {"window": 3, "episodes": {"drift": episode}}}, "spoken": None}
    wish = {"since": "2026-03-03T14:05:00+00:00", "run": "r", "causes": ["drift"], "waits": ["ground truth"]}
    cloud.dynamodb.watched = {
        "cars/#told": {"version": {"N": "1"}, "document": {"S": json.dumps(told)}},
        "cars/#retrain": {"version": {"N": "1"}, "document": {"S": json.dumps({"wish": wish})}},
    }
    found = json.loads(tidegate("models", "--json").stdout)["models"][0]["watched"]
    assert found["severity"] == "act"
    assert found["lasts"][0] == {
        "algorithm": "xgboost",
        "what": "drift",
        "since": "2026-03-03T14:00:00+00:00",
        "severity": "act",
        "columns": ["KM"],
        "checks": 9,
        "trend": "rising",
    }
    assert found["retraining"]["waits_for"] == ["ground truth"]
    shown = " ".join(tidegate("models").stdout.split())
    assert "cars: drift since 2026-03-03 14:00 UTC in KM (act, growing)" in shown
    assert (
        "cars: a retraining is wanted since 2026-03-03 14:05 UTC for drift; it waits for ground truth"
        in shown
    )


def test_models_of_before_tell_when_a_retraining_was_last_started(cloud: FakeCloud, tidegate: Any) -> None:
    old = {"id": {"S": "cars/#retrain"}, "run": {"S": "r"}, "started": {"S": "2026-03-03T14:05:00+00:00"}}
    cloud.dynamodb.watched = {"cars/#retrain": old}
    found = json.loads(tidegate("models", "--json").stdout)["models"][0]["watched"]
    assert (found["severity"], found["lasts"]) == ("none", [])
    assert found["retraining"]["last_started"] == "2026-03-03T14:05:00+00:00"


def test_models_tell_how_good_what_serves_is_whatever_came_of_later_runs(
    cloud: FakeCloud, tidegate: Any
) -> None:
    cloud.serve()
    served = "tg-cars-xgboost-aaaa00000000"
    cloud.ssm.values["/tidegate/cars/xgboost/model"] = served
    good = {"status": "SUCCEEDED", "rmse": 0.528, "model": served}
    bad = {"status": "REJECTED", "rmse": 99.5, "model": "tg-cars-xgboost-bbbb00000000"}
    for run, entry in (("aaaa00000000", {"xgboost": good}), ("bbbb00000000", {"xgboost": bad})):
        result = json.dumps({"algorithms": entry})
        cloud.dynamodb.put(run, model="cars", status="SUCCEEDED", started=run, result=result)
    shown = tidegate("models").stdout
    assert "0.528" in shown and "99.5" not in shown
    cloud.dynamodb.put("cccc00000000", model="cars", status="REFUSED", started="cccc", result="{}")
    shown = tidegate("models").stdout
    assert "0.528" in shown and "REFUSED" in shown
    found = json.loads(tidegate("models", "--json").stdout)["models"][0]["algorithms"]["xgboost"]
    assert (found["rmse"], found["last_rmse"]) == (0.528, None)


def test_status_tells_the_stack_and_where_to_drop(cloud: FakeCloud, tidegate: Any) -> None:
    assert json.loads(tidegate("status", "--json").stdout)["stack"]["status"] == "CREATE_COMPLETE"
    assert "s3://data-bucket" in tidegate("status").stdout


def test_a_stack_that_is_not_deployed_is_told(cloud: FakeCloud, tidegate: Any) -> None:
    done = tidegate("models", "--stack", "other")
    assert done.exit_code == 1
    assert "no stack named other" in done.stderr
    assert "tidegate up" in done.stderr


def test_expired_credentials_are_told_without_a_traceback(
    cloud: FakeCloud, tidegate: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def expired(**_: Any) -> Any:
        raise refusal("ExpiredToken", "The security token has expired", "DescribeStacks")

    monkeypatch.setattr(cloud.cloudformation, "describe_stacks", expired)
    done = tidegate("models")
    assert done.exit_code == 1
    assert "credentials have expired" in done.stderr
    assert "Traceback" not in done.stderr


def test_artifacts_of_a_model_that_was_never_declared_are_no_model(cloud: FakeCloud, tidegate: Any) -> None:
    cloud.s3.objects[ARTIFACTS, "stray/runs/x"] = {"body": b"", "Metadata": {}, "VersionId": "1"}
    assert [each["model"] for each in json.loads(tidegate("models", "--json").stdout)["models"]] == ["cars"]


def test_logs_tell_of_a_function_that_failed_before_it_could_log(cloud: FakeCloud, tidegate: Any) -> None:
    finish(cloud, "aaaa00000000")
    history = History()
    history.add("TaskStateEntered", name="Make the baselines")
    cause = {"errorMessage": "no module named x", "stackTrace": ["  File app.py, line 1\n"]}
    history.add("TaskFailed", error="Runtime.ImportModuleError", cause=json.dumps(cause))
    cloud.stepfunctions.events = history.events
    [line] = json.loads(tidegate("logs", "aaaa00000000", "--json").stdout)["lines"]
    assert (line["source"], line["level"]) == ("Make the baselines", "ERROR")
    assert line["text"] == "Runtime.ImportModuleError: no module named x\n  File app.py, line 1"
