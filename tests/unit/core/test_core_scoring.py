"""What a scoring run will do, how it ends and what people hear of it: pure decisions."""

from __future__ import annotations

import pytest

from tidegate.core.messages import tell_scoring
from tidegate.core.outcome import finish_scoring
from tidegate.core.scoring import Champion, columns_of, layouts_of, plan_scores, too_many_bad
from tidegate.core.spec import ModelSpec
from tidegate.core.usage import Scoring

SPEC = ModelSpec.from_dict(
    {
        "name": "cars",
        "target": "price",
        "id": "listing",
        "features": {"km": "numeric", "year": "integer"},
        "algorithms": {"xgboost": None, "linear-learner": None},
        "scoring": {"count": 3, "max_payload_mb": 2},
    }
)
NEW = Champion("xgboost", "tg-cars-xgboost-1", {"km": "numeric", "year": "integer"})
OLD = Champion("linear-learner", "tg-cars-linear-learner-0", {"year": "numeric", "make": "categorical"})
FAILED = {"state": "Score with the champion", "error": "States.TaskFailed", "cause": "it broke"}
RAW = {
    "run": "0123456789ab",
    "model": "cars",
    "key": "cars/score/a.csv",
    "algorithms": [{"algorithm": "xgboost", "status": "SUCCEEDED", "model": "m"}],
    "counts": {"rows": 1002, "good": 1000, "rejected": 2},
    "scored": 1000,
    "scores": "s3://a/cars/scores/date=2026-11-21/run=0123456789ab",
    "rejects": "s3://a/cars/runs/0123456789ab/score/rejects.csv",
    "absent": [],
}


def test_a_file_needs_what_the_approved_models_read_typed_as_the_model_file_says():
    assert columns_of(SPEC, [NEW, OLD]) == {"km": "numeric", "year": "integer", "make": "categorical"}


def test_models_that_read_the_same_columns_share_their_rows():
    same = Champion("linear-learner", "m", dict(NEW.columns))
    assert layouts_of([NEW, same]) == [["km", "year"]]
    assert layouts_of([NEW, OLD]) == [["km", "year"], ["year", "make"]]


def test_the_plan_names_what_each_job_needs_and_who_is_absent():
    plan = plan_scores(SPEC, "0123456789ab", [NEW], date="2026-11-21", prefix="tg", artifacts="a")
    [job] = plan["algorithms"]
    home = "s3://a/cars/runs/0123456789ab/score"
    assert (job["rows"], job["output"]) == (f"{home}/rows/0/", f"{home}/xgboost")
    assert (job["champion"], job["count"], job["max_concurrent"], job["max_payload_mb"]) == (
        NEW.model,
        3,
        0,
        2,
    )
    assert plan["absent"] == ["linear-learner"]
    assert plan["combine"]["scores"] == "s3://a/cars/scores/date=2026-11-21/run=0123456789ab"
    assert plan["combine"]["outputs"] == {"xgboost": f"{home}/xgboost/"}


def test_the_name_of_a_job_fits_with_what_the_machine_appends():
    name = ModelSpec.from_dict({**SPEC.to_dict(), "name": "m" * 28})
    plan = plan_scores(name, "0123456789ab", [OLD], date="2026-11-21", prefix="tgt", artifacts="a")
    assert len(plan["algorithms"][0]["job"] + "-s5") <= 63


def test_each_attempt_at_a_run_keeps_its_rows_and_answers_apart():
    about = {"date": "2026-11-21", "prefix": "tg", "artifacts": "a"}
    first, second = (plan_scores(SPEC, "0123456789ab", [NEW], attempt=n, **about) for n in (0, 1))
    for what in ("rows", "output"):
        assert first["algorithms"][0][what] != second["algorithms"][0][what]
    assert first["combine"]["scores"] == second["combine"]["scores"]


@pytest.mark.parametrize(("rejected", "refused"), [(0, False), (10, False), (11, True), (100, True)])
def test_a_file_is_refused_above_the_share_of_bad_rows_that_is_allowed(rejected, refused):
    assert bool(too_many_bad(Scoring(), 100, rejected, "the first")) == refused


def test_a_good_end_counts_rows_and_says_where_things_are():
    outcome = finish_scoring(RAW)
    assert (outcome["status"], outcome["rows"], outcome["scored"], outcome["rejected"]) == (
        *("SUCCEEDED", 1002, 1000, 2),
    )
    assert outcome["reason"] == "1,000 rows scored, 2 bad ones set aside"
    told = tell_scoring(outcome)
    assert told.subject == "cars: a file was scored"
    assert f"{RAW['scores']}/scores.csv" in told.message
    assert RAW["rejects"] in told.message


def test_an_algorithm_without_an_approved_model_is_told():
    outcome = finish_scoring(
        {**RAW, "absent": ["linear-learner"], "counts": {"rows": 1, "rejected": 0}, "scored": 1}
    )
    assert outcome["reason"] == "1 row scored, without linear-learner, which has no approved model yet"
    assert outcome["rejects"] is None


def test_an_algorithm_whose_approved_model_is_gone_is_told_by_why_and_what_to_do():
    one = {"counts": {"rows": 1, "rejected": 0}, "scored": 1}
    outcome = finish_scoring(
        {**RAW, **one, "absent": ["xgboost"], "lost": {"xgboost": "the model m is no more"}}
    )
    assert outcome["reason"] == ("1 row scored, without xgboost: the model m is no more; train it once more")


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        ({"reason": "no approved model of 'cars' yet"}, "no approved model of 'cars' yet"),
        ({"failure": {**FAILED, "state": "Prepare the rows"}}, "in the state 'Prepare the rows': it broke"),
        (
            {"algorithms": [*RAW["algorithms"], {"algorithm": "forest", "status": "FAILED", **FAILED}]},
            "forest: in the state 'Score with the champion': it broke",
        ),
    ],
)
def test_a_bad_end_says_why(raw, words):
    outcome = finish_scoring({"run": "r", "model": "cars", "key": "k", **raw})
    assert outcome["status"] == "FAILED"
    assert words in outcome["reason"]
    assert "xgboost" not in outcome["reason"]
    assert words in tell_scoring(outcome).message
