"""The functions of the monitor machine one after the other, as the machine calls them, with AWS by moto."""

import io
import json
import runpy
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import boto3
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from tests.unit.functions.conftest import ARTIFACTS, DATA, MONITOR, ROOT, SCHEDULES, Context, sample_event
from tests.unit.functions.test_functions import REFERENCE
from tidegate.core import names
from tidegate.core.champions import Found
from tidegate.core.unforeseen import Unforeseen
from tidegate.edge import truth as truth_edge
from tidegate.edge.drift_metrics import by_model, verdicts
from tidegate.table import baseline
from tidegate.table.profile import Profile

MODEL, RUN = "used-car-price", "0123456789ab"
CHAMPION = f"tg-{MODEL}-xgboost-{RUN}"
COLUMNS = {"KM": "numeric", "Fuel_Type": "categorical"}
WINDOW = ("rows.parquet", "profile.bin", "read.json")
HOME = f"{MODEL}/runs/{RUN}/xgboost"


def cars(count: int, first: int = 0, km: int = 0, fuel: str = "Petrol") -> list[tuple[float, str, float]]:
    """Make rows: kilometres, fuel, price."""
    return [(float(km + (at * 37) % 100), fuel, 1000.0 + at * 7 % 400) for at in range(first, first + count)]


def captured_under() -> str:
    """Say under which prefix requests are captured now."""
    endpoint = names.endpoint_name("tg", MODEL, "xgboost")
    return f"{names.capture_prefix(MODEL, endpoint)}AllTraffic/{datetime.now(UTC):%Y/%m/%d/%H}"


def line(name: str, row: tuple[float, str, float]) -> str:
    def side(data: str) -> dict[str, str]:
        return {"observedContentType": "text/csv", "mode": "INPUT", "data": data, "encoding": "CSV"}

    return json.dumps(
        {
            "captureData": {
                "endpointInput": side(f"{row[0]},{row[1]}"),
                "endpointOutput": side(str(row[2])),
            },
            "eventMetadata": {"eventId": name, "inferenceTime": "2024-05-04T10:00:00Z"},
            "eventVersion": "0",
        }
    )


@pytest.fixture
def watched(account, load, monkeypatch, tmp_path):
    """A model with a champion, its baseline, and a way to run a whole check."""
    spec = yaml.safe_load(REFERENCE)
    spec["algorithms"] = {"xgboost": None}
    spec["monitor"] = {"least_rows": 50, "retrain": "either"}
    account.put(DATA, f"{MODEL}/model.yaml", yaml.safe_dump(spec, sort_keys=False))
    load("register_model")(sample_event("model_file_dropped"), Context())
    account.heard()
    boto3.client("ssm").put_parameter(
        Name=names.parameter_name("tidegate", MODEL, "xgboost", "model"), Value=CHAMPION, Type="String"
    )
    recipe = {"inputs": [*COLUMNS], "columns": [{"name": name, "type": COLUMNS[name]} for name in COLUMNS]}
    monkeypatch.setattr(
        "tidegate.edge.champions.look_at", lambda model, **_: Found(model, described=True, recipe=recipe)
    )
    monkeypatch.setattr("tidegate.edge.windows.is_at_work", lambda _: False)
    rows = cars(400)
    (tmp_path / "rows.csv").write_text(
        "Price,KM,Fuel_Type\n" + "".join(f"{price},{km},{fuel}\n" for km, fuel, price in rows)
    )
    statistics, constraints = baseline.data_quality(
        tmp_path / "rows.csv", kinds={"Price": "numeric", **COLUMNS}
    )
    place = f"{HOME}/baseline/data_quality"
    account.put(ARTIFACTS, f"{place}/statistics.json", json.dumps(statistics))
    account.put(ARTIFACTS, f"{place}/constraints.json", json.dumps(constraints))
    truth = "id,target\n" + "".join(f"{at},{row[2]}\n" for at, row in enumerate(rows))
    answers = "".join(f"{row[2] + (at % 7 - 3)}\n" for at, row in enumerate(rows))
    account.put(ARTIFACTS, f"{HOME}/candidate/part-00000.jsonl.out", answers)
    account.put(ARTIFACTS, f"{HOME}/recipe.json", json.dumps({**recipe, "target": "Price"}))
    account.put(ARTIFACTS, f"{MODEL}/runs/{RUN}/test/truth.csv", truth)
    held_out = "".join(json.dumps({"KM": km, "Fuel_Type": fuel}) + "\n" for km, fuel, _ in rows)
    account.put(ARTIFACTS, f"{MODEL}/runs/{RUN}/test/rows/part-00000.jsonl", held_out)
    run = f"s3://{ARTIFACTS}/{MODEL}/runs/{RUN}"
    load("baseline")(
        {
            "run": RUN,
            "kind": "model_quality",
            "truth": f"{run}/test/truth.csv",
            "rows": f"{run}/test/rows/",
            "predictions": f"{run}/xgboost/candidate/",
            "baseline": f"{run}/xgboost/baseline",
        },
        Context(),
    )

    def capture(name: str, rows: list) -> None:
        key = f"{captured_under()}/{name}.jsonl"
        lines = [line(f"{name}-{at}", row) for at, row in enumerate(rows)]
        account.put(ARTIFACTS, key, "\n".join(lines))

    def check(run: str, keep: bool = True) -> dict:
        collected = load("collect")({"run": run, "model": MODEL, "execution": f"arn:{run}"}, Context())
        if not collected["algorithms"]:
            return {"collected": collected}
        [plan] = collected["algorithms"]
        event = {"run": run, "manifest": plan["manifest"]}
        load("profile_window")(event, Context())
        load("compare_window")(event, Context())
        if plan["labels"] or plan["labels_waiting"]:
            load("match_truth")(event, Context())
        entry = {**plan, "status": "SUCCEEDED"}
        evaluated = load("evaluate_drift")({"run": run, "model": MODEL, "algorithms": [entry]}, Context())
        if keep:
            [window] = evaluated["keep"]
            keep_window(window, run)
        return {"collected": collected, "evaluated": evaluated}

    return SimpleNamespace(capture=capture, check=check, account=account, load=load)


