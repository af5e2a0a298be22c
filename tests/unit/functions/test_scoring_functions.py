"""The functions of the score machine with their sample events: what they read, write and answer."""

from __future__ import annotations

import csv
import io
import json

import pytest

from tests.unit.functions.conftest import ARTIFACTS, DATA, ROLE, Context, sample_event
from tidegate.core.spec import ModelSpec

MODEL = "used-car-price"
RUN = "ba9876543210"
SPEC = {
    "name": MODEL,
    "target": "Price",
    "id": "Id",
    "features": {"KM": "numeric", "Fuel_Type": "categorical"},
    "algorithms": {"xgboost": None, "linear-learner": None},
    "scoring": {"most_bad_share": 0.5},
}
RECIPE = {
    "inputs": ["KM", "Fuel_Type"],
    "columns": [{"name": "KM", "type": "numeric"}, {"name": "Fuel_Type", "type": "categorical"}],
}
GOOD = "Id,KM,Fuel_Type\n7,46986,Diesel\n8,far,Diesel\n9,,\n"


class Cloud:
    """Parameter Store and SageMaker's models, as far as champions are looked up there."""

    def __init__(self, approved: list[str], deleted: bool = False, role: str = ROLE) -> None:
        self.approved, self.deleted, self.role = approved, deleted, role

    def get_parameters(self, Names):
        found = [name for name in Names if name.split("/")[-2] in self.approved]
        return {"Parameters": [{"Name": name, "Value": f"tg-{name.split('/')[-2]}"} for name in found]}

    def describe_model(self, ModelName):
        if self.deleted:
            from botocore.exceptions import ClientError

            error = {"Error": {"Code": "ValidationException", "Message": "Could not find model"}}
            raise ClientError(error, "DescribeModel")
        home = f"s3://{ARTIFACTS}/{MODEL}/runs/old/{ModelName.removeprefix('tg-')}"
        archives = [f"{home}/recipe.tar.gz", f"{home}/model/model.tar.gz"]
        return {
            "Containers": [{"ModelDataUrl": each} for each in archives],
            "ExecutionRoleArn": self.role,
        }


@pytest.fixture
def prepare(account, load, monkeypatch):
    """Give a caller of prepare_scores: the approved algorithms and the file, and its answer."""
    spec = {"source_sha256": "abc", "spec": ModelSpec.from_dict(SPEC).to_dict()}
    account.put(ARTIFACTS, f"{MODEL}/spec.json", json.dumps(spec))
    for algorithm in SPEC["algorithms"]:
        for name in ("recipe.json", "recipe.tar.gz", "model/model.tar.gz"):
            account.put(ARTIFACTS, f"{MODEL}/runs/old/{algorithm}/{name}", json.dumps(RECIPE))

    def call(approved: list[str], body: str = GOOD, deleted: bool = False, role: str = ROLE) -> dict:
        account.put(DATA, f"{MODEL}/score/on_sale.csv", body)
        handler = load("prepare_scores")
        cloud = Cloud(approved, deleted, role)
        for module in ("champions", "parameters"):
            monkeypatch.setattr(f"tidegate.edge.{module}.client", lambda _: cloud)
        return handler(sample_event("prepare_scores"), Context())

    return call


def test_good_rows_are_written_for_the_models_and_bad_ones_aside(prepare, account):
    answer = prepare(["xgboost", "linear-learner"])
    assert answer["accepted"]
    assert answer["counts"] == {"rows": 3, "good": 2, "rejected": 1}
    assert answer["spec_sha256"] == "abc"
    assert [each["champion"] for each in answer["algorithms"]] == ["tg-xgboost", "tg-linear-learner"]
    rows = (
        account.s3.get_object(Bucket=ARTIFACTS, Key=f"{MODEL}/runs/{RUN}/score/rows/0/part-00000.jsonl")[
            "Body"
        ]
        .read()
        .decode()
    )
    assert [json.loads(line) for line in rows.splitlines()] == [
        {"row": 2, "id": "7", "features": [46986, "Diesel"]},
        {"row": 4, "id": "9", "features": [None, None]},
    ]
    key = answer["rejects"].removeprefix(f"s3://{ARTIFACTS}/")
    aside = account.s3.get_object(Bucket=ARTIFACTS, Key=key)["Body"].read().decode()
    assert list(csv.DictReader(io.StringIO(aside))) == [
        {"row": "3", "column": "KM", "reason": "'far' is not a number", "raw": "8,far,Diesel"}
    ]


