"""Batch scoring through the shipped template and state machine: what comes out, what is set aside, what fails."""

from __future__ import annotations

import csv
import io
import json
import random
import subprocess
import sys
import tarfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xgboost

from tests.e2e import cars
from tests.e2e.town import Town, csv_bytes
from tidegate.core.combine import combine
from tidegate.serving.apply import Recipe

MODEL = "cars-score"
WEIGHTS = {"xgboost": 3.0, "linear-learner": 1.0}
ROWS = [{key: value for key, value in car.items() if key != "price"} for car in cars.rows(90, seed=77)]
BOTH = {
    "xgboost": {"hyperparameters": {"num_round": 30}},
    "linear-learner": {"hyperparameters": {"epochs": 5}},
}


@pytest.fixture(scope="module", autouse=True)
def trained(town: Town) -> None:
    town.declare(cars.spec(MODEL, algorithms=BOTH, serving={"combine": "weighted", "weights": WEIGHTS}))
    record = town.train(MODEL, "cars.csv", csv_bytes(cars.rows()))
    assert record["status"] == "SUCCEEDED", record["reason"]


def read(town: Town, uri: str) -> bytes:
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return town.read(bucket, key)


def scores_of(town: Town, record: dict) -> list[dict]:
    """Read a run's scores, after checking that both files hold the same."""
    table = pq.read_table(io.BytesIO(read(town, f"{record['result']['scores']}/scores.parquet"))).to_pylist()
    lines = list(csv.DictReader(io.StringIO(read(town, f"{record['result']['scores']}/scores.csv").decode())))
    assert list(lines[0]) == list(table[0])
    for name in ("prediction", "prediction_xgboost", "prediction_linear-learner"):
        if name in table[0]:
            assert [float(line[name]) for line in lines] == [row[name] for row in table]
    return table


def library_scores(town: Town, model: str, rows: list[dict]) -> list[float]:
    """Score rows with the xgboost library and the recipe alone, from the artifacts of a model."""
    recipe_uri, model_uri = (
        container["ModelDataUrl"]
        for container in town.client("sagemaker").describe_model(ModelName=model)["Containers"]
    )
    recipe = Recipe(json.loads(read(town, recipe_uri.replace("recipe.tar.gz", "recipe.json"))))
    with tarfile.open(fileobj=io.BytesIO(read(town, model_uri))) as archive:
        booster = xgboost.Booster(model_file=bytearray(archive.extractfile("xgboost-model").read()))
    named = [{name: row[name] or None for name in recipe.inputs} for row in rows]
    encoded = np.array(recipe.floats(json.dumps(named), "application/json"))
    return booster.predict(xgboost.DMatrix(encoded)).tolist()


def test_a_file_is_scored_exactly_as_the_library_would_and_combined_as_declared(town: Town):
    record = town.score(MODEL, "good.csv", csv_bytes(ROWS))
    assert record["status"] == "SUCCEEDED", record["reason"]
    assert record["kind"] == "score"
    result = record["result"]
    assert (result["rows"], result["scored"], result["rejected"]) == (len(ROWS), len(ROWS), 0)
    date = record["started"][:10]
    assert result["scores"] == f"s3://{town.artifacts}/{MODEL}/scores/date={date}/run={record['run']}"
    table = scores_of(town, record)
    assert list(table[0]) == [
        *("listing", "km", "year", "make", "automatic"),
        *("unseen", "prediction_xgboost", "prediction_linear-learner", "prediction"),
    ]
    assert [row["listing"] for row in table] == [row["listing"] for row in ROWS]
    assert [row["km"] for row in table] == [row["km"] if row["km"] != "" else None for row in ROWS]
    champion = result["algorithms"]["xgboost"]["model"]
    assert champion == town.parameter(MODEL, "xgboost", "model")
    assert [row["prediction_xgboost"] for row in table] == library_scores(town, champion, ROWS)
    for row in table:
        each = {name: row[f"prediction_{name}"] for name in WEIGHTS}
        assert row["prediction"] == combine("weighted", each, WEIGHTS)
    # The endpoints say the same of the same rows.
    body = "\n".join(",".join(str(row[name]) for name in ("km", "year", "make", "automatic")) for row in ROWS)
    for name, accept in (("xgboost", "text/csv"), ("linear-learner", "application/jsonlines")):
        endpoint = town.parameter(MODEL, name, "endpoint")
        answered = [json.loads(line) for line in town.invoke(endpoint, body, accept=accept).splitlines()]
        values = [each["score"] if isinstance(each, dict) else each for each in answered]
        assert [row[f"prediction_{name}"] for row in table] == pytest.approx(values, rel=1e-12)
    [told] = town.notifications(record["run"])
    assert told["subject"] == f"{MODEL}: a file was scored"
    assert f"{len(ROWS)} rows scored" in told["message"]