def body_of(watched: SimpleNamespace, key: str) -> bytes:
    """Read an object of the artifacts bucket."""
    body: bytes = watched.account.s3.get_object(Bucket=ARTIFACTS, Key=key)["Body"].read()
    return body


def keep_window(window: dict, run: str) -> None:
    """Do what the machine's state "Keep the window" does."""
    boto3.client("dynamodb").update_item(
        TableName=MONITOR,
        Key={"id": {"S": window["bookmark"]}},
        UpdateExpression="SET #w = :w, #s = :s, verdict = :v, champion = :c, summary = :m, kept_by = :r "
        "ADD version :one REMOVE open_run, open_execution, open_manifest, open_window",
        ConditionExpression="open_run = :r AND open_window = :w",
        ExpressionAttributeNames={"#w": "window", "#s": "state"},
        ExpressionAttributeValues={
            ":w": {"N": str(window["window"])},
            ":s": {"S": window["state"]},
            ":v": {"S": window["verdict"]},
            ":c": {"S": window["champion"]},
            ":m": {"S": json.dumps(window["summary"])},
            ":r": {"S": run},
            ":one": {"N": "1"},
        },
    )


def tell(watched: SimpleNamespace, run: str, summary: dict) -> dict:
    """Do what the machine does after the windows are kept: recall, weigh, remember, send."""
    table, key = boto3.client("dynamodb"), {"id": {"S": names.told_id(MODEL)}}
    item = table.get_item(TableName=MONITOR, Key=key).get("Item")
    outcome = {"run": run, "model": MODEL, "algorithms": [summary], "refused": []}
    remembered = {
        "version": int(item["version"]["N"]) if item else 0,
        "document": item["document"]["S"] if item else "",
        "outbox": "",
    }
    notify = watched.load("notify")
    event = {"kind": "monitoring", "outcome": outcome, "remembered": remembered, "digest": "weekly"}
    weighed: dict = notify(event, Context())
    table.update_item(
        TableName=MONITOR,
        Key=key,
        UpdateExpression="SET version = :held, document = :document",
        ConditionExpression="version = :version OR attribute_not_exists(version)",
        ExpressionAttributeValues={
            ":held": {"N": str(weighed["held"])},
            ":version": {"N": str(weighed["version"])},
            ":document": {"S": json.dumps(weighed["document"])},
        },
    )
    for message in weighed["outbox"]["messages"]:
        notify({"kind": "message", "message": message, "outcome": {"run": run}}, Context())
    return weighed


def drop_to_learn_from(watched: SimpleNamespace) -> list[str]:
    """Put a training drop of thirty rows; gives its columns."""
    spec = yaml.safe_load(REFERENCE)
    header = ["Id", *spec["features"], "Price"]
    boolean = {name for name, kind in spec["features"].items() if kind == "boolean"}
    old = [
        ",".join(
            "1" if name in boolean else "Petrol" if name == "Fuel_Type" else str(at + 5) for name in header
        )
        for at in range(30)
    ]
    watched.account.put(DATA, f"{MODEL}/train/old.csv", "\n".join([",".join(header), *old]))
    return header


def wanted() -> bool:
    """Read what the machine reads of the wish when truth is dropped."""
    key = {"id": {"S": names.retrain_id(MODEL)}}
    found: bool = boto3.client("dynamodb").get_item(TableName=MONITOR, Key=key)["Item"]["wanted"]["BOOL"]
    return found


def summary_of(found: dict) -> dict:
    [window] = found["evaluated"]["keep"]
    summary: dict = window["summary"]
    return summary


@pytest.mark.slow
def test_rows_like_those_of_training_are_ok_and_nothing_new_ends_quietly(watched):
    watched.capture("one", cars(120))
    summary = summary_of(watched.check("r1"))
    assert (summary["verdict"], summary["rows"]) == ("ok", 120)
    again = watched.check("r2")["collected"]
    assert again["reason"] == "nothing new since the last check"
    assert again["standing"]["xgboost"]["verdict"] == "ok"