def test_an_algorithm_without_an_approved_model_is_left_out_and_named(prepare):
    answer = prepare(["linear-learner"])
    assert [each["algorithm"] for each in answer["algorithms"]] == ["linear-learner"]
    assert answer["absent"] == ["xgboost"]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"approved": []}, "train one first"),
        ({"approved": ["xgboost"], "deleted": True}, "tg-xgboost, which Parameter Store names, is no more"),
        ({"approved": ["xgboost"], "role": "arn:aws:iam::1:role/gone"}, "is not this deployment's"),
    ],
)
def test_without_any_approved_model_the_file_stays_and_the_answer_says_what_to_do(
    prepare, account, given, said
):
    answer = prepare(**given)
    assert not answer["accepted"]
    assert answer["kept_at"] is None
    assert said in answer["reason"]
    assert "train " in answer["reason"]
    assert f"{MODEL}/score/on_sale.csv" in account.keys(DATA)


def test_an_approved_model_whose_artefact_is_gone_is_left_out_and_why_is_told(prepare, account):
    account.s3.delete_object(Bucket=ARTIFACTS, Key=f"{MODEL}/runs/old/xgboost/model/model.tar.gz")
    answer = prepare(["xgboost", "linear-learner"])
    assert [each["algorithm"] for each in answer["algorithms"]] == ["linear-learner"]
    assert "lacks s3://" in answer["lost"]["xgboost"]


def test_a_file_that_cannot_be_used_goes_to_the_quarantine(prepare, account):
    answer = prepare(["xgboost"], "Id,KM\n1,2\n")
    assert not answer["accepted"]
    assert "lacks the column 'Fuel_Type'" in answer["reason"]
    assert answer["kept_at"] == f"s3://{DATA}/quarantine/{MODEL}/{RUN}/on_sale.csv"
    assert f"{MODEL}/score/on_sale.csv" not in account.keys(DATA)


def test_answers_are_combined_into_scores_of_two_formats(prepare, account, load):
    prepare(["xgboost", "linear-learner"])
    for algorithm, output in {"xgboost": 9000.5, "linear-learner": {"score": 9100.25}}.items():
        lines = [{"row": row, "id": "x", "SageMakerOutput": output} for row in (2, 4)]
        key = f"{MODEL}/runs/{RUN}/score/{algorithm}/part-00000.jsonl.out"
        account.put(ARTIFACTS, key, "".join(json.dumps(line) + "\n" for line in lines))
    answer = load("combine_scores")(sample_event("combine_scores"), Context())
    assert answer["scored"] == 2
    home = answer["scores"].removeprefix(f"s3://{ARTIFACTS}/")
    assert {f"{home}/scores.csv", f"{home}/scores.parquet"} <= set(account.keys(ARTIFACTS))
    text = account.s3.get_object(Bucket=ARTIFACTS, Key=f"{home}/scores.csv")["Body"].read().decode()
    assert next(csv.DictReader(io.StringIO(text))) == {
        "Id": "7",
        "KM": "46986",
        "Fuel_Type": "Diesel",
        "unseen": "",
        "prediction_xgboost": "9000.5",
        "prediction_linear-learner": "9100.25",
        "prediction": "9100.25",
    }


@pytest.mark.slow
def test_people_hear_how_a_file_was_scored(account, load):
    outcome = {
        "run": RUN,
        "model": MODEL,
        "key": f"{MODEL}/score/on_sale.csv",
        "algorithms": [{"algorithm": "xgboost", "status": "SUCCEEDED", "model": "m"}],
        "counts": {"rows": 3, "good": 2, "rejected": 1},
        "absent": [],
        "rejects": "s3://a/rejects.csv",
        "scored": 2,
        "scores": "s3://a/scores",
    }
    answer = load("notify")({"kind": "scoring", "outcome": outcome}, Context())
    assert answer["status"] == "SUCCEEDED"
    [heard] = account.heard()
    assert heard["Subject"] == f"{MODEL}: a file was scored"
    assert "2 rows scored, 1 bad one set aside" in heard["Message"]
