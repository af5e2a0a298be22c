"""Bad files: each is set aside with one sentence that a person can act on, and nothing is lost."""

from __future__ import annotations

import io
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.e2e import cars, watching
from tests.e2e.town import Town, csv_bytes
from tidegate.core import names

MODEL = "cars-checked"
GOOD = cars.rows(120)


def text_of(rows: list[dict], header: list[str] | None = None) -> str:
    return csv_bytes(rows, header).decode()


def with_cell(row: int, column: str, value: str) -> bytes:
    return csv_bytes([{**car, column: value} if number == row else car for number, car in enumerate(GOOD)])


def without(column: str) -> bytes:
    return csv_bytes([{key: value for key, value in car.items() if key != column} for car in GOOD])


def parquet_of(rows: list[dict]) -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.table({key: [str(row[key]) for row in rows] for key in rows[0]}), out)
    return out.getvalue()


def one_column_too_many() -> bytes:
    lines = text_of(GOOD).splitlines()
    lines[17] += ",surplus"
    return "\n".join(lines).encode()


BAD_FILES = {
    "no header": ("cars.csv", b"\n".join(text_of(GOOD).encode().split(b"\r\n")[1:]), ["header"]),
    "missing target": ("cars.csv", without("price"), ["price"]),
    "missing feature": ("cars.csv", without("make"), ["make"]),
    "wrong type": ("cars.csv", with_cell(41, "km", "abc"), ["43", "km", "abc"]),
    "target not a number": ("cars.csv", with_cell(10, "price", "cheap"), ["12", "price", "cheap"]),
    "target missing": ("cars.csv", with_cell(10, "price", ""), ["12", "price"]),
    "only blank lines": ("cars.csv", b"\n\n\n", ["holds no text"]),
    "header only": ("cars.csv", ",".join(cars.HEADER).encode(), ["no rows"]),
    "a column too many": ("cars.csv", one_column_too_many(), ["18", "7", "6"]),
    "not UTF-8": ("cars.csv", text_of(GOOD).replace("toyota", "citroën").encode("latin-1"), ["UTF-8"]),
    "UTF-16": ("cars.csv", text_of(GOOD).encode("utf-16"), ["UTF-16"]),
    "Parquet with other names": ("cars.parquet", parquet_of([{"a": 1, "b": 2}] * 50), ["price"]),
    "Parquet cut short": ("cars.parquet", parquet_of(GOOD)[:200], ["Parquet"]),
    "0 bytes": ("cars.csv", b"", ["empty"]),
    "semicolons": ("cars.csv", text_of(GOOD).replace(",", ";").encode(), [";"]),
    "too few rows": ("cars.csv", csv_bytes(GOOD[:5]), ["5"]),
}
BAD_NAMES = [
    "used cars 2024.csv",
    "a+b.csv",
    "Gebrauchtwagen-übersicht.csv",
    "中古車.csv",
    "50%.csv",
    "it's;odd&.csv",
]


@pytest.fixture(scope="module", autouse=True)
def declared(town: Town) -> None:
    town.declare(cars.spec(MODEL, algorithms={"xgboost": {"hyperparameters": {"num_round": 10}}}))


@pytest.mark.parametrize("what", BAD_FILES)
def test_a_bad_file_is_set_aside_with_its_reason_and_people_are_told(town: Town, what: str):
    filename, content, words = BAD_FILES[what]
    filename = f"{what} {filename}"
    run = town.drop(MODEL, filename, content)
    record = town.ended(run)
    assert record["status"] == "REFUSED"
    assert town.execution(record)["status"] == "SUCCEEDED"  # nothing for an alarm about failures
    kept = f"quarantine/{MODEL}/{run}/{filename}"
    assert town.read(town.data, kept) == content
    reason = json.loads(town.read(town.data, f"{kept}.reason.json"))["reason"]
    for word in words:
        assert word in reason, reason
    assert "Traceback" not in reason
    # What is told has the same words, but of a value only its shape: 'abc' is 'xxx'.
    assert len(record["reason"]) == len(reason)
    told_words = {"abc": "'xxx'", "cheap": "'xxxxx'"}
    assert all(shape in record["reason"] for word, shape in told_words.items() if word in words)
    assert not any(word in record["reason"] for word in (*told_words, "toyota", "citro"))
    assert town.keys(town.data, f"{MODEL}/train/{filename}") == []
    [told] = town.notifications(run)
    assert told["kind"] == "file-refused"
    assert record["reason"] in told["message"]
    assert "Train the model" not in town.states_of(record)


@pytest.mark.parametrize("kind", ["train", "score"])
def test_a_refused_file_keeps_its_tags(town: Town, kind: str):
    if kind == "score":  # which is looked at only where a model is approved
        assert town.train(MODEL, "good.csv", csv_bytes(GOOD))["status"] == "SUCCEEDED"
    key, body = f"{MODEL}/{kind}/tagged.csv", b"no,header\n1\n"
    put = town.client("s3").put_object(Bucket=town.data, Key=key, Body=body, Tagging="owner=me")
    run = names.run_id(town.data, key, put["VersionId"])
    record = town.ended(run)
    assert record["status"] == "REFUSED", record["reason"]
    assert tags_of(town, f"quarantine/{MODEL}/{run}/tagged.csv") == {"owner": "me"}


def test_refused_ground_truth_keeps_its_tags(town: Town):
    assert town.train(MODEL, "good for truth.csv", csv_bytes(GOOD))["status"] in ("SUCCEEDED", "REJECTED")
    key = f"{MODEL}/truth/tagged.csv"
    town.client("s3").put_object(Bucket=town.data, Key=key, Body=b"no,header\n1\n", Tagging="owner=me")
    run = watching.check(town, MODEL)["run"]
    [kept] = [each for each in town.keys(town.data, f"quarantine/{MODEL}/{run}/") if each.endswith(".csv")]
    assert tags_of(town, kept) == {"owner": "me"}


def tags_of(town: Town, key: str) -> dict[str, str]:
    tags = town.client("s3").get_object_tagging(Bucket=town.data, Key=key)["TagSet"]
    return {each["Key"]: each["Value"] for each in tags}


@pytest.mark.parametrize("filename", BAD_NAMES)
def test_a_file_with_an_unusual_name_trains_like_any_other(town: Town, filename: str):
    record = town.train(MODEL, filename, csv_bytes(cars.rows(120, seed=len(filename))))
    assert record["status"] == "SUCCEEDED", record["reason"]
    assert record["key"] == f"{MODEL}/train/{filename}"


def test_a_refused_file_that_is_mended_and_dropped_again_trains(town: Town):
    refused = town.train(MODEL, "mended.csv", with_cell(3, "km", "abc"))
    assert refused["status"] == "REFUSED"
    mended = town.train(MODEL, "mended.csv", csv_bytes(GOOD))
    assert mended["status"] == "SUCCEEDED", mended["reason"]