@pytest.mark.slow
def test_a_large_window_is_read_by_the_job_part_by_part_to_what_the_function_reads_at_once(
    watched, monkeypatch
):
    monkeypatch.setattr("tidegate.core.windows.PART_FILES", 2)
    for at, rows in enumerate((cars(60), cars(70, km=500, fuel="Diesel"), cars(5))):
        watched.capture(f"{at}", rows)
    watched.account.put(ARTIFACTS, f"{captured_under()}/bad.jsonl", "no capture")
    [plan] = watched.load("collect")({"run": "r1", "model": MODEL, "execution": "arn:r1"}, Context())[
        "algorithms"
    ]
    watched.load("profile_window")({"run": "r1", "manifest": plan["manifest"]}, Context())
    home = plan["manifest"].split("/", 3)[3].rsplit("/", 1)[0]
    function = {name: body_of(watched, f"{home}/{name}") for name in WINDOW}
    for name in WINDOW:
        watched.account.s3.delete_object(Bucket=ARTIFACTS, Key=f"{home}/{name}")
    job = runpy.run_path(str(ROOT / "glue" / "profile_window.py"))
    monkeypatch.setattr("sys.argv", ["profile_window.py", "--JOB_NAME", "x", "--manifest", plan["manifest"]])
    job["main"]()
    same = {name: body_of(watched, f"{home}/{name}") for name in WINDOW}
    assert same["read.json"] == function["read.json"]
    tables = [pq.read_table(io.BytesIO(each["rows.parquet"])) for each in (same, function)]
    assert tables[0].equals(tables[1])
    profiles = [Profile.from_bytes(each["profile.bin"]) for each in (same, function)]
    assert profiles[0].rows == profiles[1].rows == 135
    for name, column in profiles[0].columns.items():
        assert column.types == profiles[1].columns[name].types
        assert column.categories() == profiles[1].columns[name].categories()
        assert column.moments.total == pytest.approx(profiles[1].columns[name].moments.total)
    left = watched.account.s3.list_objects_v2(Bucket=ARTIFACTS, Prefix=f"{home}/parts/")
    assert left["KeyCount"] == 0


@pytest.mark.slow
def test_each_way_to_drift_names_its_column_and_writes_the_files(watched):
    watched.capture("one", cars(120, km=5000))
    found = watched.check("r1")
    summary = summary_of(found)
    assert summary["verdict"] == "drift"
    assert summary["columns"][0]["name"] == "KM"
    home = f"{MODEL}/monitor/checks/r1"
    violations = watched.account.read_json(ARTIFACTS, f"{home}/xgboost/constraint_violations.json")
    assert violations["violations"][0]["feature_name"] == "KM"
    statistics = watched.account.read_json(ARTIFACTS, f"{home}/xgboost/statistics.json")
    assert statistics["dataset"]["item_count"] == 120
    assert f"{home}/report.html" in watched.account.keys(ARTIFACTS)
    body = watched.account.s3.get_object(
        Bucket=ARTIFACTS, Key=names.result_key(MODEL, "2024-05-04", "xgboost", 1)
    )["Body"].read()
    rows = pq.read_table(io.BytesIO(body))
    assert rows.num_rows == 120
    assert set(rows.column("unlike").to_pylist()) == {"KM"}
    watched.capture("two", cars(120, fuel="Water"))
    assert [each["name"] for each in summary_of(watched.check("r2"))["columns"]] == ["Fuel_Type"]


@pytest.mark.slow
def test_a_drift_in_a_category_is_told_without_it_and_reported_with_it(watched, logged):
    watched.capture("moved", cars(120, fuel="Xanthippe"))
    told = watched.check("r1")
    [window] = told["evaluated"]["keep"]
    assert window["verdict"] in ("drift", "bad data")
    assert "such as 'xxxxxxxxx'" in str(window["summary"])
    remembered = boto3.client("dynamodb").scan(TableName=MONITOR)["Items"]
    notified = tell(watched, "r1", window["summary"])
    [heard] = watched.account.heard()
    assert "window compared" in logged.getvalue()
    for place in (told, remembered, notified, heard, logged.getvalue()):
        assert "Xanthippe" not in str(place)
    report = body_of(watched, f"{names.check_prefix(MODEL, 'r1')}/report.html").decode()
    check = body_of(watched, f"{names.check_prefix(MODEL, 'r1')}/xgboost/check.json").decode()
    assert "such as &#x27;Xanthippe&#x27;" in report and "such as 'Xanthippe'" in check


@pytest.mark.slow
def test_the_last_rows_are_kept_and_a_repeated_check_finds_the_same(watched):
    watched.capture("one", cars(120))
    watched.check("r1")
    watched.capture("two", cars(120, first=120))
    again = watched.check("r2", keep=False)
    home = again["collected"]["algorithms"][0]["manifest"].split("/", 3)[3].rsplit("/", 1)[0]
    kept, comparison = (body_of(watched, f"{home}/{name}") for name in ("recent.bin", "comparison.json"))
    assert Profile.from_bytes(kept).rows == 240
    event = {"run": "r2", "manifest": again["collected"]["algorithms"][0]["manifest"]}
    watched.load("compare_window")(event, Context())
    assert (kept, comparison) == tuple(
        body_of(watched, f"{home}/{n}") for n in ("recent.bin", "comparison.json")
    )
    assert json.loads(comparison)["recent"]["rows"] == 240


