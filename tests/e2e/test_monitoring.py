"""Monitoring through the shipped machine: predictions, capture, check, verdict, notification, report, retraining."""

from __future__ import annotations

import io
import shutil
import subprocess
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.e2e import cars
from tests.e2e.caller import Caller
from tests.e2e.town import Town, csv_bytes, tidegate
from tests.e2e.watching import (
    INPUTS,
    CutShort,
    bookmark,
    capture,
    check,
    csv_of,
    label,
    over,
    shifted,
    start,
    task_states,
)
from tidegate.core import names
from tidegate.core.alarms import drift_alarm_name

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
TELLING = (
    "Recall what was told",
    "Weigh the news",
    "Remember what is told",
    "Send the message",
    "Say that drift was detected",
    "Cross off what was told",
)
QUICK = {"xgboost": {"hyperparameters": {"num_round": 40, "max_depth": 4}, "instance": "ml.m5.large"}}


def trained(town: Town, model: str, **monitor: object) -> dict:
    """Declare and train a model of one algorithm."""
    settings = {"every": "1 hour", "least_rows": 100, **monitor}
    town.declare(cars.spec(model, algorithms=QUICK, monitor=settings))
    record = town.train(model, "cars.csv", csv_bytes(cars.rows(700)))
    assert record["status"] == "SUCCEEDED", record["reason"]
    return record


def told(town: Town, model: str, kind: str) -> list[dict]:
    """Read the notifications of one kind about a model."""
    keys = [key for key in town.keys(town.artifacts, "notifications/") if key.endswith(f"-{kind}.json")]
    return [each for each in map(town.artifact_json, keys) if each["model"] == model]