def as_json_lines(rows: list[dict]) -> bytes:
    named = [{**row, "km": row["km"] or None, "automatic": row["automatic"] == "yes"} for row in rows]
    return "".join(json.dumps(row) + "\n" for row in named).encode()


def as_parquet(rows: list[dict]) -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.Table.from_pylist([json.loads(line) for line in as_json_lines(rows).splitlines()]), out)
    return out.getvalue()


@pytest.mark.parametrize(("name", "write"), [("rows.jsonl", as_json_lines), ("rows.parquet", as_parquet)])
def test_the_format_of_a_file_changes_nothing(town: Town, name: str, write):
    plain = town.drop(MODEL, f"{name}.csv", csv_bytes(ROWS), "score")
    other = town.score(MODEL, name, write(ROWS))
    assert other["status"] == "SUCCEEDED", other["reason"]
    assert scores_of(town, other) == scores_of(town, town.ended(plain))


def test_bad_rows_are_set_aside_and_every_row_is_counted(town: Town):
    rows = [dict(row) for row in ROWS]
    rows[3]["km"], rows[50]["year"] = "far", "20.5"
    lines = csv_bytes(rows).decode().splitlines()
    lines[80] += ",surplus"
    record = town.score(MODEL, "some bad.csv", "\n".join(lines).encode())
    assert record["status"] == "SUCCEEDED", record["reason"]
    result = record["result"]
    assert (result["rows"], result["scored"], result["rejected"]) == (90, 87, 3)
    aside = list(csv.DictReader(io.StringIO(read(town, result["rejects"]).decode())))
    assert [(each["row"], each["column"]) for each in aside] == [("5", "km"), ("52", "year"), ("81", "")]
    assert [each["reason"] for each in aside] == [
        "'far' is not a number",
        "'20.5' is not a whole number",
        "6 fields, expected 5 as in the header",
    ]
    assert aside[0]["raw"] == lines[4]
    kept = [row["listing"] for at, row in enumerate(ROWS) if at not in (3, 50, 79)]
    assert [row["listing"] for row in scores_of(town, record)] == kept
    [told] = town.notifications(record["run"])
    assert "87 rows scored, 3 bad ones set aside" in told["message"]
    assert result["rejects"] in told["message"]


@pytest.mark.parametrize(
    ("what", "content", "words"),
    [
        ("a missing column", b"listing,km,year\na,1,2000\n", "lacks columns 'make', 'automatic'"),
        ("nothing usable", b"listing,km,year,make,automatic\na,b,c,d,e\n", "no row can be used"),
        (
            "too many bad rows",
            csv_bytes([*ROWS[:5], {**ROWS[5], "km": "x"}]),
            "1 of 6 rows is bad, more than",
        ),
        ("no bytes", b"", "is empty"),
    ],
)
def test_a_file_that_cannot_be_scored_is_set_aside_with_its_reason(town: Town, what, content, words):
    record = town.score(MODEL, f"{what}.csv", content)
    assert record["status"] == "REFUSED"
    assert town.execution(record)["status"] == "SUCCEEDED"
    assert words in record["reason"]
    kept = f"quarantine/{MODEL}/{record['run']}/{what}.csv"
    assert town.read(town.data, kept) == content
    # What is told shows of a value only its shape; beside the file it stands as it is.
    reason = json.loads(town.read(town.data, f"{kept}.reason.json"))["reason"]
    assert words in reason
    assert len(reason) == len(record["reason"])
    if what == "nothing usable":
        assert "'b' is not a number" in reason
        assert "'x' is not a number" in record["reason"]
    assert town.keys(town.data, f"{MODEL}/score/{what}") == []
    assert [told["kind"] for told in town.notifications(record["run"])] == ["file-refused"]
    assert "Score with the champion" not in town.states_of(record)


def test_before_any_model_is_approved_the_file_stays_and_people_hear_what_to_do(town: Town):
    town.declare(cars.spec("cars-untrained", algorithms={"xgboost": None}))
    record = town.score("cars-untrained", "early.csv", csv_bytes(ROWS))
    assert record["status"] == "FAILED"
    assert "no approved model of 'cars-untrained' yet: train one first" in record["reason"]
    assert town.states_of(record)[-5] == "No approved model yet"
    assert town.keys(town.data, "cars-untrained/score/") == ["cars-untrained/score/early.csv"]
    [told] = town.notifications(record["run"])
    assert "train one first" in told["message"]