@pytest.mark.slow
def test_bad_data_is_no_drift(watched):
    watched.capture("one", [(row[0], "" if at % 3 else row[1], row[2]) for at, row in enumerate(cars(120))])
    summary = summary_of(watched.check("r1"))
    assert (summary["verdict"], summary["answers"]["bad_data"]["columns"]) == ("bad data", ["Fuel_Type"])
    assert summary["answers"]["drift"]["severity"] == "none"
    assert summary["quiet_days"] == 90


@pytest.mark.slow
def test_a_run_that_ended_before_keeping_leaves_its_predictions_to_the_next(watched):
    watched.capture("one", cars(60))
    watched.check("r1", keep=False)
    watched.capture("two", cars(60, first=60))
    summary = summary_of(watched.check("r2"))
    assert summary["totals"] == {"rows": 120, "objects": 2, "labels": 0}


@pytest.mark.slow
def test_a_run_that_was_taken_over_keeps_nothing(watched):
    watched.capture("one", cars(60))
    late = watched.check("r1", keep=False)
    taken = watched.check("r2", keep=False)
    [window] = late["evaluated"]["keep"]
    with pytest.raises(boto3.client("dynamodb").exceptions.ConditionalCheckFailedException):
        keep_window(window, "r1")
    keep_window(taken["evaluated"]["keep"][0], "r2")
    entry = {**late["collected"]["algorithms"][0], "status": "SUCCEEDED"}
    event = {"run": "r1", "model": MODEL, "algorithms": [entry]}
    answer = watched.load("evaluate_drift")(event, Context())
    assert answer["keep"] == []
    assert answer["failed"][0]["status"] == "SUPERSEDED"


def test_a_window_that_another_run_is_at_is_left_to_it(watched, monkeypatch):
    watched.capture("one", cars(60))
    watched.check("r1", keep=False)
    monkeypatch.setattr("tidegate.edge.windows.is_at_work", lambda execution: execution == "arn:r1")
    collected = watched.check("r2")["collected"]
    assert collected["busy"] == {"xgboost": "r1"}
    assert "the run r1 is checking the same predictions right now" in collected["reason"]


def test_batch_scores_count_too_and_an_object_that_cannot_be_read_is_told(watched):
    rows = cars(90)
    table = pa.table(
        {
            "Id": [str(at) for at in range(90)],
            "KM": [row[0] for row in rows],
            "Fuel_Type": [row[1] for row in rows],
            "prediction_xgboost": [row[2] for row in rows],
            "prediction": [row[2] for row in rows],
        }
    )
    out = io.BytesIO()
    pq.write_table(table, out)
    watched.account.put(
        ARTIFACTS, f"{names.scores_folder(MODEL, '2099-05-04', 'abc')}/scores.parquet", out.getvalue()
    )
    watched.account.put(ARTIFACTS, f"{names.scores_folder(MODEL, '2099-05-04', 'abd')}/scores.parquet", b"no")
    summary = summary_of(watched.check("r1"))
    assert (summary["rows"], summary["unreadable"]) == (90, 1)


def fared(**counts: int) -> dict[str, int]:
    """Say how labels fared, where nothing else is said of them."""
    return dict.fromkeys(("came", "matched", "corrected", "waiting", "repeated", "expired"), 0) | counts


def truth(off: float, count: int, first: int = 0) -> str:
    """Write a file of truth about the first capture, each so far off its prediction."""
    rows = list(enumerate(cars(count + first)))[first:]
    return "id,target\n" + "".join(f"one-{at},{row[2] + off}\n" for at, row in rows)


@pytest.fixture
def a_day_apart(monkeypatch):
    """Let each file of truth be dropped a day after the one before: S3 tells seconds, and tests are quick."""
    days = (f"2026-05-{day:02d}T00:00:00+00:00" for day in range(1, 29))
    contents, when = truth_edge.contents, {}

    def dated(source: str, bucket: str, prefix: str):
        for each, version in contents(source, bucket, prefix):
            if version not in when:
                when[version] = next(days)
            yield replace(each, modified=when[version]), version

    monkeypatch.setattr("tidegate.edge.truth.contents", dated)