def ask(town: Town, endpoint: str, rows: list[dict]) -> None:
    """Ask an endpoint about cars, ten at a time, and wait until all of it is captured."""
    before = captured(town, endpoint)
    for at in range(0, len(rows), 10):
        town.invoke(endpoint, csv_of(rows[at : at + 10]))
    town.until(lambda: captured(town, endpoint) == before + len(rows) // 10, "every request was captured")


def captured(town: Town, endpoint: str) -> int:
    """Count the requests that were captured of an endpoint."""
    keys = [key for key in town.keys(town.artifacts, "cars-watched/capture/") if f"/{endpoint}/" in key]
    return sum(len(town.read(town.artifacts, key).decode().splitlines()) for key in keys)


def test_drift_is_told_when_it_starts_worsens_and_ends_and_retrains_when_truth_has_come(
    town: Town, tmp_path: Path
):
    model = "cars-watched"
    endpoint = trained(town, model, retrain="on_drift")["result"]["algorithms"]["xgboost"]["endpoint"]

    ask(town, endpoint, cars.rows(150, seed=5))
    quiet = check(town, model)
    assert quiet["result"]["verdict"] == "ok", quiet["reason"]
    assert quiet["result"]["algorithms"]["xgboost"]["new_rows"] == 150
    assert town.notifications(quiet["run"]) == []

    ask(town, endpoint, shifted(cars.rows(150, seed=6)))
    found = check(town, model)
    entry = found["result"]["algorithms"]["xgboost"]
    assert (entry["verdict"], entry["new_rows"]) == ("drift", 150)
    assert entry["columns"][0]["name"] == "km"
    assert 0.5 < entry["columns"][0]["share"] <= 1
    assert {"make", "year", "automatic"}.isdisjoint(column["name"] for column in entry["columns"])

    home = f"{names.check_prefix(model, found['run'])}"
    violations = town.artifact_json(f"{home}/xgboost/constraint_violations.json")["violations"]
    assert {"km"} <= {each["feature_name"] for each in violations}
    assert violations[0]["constraint_check_type"] == "baseline_drift_check"
    assert town.artifact_json(f"{home}/xgboost/statistics.json")["dataset"]["item_count"] == 150
    the_report_can_be_read(town, f"{home}/report.html", tmp_path)
    the_rows_behind_it_can_be_queried(town, model, found["run"])

    [drift] = told(town, model, "monitoring-drift")
    assert drift["subject"].startswith("cars-watched: drift in km")
    assert "the mean went from" in drift["message"]
    assert f"tidegate report {model}" in drift["message"]
    [wanted] = told(town, model, "retrain-wanted")
    assert "100 labelled rows are needed and 0 came since the last training" in wanted["message"]
    assert found["result"]["retraining"]["wish"]["causes"] == ["drift"]
    assert "Wanted since" in town.read(town.artifacts, f"{home}/report.html").decode()

    # The model's own alarm goes on; those of other models do not.
    town.until(lambda: alarm_of(town, model)["StateValue"] == "ALARM", "the alarm of the model went on")
    assert f"tidegate report {model}" in alarm_of(town, model)["AlarmDescription"]

    later = shifted(cars.rows(120, seed=7))
    capture(town, model, later)
    assert check(town, model)["result"]["verdict"] == "drift"
    assert told(town, model, "monitoring-worse") == []
    capture(town, model, [{**row, "make": "fiat"} for row in shifted(cars.rows(120, seed=8))])
    check(town, model)
    [worse] = told(town, model, "monitoring-worse")
    assert worse["subject"] == f"{model}: drift has worsened in make"
    assert len(told(town, model, "monitoring-drift")) == 1
    assert len(told(town, model, "retrain-wanted")) == 1
    code, document = tidegate(town, "models")
    assert code == 0
    [about] = [each["watched"] for each in document["models"] if each["model"] == model]
    assert {"km", "make"} <= set(about["lasts"][0]["columns"])
    assert about["retraining"]["wanted_since"] == found["result"]["retraining"]["wish"]["since"]

    # Truth, which comes after the verdict, starts a check, and that the retraining.
    asked = label(town, model, later, "later.csv")
    matched = town.ended(asked)
    assert matched["result"]["algorithms"]["xgboost"]["labels"]["matched"] == 120
    assert matched["result"]["retraining"]["started"]
    [started] = told(town, model, "retrain-started")
    assert "700 rows of cars.csv and 120 rows labelled since" in started["message"]
    drop = names.retrain_key(model, asked)
    version = town.client("s3").head_object(Bucket=town.data, Key=drop)["VersionId"]
    retrained = town.ended(names.run_id(town.data, drop, version))
    assert retrained["status"] == "SUCCEEDED", retrained["reason"]

    # As the new champion knows the world: one car in seven has been around for long.
    capture(town, model, [*cars.rows(240, seed=10), *shifted(cars.rows(41, seed=12))])
    well = check(town, model)
    assert well["result"]["verdict"] == "ok"
    assert well["result"]["retraining"]["wish"] is None
    [over] = told(town, model, "monitoring-ok")
    assert over["subject"] == f"{model}: over: drift"
    assert "another model," in over["message"] and "has taken over" in over["message"]

    capture(town, model, shifted(cars.rows(120, seed=11), 600_000))
    assert check(town, model)["result"]["verdict"] == "drift"
    assert len(told(town, model, "monitoring-drift")) == 2
    cooldown = "the cooldown of 1 day, which ends at"
    town.until(
        lambda: any(cooldown in each["message"] for each in told(town, model, "retrain-wanted")),
        "people heard what the wish waits for",
    )
    assert len(told(town, model, "retrain-started")) == 1
    # Truth again, and the wish waits for the cooldown all the same; then what it was for is over.
    town.ended(label(town, model, [{"listing": "nobody", "price": "5"}], "nobody.csv"))
    for seed in (13, 14):
        capture(town, model, [*cars.rows(240, seed=seed), *shifted(cars.rows(41, seed=seed + 2))])
        last = check(town, model)
        assert last["result"]["verdict"] == "ok"
    assert last["result"]["retraining"]["wish"] is None
    [withdrawn] = told(town, model, "retrain-withdrawn")
    assert "drift is over" in withdrawn["message"]
    assert "look as at training" in told(town, model, "monitoring-ok")[-1]["message"]


def alarm_of(town: Town, model: str) -> dict:
    """Describe the alarm of a model."""
    name = drift_alarm_name(town.stack, model)
    [found] = town.client("cloudwatch").describe_alarms(AlarmNames=[name])["MetricAlarms"]
    return found


def the_report_can_be_read(town: Town, key: str, folder: Path) -> None:
    page = town.read(town.artifacts, key).decode()
    assert "▲ Drift" in page
    assert page.index("▲ Drift") < page.index("What drifted") < page.index("Every column")
    assert "http://" not in page
    assert "https://" not in page
    if CHROMIUM is None:
        return
    (folder / "report.html").write_text(page)
    switches = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    seen = subprocess.run(
        [
            CHROMIUM,
            *switches,
            f"--user-data-dir={folder}/profile",
            "--dump-dom",
            (folder / "report.html").as_uri(),
        ],
        capture_output=True,
        text=True,
        timeout=600,
        check=True,
    ).stdout
    assert "What drifted" in seen
    assert seen.count("<svg") >= 5


def the_rows_behind_it_can_be_queried(town: Town, model: str, run: str) -> None:
    keys = [key for key in town.keys(town.artifacts, f"{model}/monitor/results/") if "date=" in key]
    tables = [pq.read_table(io.BytesIO(town.read(town.artifacts, key))) for key in keys]
    [rows] = [each for each in tables if each.column("check").to_pylist()[0] == run]
    assert rows.num_rows == 150
    assert set(rows.column("verdict").to_pylist()) == {"drift"}
    assert sum("km" in each for each in rows.column("unlike").to_pylist()) > 60


@pytest.fixture(scope="module")
def counted(town: Town) -> str:
    """A model of which every prediction is counted."""
    trained(town, "cars-counted")
    return "cars-counted"


def rows_kept(town: Town, model: str) -> int:
    """Tell how many rows were counted since the beginning, by the bookmark and by the results."""
    total: int = bookmark(town, model)["summary"].get("totals", {}).get("rows", 0)
    keys = town.keys(town.artifacts, f"{model}/monitor/results/")
    bodies = [pq.read_table(io.BytesIO(town.read(town.artifacts, key))) for key in keys]
    events = [event for body in bodies for event in body.column("event").to_pylist()]
    assert len(events) == len(set(events)) == total
    return total


def test_too_few_rows_are_never_called_ok_and_add_up_until_there_are_enough(town: Town):
    # Of its own: what came before would add up, too.
    model, rows = "cars-few", cars.rows(120, seed=30)
    trained(town, model)
    capture(town, model, rows[:60])
    first = check(town, model)["result"]
    assert first["verdict"] == "insufficient"
    capture(town, model, rows[60:])
    second = check(town, model)["result"]
    assert second["verdict"] == "ok"
    assert second["algorithms"]["xgboost"]["rows"] == 120
    assert second["algorithms"]["xgboost"]["new_rows"] == 60
    assert rows_kept(town, model) == 120


def test_two_checks_at_once_and_repeated_ones_count_each_prediction_once(town: Town, counted: str):
    before = rows_kept(town, counted)
    capture(town, counted, cars.rows(70, seed=31))
    runs = [start(town, counted) for _ in range(4)]
    repeats = [start(town, counted, "the same time") for _ in range(3)]
    statuses = [over(town, execution) for _, execution in (*runs, *repeats)]
    assert set(statuses) == {"SUCCEEDED"}
    last = [town.states_of({"execution": execution})[-1] for _, execution in repeats]
    assert last.count("The run was claimed before") == 2
    check(town, counted)
    assert rows_kept(town, counted) == before + 70
    quiet = check(town, counted)
    assert quiet["reason"] == "nothing new since the last check"


def test_late_and_rewritten_objects_count_each_prediction_once(town: Town, counted: str):
    before = rows_kept(town, counted)
    rows = cars.rows(50, seed=32)
    key = capture(town, counted, rows[:30])
    check(town, counted)
    capture(town, counted, rows[:40], key=key)
    found = check(town, counted)["result"]["algorithms"]["xgboost"]
    assert (found["new_rows"], found["repeated"]) == (10, 30)
    capture(town, counted, rows, key=key)
    assert check(town, counted)["result"]["algorithms"]["xgboost"]["new_rows"] == 10
    endpoint = town.endpoint(counted)
    late = f"{names.capture_prefix(counted, endpoint)}AllTraffic/{key.split('AllTraffic/')[1][:10]}/00/00-late.jsonl"
    capture(town, counted, cars.rows(5, seed=33), key=late)
    check(town, counted)
    assert rows_kept(town, counted) == before + 55


def test_labels_that_come_late_find_their_prediction_and_unknown_ones_wait(town: Town):
    # Of its own: all labels that there are decide about the quality.
    model, rows = "cars-labelled", cars.rows(110, seed=34)
    trained(town, model)
    label(town, model, rows[:20], "early.csv")
    label(town, model, [{"listing": "nobody", "price": "5"}], "unknown.csv")
    town.client("s3").put_object(
        Bucket=town.data, Key=f"{model}/truth/bad.csv", Body=b"listing,price\nx,cheap\n"
    )
    early = check(town, model)
    assert early["result"]["algorithms"]["xgboost"]["labels"]["waiting"] == 21
    [refused] = told(town, model, "truth-refused")
    assert "bad.csv, line 2, column 'price': 'xxxxx' is not a number" in refused["message"]
    assert town.keys(town.data, f"quarantine/{model}/{early['run']}/bad.csv")
    capture(town, model, rows)
    entry = check(town, model)["result"]["algorithms"]["xgboost"]
    assert (entry["labels"]["matched"], entry["labels"]["waiting"]) == (20, 1)
    assert entry["quality"]["verdict"] == "insufficient"
    label(town, model, rows, "all.csv")
    entry = check(town, model)["result"]["algorithms"]["xgboost"]
    assert (entry["labels"]["matched"], entry["labels"]["repeated"]) == (90, 20)
    # These predictions were written as the truth itself.
    assert (entry["quality"]["rows"], entry["quality"]["verdict"]) == (110, "ok")


def test_what_the_api_and_batch_scoring_predicted_is_checked_and_labelled_by_their_ids(
    town: Town, counted: str
):
    before = rows_kept(town, counted)
    asked, scored = cars.rows(4, seed=35), cars.rows(30, seed=36)
    seen = len(town.keys(town.artifacts, f"{counted}/capture/"))
    said = Caller(town).predict(counted, [{name: row[name] for name in INPUTS} for row in asked])
    ids = [each["prediction_id"] for each in said.document["predictions"]]
    town.until(
        lambda: len(town.keys(town.artifacts, f"{counted}/capture/")) > seen, "the request was captured"
    )
    record = town.score(
        counted, "month.csv", csv_bytes([{k: row[k] for k in ("listing", *INPUTS)} for row in scored])
    )
    assert record["status"] == "SUCCEEDED", record["reason"]
    labels = [{"listing": name, "price": row["price"]} for name, row in zip(ids, asked, strict=True)]
    label(town, counted, [*labels, *scored], "both.csv")
    entry = check(town, counted)["result"]["algorithms"]["xgboost"]
    assert (entry["new_rows"], entry["labels"]["matched"]) == (34, 34)
    assert rows_kept(town, counted) == before + 34


def test_interrupted_at_each_state_and_run_again_the_counts_are_exact(town: Town, counted: str):
    total = rows_kept(town, counted)
    others = ("Tell people plainly", "Profile the large window", "Recall the wish", "Look at the policy")
    others += TELLING
    states = [name for name in task_states(town) if name not in others]
    assert {"Collect", "Profile the window", "Evaluate drift", "Keep the window"} <= set(states)
    for seed, state in enumerate(states, 40):
        capture(town, counted, cars.rows(101, seed=seed))
        total += 101
        with CutShort(town, state):
            _, execution = start(town, counted)
            over(town, execution)
        check(town, counted)
        assert rows_kept(town, counted) == total, f"cut at {state}"
    run, execution = start(town, counted)
    town.client("stepfunctions").stop_execution(executionArn=execution)
    stopped = town.until(lambda: (r := town.record(run)) and r["status"] != "RUNNING" and r, "it was closed")
    assert "stopped from outside" in stopped["reason"]
    check(town, counted)
    assert rows_kept(town, counted) == total


@pytest.mark.parametrize("state", TELLING)
def test_interrupted_while_telling_the_news_is_told_once(town: Town, counted: str, state: str):
    before = len(told(town, counted, "monitoring-drift"))
    capture(town, counted, shifted(cars.rows(101, seed=60 + TELLING.index(state))))
    with CutShort(town, state):
        _, execution = start(town, counted)
        assert over(town, execution) == "FAILED"
    assert check(town, counted)["result"]["verdict"] == "drift"
    assert check(town, counted)["reason"] == "nothing new since the last check"
    assert len(told(town, counted, "monitoring-drift")) == before + 1
    for seed in (70, 80):
        capture(town, counted, cars.rows(101, seed=seed + TELLING.index(state)))
        assert check(town, counted)["result"]["verdict"] == "ok"


def test_a_large_window_is_read_by_the_glue_job_and_counted_once(town: Town, counted: str):
    before, rows = rows_kept(town, counted), cars.rows(6_000, seed=90)
    for begin in (0, 3_000):
        capture(town, counted, rows[begin : begin + 3_000])
    run, execution = start(town, counted)
    assert over(town, execution) == "SUCCEEDED", (town.record(run) or {})["reason"]
    entered = town.states_of({"execution": execution})
    assert "Profile the large window" in entered
    assert "Profile the window" not in entered
    assert rows_kept(town, counted) == before + 6_000
    [job] = town.client("glue").get_job_runs(JobName=f"{town.stack}-profile-window")["JobRuns"]
    assert job["JobRunState"] == "SUCCEEDED"
    assert town.record(run)["result"]["algorithms"]["xgboost"]["new_rows"] == 6_000


def test_the_schedule_follows_the_model_file(town: Town, counted: str):
    scheduler = town.client("scheduler")
    group = f"{town.stack}-monitor"
    schedule = scheduler.get_schedule(Name=counted, GroupName=group)
    assert schedule["ScheduleExpression"] == "rate(1 hour)"
    assert schedule["Target"]["Arn"] == town.outputs["MonitorMachineArn"]
    town.declare(cars.spec(counted, algorithms=QUICK, monitor={"every": "15 minutes", "least_rows": 100}))
    town.until(
        lambda: (
            scheduler.get_schedule(Name=counted, GroupName=group)["ScheduleExpression"] == "rate(15 minutes)"
        ),
        "the schedule was changed",
    )
    arn = town.client("stepfunctions").start_execution(
        stateMachineArn=schedule["Target"]["Arn"], input=schedule["Target"]["Input"]
    )["executionArn"]
    assert over(town, arn) == "SUCCEEDED"


def test_a_check_of_a_model_that_nobody_declared_fails_in_words(town: Town):
    run, execution = start(town, "cars-nowhere")
    assert over(town, execution) == "FAILED"
    record = town.record(run)
    assert record is not None
    assert "no model file is in force for 'cars-nowhere'" in record["reason"]