def test_an_event_fifty_times_and_out_of_order_is_scored_once(town: Town):
    runs = [town.drop(MODEL, f"often {n}.csv", csv_bytes(ROWS[: 10 + n]), "score") for n in range(2)]
    records = [town.ended(run) for run in runs]
    events = [town.execution(record)["input"] for record in records] * 25
    random.Random(5).shuffle(events)
    start = town.client("stepfunctions").start_execution
    machine = town.outputs["ScoreMachineArn"]
    again = [start(stateMachineArn=machine, input=event)["executionArn"] for event in events]
    for arn in again:
        town.until(lambda a=arn: town.execution({"execution": a})["status"] == "SUCCEEDED", "a repeat ended")
    assert {town.states_of({"execution": arn})[-1] for arn in again} == {"The run was claimed before"}
    assert [town.record(run) for run in runs] == records
    assert [len(town.notifications(run)) for run in runs] == [1, 1]
    jobs = town.client("sagemaker").list_transform_jobs
    for run in runs:
        assert len(jobs(NameContains=run)["TransformJobSummaries"]) == len(WEIGHTS)


def test_a_file_overwritten_while_it_is_scored_is_two_runs_each_of_its_own_version(town: Town):
    first = town.drop(MODEL, "overwritten.csv", csv_bytes(ROWS[:30]), "score")
    second = town.drop(MODEL, "overwritten.csv", csv_bytes(ROWS[40:60]), "score")
    assert first != second
    for run, rows in ((first, ROWS[:30]), (second, ROWS[40:60])):
        record = town.ended(run)
        assert record["status"] == "SUCCEEDED", record["reason"]
        assert [row["listing"] for row in scores_of(town, record)] == [row["listing"] for row in rows]


def test_who_is_not_approved_yet_is_left_out_and_a_new_column_is_not_asked_for(town: Town):
    name = "cars-score-grown"
    few = {"km": "numeric", "year": "integer"}
    town.declare(cars.spec(name, algorithms={"xgboost": BOTH["xgboost"]}, features=few))
    assert town.train(name, "cars.csv", csv_bytes(cars.rows()))["status"] == "SUCCEEDED"
    town.declare(cars.spec(name, algorithms=BOTH, serving={"combine": "min"}))
    record = town.score(name, "few.csv", csv_bytes([{k: row[k] for k in ("listing", *few)} for row in ROWS]))
    assert record["status"] == "SUCCEEDED", record["reason"]
    assert record["reason"] == "90 rows scored, without linear-learner, which has no approved model yet"
    table = scores_of(town, record)
    assert list(table[0]) == ["listing", "km", "year", "unseen", "prediction_xgboost", "prediction"]
    assert all(row["prediction"] == row["prediction_xgboost"] for row in table)


def test_a_model_that_fails_fails_the_run_in_words_after_the_others_have_ended(town: Town):
    name = "cars-score-broken"
    town.declare(cars.spec(name, algorithms=BOTH))
    record = town.train(name, "cars.csv", csv_bytes(cars.rows()))
    assert record["status"] == "SUCCEEDED", record["reason"]
    champion = town.parameter(name, "xgboost", "model")
    archive = town.client("sagemaker").describe_model(ModelName=champion)["Containers"][1]["ModelDataUrl"]
    bucket, _, key = archive.removeprefix("s3://").partition("/")
    town.client("s3").put_object(Bucket=bucket, Key=key, Body=b"no archive")
    scored = town.score(name, "rows.csv", csv_bytes(ROWS))
    assert scored["status"] == "FAILED"
    assert (
        f"xgboost: in the state 'Score with the champion': The job {town.endpoint(name)}" in scored["reason"]
    )
    assert scored["result"]["algorithms"]["linear-learner"]["status"] == "SUCCEEDED"
    assert scored["result"]["scores"] is None
    assert "Combine the predictions" not in town.states_of(scored)
    [told] = town.notifications(scored["run"])
    assert told["subject"] == f"{name}: scoring failed"


def test_the_command_line_brings_the_scores(town: Town, tmp_path: Path):
    file, out = tmp_path / "on sale.csv", tmp_path / "scores.csv"
    file.write_bytes(csv_bytes(ROWS[:20]))
    command = [
        str(Path(sys.executable).parent / "tidegate"),
        "score",
        MODEL,
        str(file),
        "-o",
        str(out),
        "--json",
    ]
    done = subprocess.run(
        [*command, "--state", str(town.cloud.state), "--stack", town.stack],
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    printed = json.loads(done.stdout)
    assert (printed["scored"], printed["rejected"], printed["written"]) == (20, 0, str(out))
    assert out.read_bytes() == read(town, f"{printed['scores']}/scores.csv")