@pytest.mark.slow
@pytest.mark.usefixtures("a_day_apart")
def test_truth_in_parts_again_and_corrected_counts_each_prediction_once(watched):
    watched.capture("one", cars(120))

    def drop(name: str, text: str) -> None:
        watched.account.put(DATA, f"{MODEL}/truth/{name}.csv", text)

    drop("part", truth(400, 30))
    assert summary_of(watched.check("r1"))["labels"] == fared(came=30, matched=30)
    drop("rest", truth(400, 90, 30))
    second = summary_of(watched.check("r2"))
    assert (second["quality"]["rows"], second["verdict"]) == (120, "drift")
    drop("again", truth(400, 120))
    third = summary_of(watched.check("r3"))
    assert third["labels"] == fared(came=120, repeated=120)
    assert (third["quality"], third["so_far"]["rows"], third["verdict"]) == (None, 120, "drift")
    drop("corrected", truth(1, 120))
    fourth = summary_of(watched.check("r4"))
    assert fourth["labels"] == fared(came=120, corrected=120)
    assert (fourth["quality"]["rows"], fourth["verdict"]) == (120, "ok")
    assert fourth["totals"]["labels"] == fourth["so_far"]["rows"] == 120
    assert fourth["so_far"]["metrics"]["mae"] == pytest.approx(1)
    [file] = watched.account.read_json(ARTIFACTS, f"{names.check_prefix(MODEL, 'r4')}/xgboost/check.json")[
        "files"
    ].values()
    assert (file["rows"], file["corrected"], file["waiting"]) == (120, 120, 0)


@pytest.mark.slow
def test_of_files_that_say_otherwise_that_dropped_last_holds_whatever_they_are_called(watched, monkeypatch):
    contents, dropped = truth_edge.contents, {}

    def dated(source: str, bucket: str, prefix: str):
        for each, version in contents(source, bucket, prefix):
            yield replace(each, modified=dropped[version]), version

    monkeypatch.setattr("tidegate.edge.truth.contents", dated)

    def drop(name: str, day: int, off: float) -> None:
        version = watched.account.put(DATA, f"{MODEL}/truth/{name}", truth(off, 120))
        dropped[version] = f"2026-05-{day:02d}T00:00:00+00:00"

    watched.capture("one", cars(120))
    drop("z.csv", 1, 400)
    drop("a.csv", 2, 1)
    first = summary_of(watched.check("r1"))
    assert first["labels"] == fared(came=240, matched=120, repeated=120)
    assert first["so_far"]["metrics"]["mae"] == pytest.approx(1)
    drop("late.csv", 1, 7)  # dropped before, and listed only now
    assert summary_of(watched.check("r2"))["labels"] == fared(came=120, repeated=120)
    for day, off in ((3, 5), (4, 1)):  # other content, and the first one again
        drop("a.csv", day, off)
        again = summary_of(watched.check(f"r{day}"))
        assert again["labels"] == fared(came=120, corrected=120)
        assert again["so_far"]["metrics"]["mae"] == pytest.approx(off)


@pytest.mark.slow
def test_of_contents_of_one_file_within_a_second_the_last_one_holds(watched, monkeypatch):
    contents = truth_edge.contents

    def at_once(source: str, bucket: str, prefix: str):
        for each, version in contents(source, bucket, prefix):
            yield replace(each, modified="2026-05-04T10:00:00+00:00"), version

    monkeypatch.setattr("tidegate.edge.truth.contents", at_once)
    watched.capture("one", cars(120))
    for off in (400, 5, 60, 1):  # whatever the order of their digests
        watched.account.put(DATA, f"{MODEL}/truth/today.csv", truth(off, 120))
    found = summary_of(watched.check("r1"))
    assert found["so_far"]["metrics"]["mae"] == pytest.approx(1)
    watched.account.put(DATA, f"{MODEL}/truth/today.csv", truth(5, 120))
    assert summary_of(watched.check("r2"))["so_far"]["metrics"]["mae"] == pytest.approx(5)


@pytest.mark.slow
@pytest.mark.usefixtures("a_day_apart")
def test_what_a_file_held_before_it_was_replaced_counts_too_and_bad_content_is_refused_once(watched):
    key = f"{MODEL}/truth/today.csv"
    watched.capture("one", cars(120))
    watched.account.put(DATA, key, truth(1, 50))
    watched.account.put(DATA, key, "id,target\none-50,cheap\n")
    watched.account.put(DATA, key, truth(1, 70, 50))
    first = watched.check("r1")
    assert summary_of(first)["labels"] == fared(came=120, matched=120)
    assert len(first["collected"]["refused"]) == 1
    assert "'xxxxx' is not a number" in first["collected"]["refused"][0]["reason"]
    assert key in watched.account.keys(DATA)
    assert watched.check("r2")["collected"]["refused"] == []
    watched.account.s3.delete_object(Bucket=DATA, Key=key)  # what somebody took away is away
    watched.account.put(DATA, f"{MODEL}/truth/wrong.csv", truth(400, 120))
    watched.account.s3.delete_object(Bucket=DATA, Key=f"{MODEL}/truth/wrong.csv")
    assert watched.check("r3")["collected"]["reason"] == "nothing new since the last check"


@pytest.mark.slow
def test_late_truth_about_an_earlier_champion_does_not_judge_the_new_one(watched, monkeypatch):
    watched.capture("one", cars(120))
    watched.check("r1")
    name = names.parameter_name("tidegate", MODEL, "xgboost", "model")
    boto3.client("ssm").put_parameter(Name=name, Value=f"{CHAMPION[:-1]}c", Type="String", Overwrite=True)
    for key in watched.account.keys(ARTIFACTS):
        if key.startswith(HOME):
            body = watched.account.s3.get_object(Bucket=ARTIFACTS, Key=key)["Body"].read()
            watched.account.put(ARTIFACTS, key.replace(RUN, f"{RUN[:-1]}c"), body)
    watched.account.put(DATA, f"{MODEL}/truth/late.csv", truth(400, 120))
    summary = summary_of(watched.check("r2"))
    assert summary["labels"] == fared(came=120, matched=120)
    assert (summary["quality"], summary["so_far"], summary["verdict"]) == (None, None, "insufficient")


@pytest.mark.slow
@pytest.mark.usefixtures("a_day_apart")
def test_errors_are_estimated_before_truth_comes_and_held_against_it_when_it_does(watched):
    evaluation = {"candidate": {"rmse": {"value": 2.0}, "mae": {"value": 1.7}}}
    watched.account.put(ARTIFACTS, f"{HOME}/candidate/evaluation.json", json.dumps(evaluation))
    watched.capture("one", cars(120))
    first = summary_of(watched.check("r1"))
    estimate = first["estimate"]["metrics"]["rmse"]
    assert estimate["low"] < 2.0 < estimate["high"]
    assert (first["estimate"]["rows"], estimate["at_training"], first["estimate"]["worse"]) == (
        120,
        2.0,
        False,
    )
    assert (first["record"], first["verdict"]) == (None, "ok")
    rows = "".join(f"one-{at},{row[2] + (at % 7 - 3)}\n" for at, row in enumerate(cars(120)))
    watched.account.put(DATA, f"{MODEL}/truth/may.csv", f"id,target\n{rows}")
    second = summary_of(watched.check("r2"))
    judged = second["estimated"]["metrics"]["rmse"]
    assert judged["true"] == pytest.approx(2.0, abs=0.05)
    assert judged["held"]
    assert (second["estimated"]["rows"], second["record"]["estimates"], second["record"]["held"]) == (
        120,
        1,
        1,
    )
    watched.account.put(DATA, f"{MODEL}/truth/wrong.csv", truth(400, 120))
    third = summary_of(watched.check("r3"))
    assert (third["record"]["estimates"], third["record"]["held"]) == (2, 1)
    assert third["record"]["off"] < -0.5
    page = body_of(watched, f"{names.check_prefix(MODEL, 'r3')}/report.html").decode()
    assert "Truth has judged 2 estimates: 1 interval held it" in page


@pytest.mark.slow
def test_columns_are_ranked_by_what_their_change_does_to_the_predictions(watched):
    place = f"{HOME}/baseline/model_quality/importances.json"
    # Both are far from the baseline, the kilometres most.
    watched.capture("one", cars(120, km=9_000, fuel="Diesel"))
    for run, weights, first in (
        ("r1", {"KM": 0.9, "Fuel_Type": 0.1}, "KM"),
        ("r2", {"KM": 0.01, "Fuel_Type": 0.99}, "Fuel_Type"),
    ):
        watched.account.put(ARTIFACTS, place, json.dumps({"columns": weights, "fidelity": 1, "rows": 400}))
        summary = summary_of(watched.check(run, keep=False))
        inputs = [each for each in summary["columns"] if each["name"] in COLUMNS]
        assert inputs[0]["name"] == first
        assert {each["name"]: each["importance"] for each in inputs} == weights


@pytest.mark.slow
def test_labels_measure_the_model_and_a_model_that_got_worse_is_drift(watched):
    watched.capture("one", cars(120))
    labels = "id,target\n" + "".join(f"one-{at},{row[2] + 400}\n" for at, row in enumerate(cars(120)))
    watched.account.put(DATA, f"{MODEL}/truth/may.csv", labels)
    summary = summary_of(watched.check("r1"))
    assert summary["labels"] == fared(came=120, matched=120)
    assert summary["verdict"] == "drift"
    assert "RMSE is 400" in summary["quality"]["sentence"]


@pytest.mark.slow
def test_labels_retrain_the_model_once_with_the_old_rows_and_the_new(watched, monkeypatch):
    header = drop_to_learn_from(watched)
    watched.capture("one", cars(120))
    labels = "id,target\n" + "".join(f"one-{at},{row[2] + 400}\n" for at, row in enumerate(cars(120)))
    watched.account.put(DATA, f"{MODEL}/truth/may.csv", labels)
    checked = watched.check("r1")
    tell(watched, "r1", summary_of(checked))
    watched.account.heard()
    monkeypatch.setattr("tidegate.edge.retraining._trainings", lambda _: iter(()))
    found = watched.load("retrain")({"run": "r1", "model": MODEL}, Context())
    assert (found["started"], found["wish"]) == (True, None)
    assert found["reason"] == "training starts with 30 rows of old.csv and 120 rows labelled since"
    again = watched.load("retrain")({"run": "r1", "model": MODEL}, Context())
    assert again == found
    body = watched.account.s3.get_object(Bucket=DATA, Key=names.retrain_key(MODEL, "r1"))["Body"]
    lines = body.read().decode().splitlines()
    assert lines[0] == ",".join(header)
    assert len(lines) == 151
    assert [each["Subject"] for each in watched.account.heard()] == [f"{MODEL}: retraining has started"]
    later = watched.load("retrain")({"run": "r9", "model": MODEL}, Context())
    assert "cooldown" in later["wish"]["waits"][0]
    assert [each["Subject"] for each in watched.account.heard()] == [f"{MODEL}: retraining is wanted"]


@pytest.mark.slow
def test_a_wish_stands_until_truth_has_come_and_the_report_says_what_it_waits_for(watched, monkeypatch):
    monkeypatch.setattr("tidegate.edge.retraining._trainings", lambda _: iter(()))
    retrain = watched.load("retrain")
    drop_to_learn_from(watched)
    watched.capture("one", cars(120, km=120))
    checked = watched.check("r1")
    tell(watched, "r1", summary_of(checked))
    report = checked["evaluated"]["report"]
    first = retrain({"run": "r1", "model": MODEL, "report": report}, Context())
    [waits] = first["wish"]["waits"]
    assert "50 labelled rows are needed and 0 came, of 120 predictions" in waits
    assert wanted() is True
    page = body_of(watched, report.split("/", 3)[3]).decode()
    assert "<h2>Retraining</h2>" in page and "50 labelled rows are needed" in page
    same = retrain({"run": "r2", "model": MODEL, "report": report}, Context())
    assert (same["wish"]["since"], same["wish"]["run"]) == (first["wish"]["since"], "r1")
    assert body_of(watched, report.split("/", 3)[3]).decode().count("<h2>Retraining</h2>") == 1

    labels = "id,target\n" + "".join(f"one-{at},{row[2]}\n" for at, row in enumerate(cars(120)))
    watched.account.put(DATA, f"{MODEL}/truth/may.csv", labels)
    tell(watched, "r3", summary_of(watched.check("r3")))
    served = retrain({"run": "r3", "model": MODEL}, Context())
    assert (served["started"], served["wish"]) == (True, None)
    assert wanted() is False
    subjects = [each["Subject"] for each in watched.account.heard()]
    told = ["drift in KM", "retraining is wanted", "retraining has started"]
    assert subjects == [f"{MODEL}: {each}" for each in told]


@pytest.mark.slow
def test_a_wish_is_withdrawn_when_the_drift_is_over(watched, monkeypatch):
    monkeypatch.setattr("tidegate.edge.retraining._trainings", lambda _: iter(()))
    retrain = watched.load("retrain")
    for number, km in enumerate((120, 0, 0), 1):
        watched.capture(f"c{number}", cars(120, first=number * 120, km=km))
        tell(watched, f"r{number}", summary_of(watched.check(f"r{number}")))
        found = retrain({"run": f"r{number}", "model": MODEL}, Context())
        assert (found["wish"] is not None) == (number < 3)
    assert found["reason"] == "drift is over"
    assert [each["Subject"] for each in watched.account.heard()][-1] == (
        f"{MODEL}: no retraining is wanted any more"
    )


@pytest.mark.slow
def test_a_retraining_that_was_cut_off_is_finished_by_whoever_looks_next(watched, monkeypatch):
    monkeypatch.setattr("tidegate.edge.retraining._trainings", lambda _: iter(()))
    drop_to_learn_from(watched)
    watched.capture("one", cars(120, km=120))
    labels = "id,target\n" + "".join(f"one-{at},{row[2]}\n" for at, row in enumerate(cars(120)))
    watched.account.put(DATA, f"{MODEL}/truth/may.csv", labels)
    tell(watched, "r1", summary_of(watched.check("r1")))
    watched.account.heard()

    def cut_off(*_: object) -> None:
        raise MemoryError

    with monkeypatch.context() as broken:
        broken.setattr("tidegate.table.watch.relearn.write_drop", cut_off)
        with pytest.raises(Unforeseen):
            watched.load("retrain")({"run": "r1", "model": MODEL}, Context())
    held = watched.load("retrain")({"run": "r2", "model": MODEL}, Context())
    assert not held["started"], "another check may be at it"
    with monkeypatch.context() as later:
        later.setattr("tidegate.core.standing.LEASE", timedelta(0))
        assert watched.load("retrain")({"run": "r3", "model": MODEL}, Context())["started"]
    assert [each["Subject"] for each in watched.account.heard()] == [f"{MODEL}: retraining has started"]


@pytest.mark.slow
def test_a_training_drop_that_does_not_fit_any_more_puts_the_wish_off(watched, monkeypatch):
    monkeypatch.setattr("tidegate.edge.retraining._trainings", lambda _: iter(()))
    watched.account.put(DATA, f"{MODEL}/train/old.csv", "nothing,of,it\n1,2,3\n")
    watched.capture("one", cars(120, km=120))
    labels = "id,target\n" + "".join(f"one-{at},{row[2]}\n" for at, row in enumerate(cars(120)))
    watched.account.put(DATA, f"{MODEL}/truth/may.csv", labels)
    tell(watched, "r1", summary_of(watched.check("r1")))
    watched.account.heard()
    for run in ("r1", "r2"):
        found = watched.load("retrain")({"run": run, "model": MODEL}, Context())
        assert not found["started"]
        assert found["wish"]["waits"][0].startswith("a training drop that fits the model file: ")
    assert [each["Subject"] for each in watched.account.heard()] == [f"{MODEL}: retraining is wanted"]


def test_the_model_file_sets_the_schedule_and_changes_it(watched, account, load):
    scheduler = boto3.client("scheduler")
    assert scheduler.get_schedule(Name=MODEL, GroupName=SCHEDULES)["ScheduleExpression"] == "rate(1 hour)"
    changed = REFERENCE.replace(b"every: 1 hour", b"every: 30 minutes")
    assert changed != REFERENCE
    account.put(DATA, f"{MODEL}/model.yaml", changed)
    load("register_model")(sample_event("model_file_dropped"), Context())
    schedule = scheduler.get_schedule(Name=MODEL, GroupName=SCHEDULES)
    assert schedule["ScheduleExpression"] == "rate(30 minutes)"
    assert json.loads(schedule["Target"]["Input"])["model"] == MODEL
    assert schedule["Target"]["DeadLetterConfig"] == {"Arn": "arn:aws:sqs:us-east-1:123456789012:parked"}


def test_a_model_has_an_alarm_of_its_own_which_follows_its_file(watched, account, load):
    def alarm() -> dict:
        [found] = boto3.client("cloudwatch").describe_alarms(AlarmNamePrefix="tidegate-drift/")[
            "MetricAlarms"
        ]
        assert found["AlarmName"] == f"tidegate-drift/{MODEL}"
        return found

    # By what checks publish of the model, under exactly these dimensions.
    published = {each["Name"]: each["Value"] for each in alarm()["Dimensions"]}
    assert published == by_model(MODEL)
    assert alarm()["MetricName"] in {each.name for each in verdicts([{"verdict": "drift"}])}
    assert (alarm()["Period"], alarm()["EvaluationPeriods"], alarm()["DatapointsToAlarm"]) == (3600, 2, 1)
    account.put(DATA, f"{MODEL}/model.yaml", REFERENCE.replace(b"every: 1 hour", b"every: 2 days"))
    load("register_model")(sample_event("model_file_dropped"), Context())
    assert alarm()["Period"] == 86_400


@pytest.mark.slow
def test_people_hear_of_the_same_drift_once_whichever_run_tells(watched):
    at = "2026-03-03T14:00:00+00:00"
    drift = {"severity": "act", "columns": ["KM"], "act": ["KM"], "known": True}
    entry = {"algorithm": "xgboost", "status": "SUCCEEDED", "window": 3, "verdict": "drift", "at": at}
    entry |= {"columns": [], "reason": "KM moved", "answers": {"drift": drift}}
    first = tell(watched, "r1", entry)
    assert first["outcome"]["told"] == [{"algorithm": "xgboost", "question": "drift", "news": "start"}]
    assert first["outcome"]["severity"] == "act"
    [message] = first["outbox"]["messages"]
    again = watched.load("notify")({"kind": "message", "message": message, "outcome": {}}, Context())
    assert again == {"sent": message["id"]}
    assert tell(watched, "r2", entry)["outbox"]["messages"] == []
    assert len(watched.account.heard()) == 1


@pytest.mark.slow
def test_a_model_with_a_season_is_compared_with_the_baseline_first_and_then_with_its_like(
    watched, monkeypatch
):
    monkeypatch.setattr("tidegate.table.watch.season.ROWS", 150)
    monkeypatch.setattr("tidegate.table.watch.season.WINDOWS", {"day-of-week": 2})
    monkeypatch.setattr("tidegate.table.watch.season.phase_of", lambda *_: "Monday")
    spec = yaml.safe_load(REFERENCE)
    spec["algorithms"] = {"xgboost": None}
    spec["monitor"] = {"least_rows": 50, "season": "day-of-week"}
    watched.account.put(DATA, f"{MODEL}/model.yaml", yaml.safe_dump(spec, sort_keys=False))
    watched.load("register_model")(sample_event("model_file_dropped"), Context())

    def other(first: int) -> list:  # what this season is like, and the baseline never was
        return [(km + 40_000, fuel, price) for km, fuel, price in cars(120, first=first)]

    summaries = []
    for at, name in enumerate(("one", "two", "three", "four")):
        watched.capture(name, cars(120, first=400) if name == "four" else other(120 * at))
        summaries.append(summary_of(watched.check(f"r{at}")))
    first, second, third, fourth = summaries
    assert "KM" in first["answers"]["drift"]["columns"]
    assert "as 0 of 2 windows of Monday UTC are known" in str(first["reason"])
    assert "as 1 of 2 windows" in str(second["reason"])
    assert third["answers"]["drift"]["columns"] == []
    assert "compared with the first 240 rows of Monday UTC" in str(third["reason"])
    assert "KM" in fourth["answers"]["drift"]["columns"]
