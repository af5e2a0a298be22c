"""What the score machine itself decides: that no row was lost, and that every algorithm answered."""

from pathlib import Path

import jsonata
import pytest

from tests.conformance.asl import expressions, read_machine

pytestmark = pytest.mark.conformance

STATES = read_machine(Path(__file__).parents[2] / "statemachines" / "score.asl.yaml")["States"]


def decided(state: str, **variables: object) -> str:
    """Give the state that a Choice goes on with."""
    for rule in STATES[state]["Choices"]:
        [text] = expressions(rule["Condition"])
        expression = jsonata.Jsonata(text)
        for name, value in variables.items():
            expression.assign(name, value)
        if expression.evaluate(None):
            return str(rule["Next"])
    return str(STATES[state]["Default"])


@pytest.mark.parametrize(
    ("rows", "scored", "rejected", "then"),
    [
        (10, 10, 0, "Gather the scores"),
        (10, 7, 3, "Gather the scores"),
        (10, 9, 0, "Rows are missing"),
        (10, 10, 1, "Rows are missing"),
        (10, 0, 0, "Rows are missing"),
    ],
)
def test_scores_are_given_only_when_every_row_is_scored_or_set_aside(rows, scored, rejected, then):
    prepared = {"counts": {"rows": rows, "good": rows - rejected, "rejected": rejected}}
    combined = {"scored": scored, "scores": "s3://a/scores"}
    assert decided("Is every row accounted for?", prepared=prepared, combined=combined) == then


def test_missing_rows_are_told_in_numbers_and_warn_of_the_scores():
    [text] = expressions(STATES["Rows are missing"]["Assign"]["failure"]["cause"])
    expression = jsonata.Jsonata(text)
    expression.assign("prepared", {"counts": {"rows": 10, "rejected": 1}})
    expression.assign("combined", {"scored": 8, "scores": "s3://a/scores"})
    cause = expression.evaluate(None)
    assert cause == "10 rows came in, 8 were scored and 1 set aside; do not use the scores at s3://a/scores"


@pytest.mark.parametrize(
    ("statuses", "then"),
    [
        (["SUCCEEDED"], "Combine the predictions"),
        (["SUCCEEDED", "SUCCEEDED"], "Combine the predictions"),
        (["FAILED"], "Gather the failed algorithms"),
        (["SUCCEEDED", "FAILED"], "Gather the failed algorithms"),
        (["FAILED", "FAILED"], "Gather the failed algorithms"),
    ],
)
def test_predictions_are_combined_only_when_every_algorithm_scored(statuses, then):
    algorithms = [{"algorithm": "a", "status": status} for status in statuses]
    assert decided("Did every algorithm score?", algorithms=algorithms) == then


@pytest.mark.parametrize(
    ("prepared", "then"),
    [
        ({"accepted": True}, "For each algorithm"),
        ({"accepted": False, "reason": "bad", "kept_at": "s3://d/q"}, "Gather the refusal"),
        ({"accepted": False, "reason": "none", "kept_at": None}, "No approved model yet"),
    ],
)
def test_a_prepared_file_goes_its_way(prepared, then):
    assert decided("Can it be scored?", prepared=prepared) == then


@pytest.mark.parametrize(
    ("model", "spec", "then"),
    [
        ("the model", "the file", "It was scored before"),
        ("another model", "the file", "Score with the champion"),
        ("the model", "another file", "Score with the champion"),
    ],
)
def test_a_retried_run_takes_only_answers_of_the_same_model_to_the_same_rows(model, spec, then):
    inner = STATES["For each algorithm"]["ItemProcessor"]["States"]["Was it scored before?"]
    [text] = expressions(inner["Choices"][0]["Condition"])
    expression = jsonata.Jsonata(text)
    done = {"xgboost": {"model": "the model", "status": "SUCCEEDED"}}
    for name, value in {
        "done": done,
        "done_by": "the file",
        "prepared": {"spec_sha256": spec},
        "states": {"input": {"algorithm": "xgboost", "champion": model}},
    }.items():
        expression.assign(name, value)
    found = inner["Choices"][0]["Next"] if expression.evaluate(None) else inner["Default"]
    assert found == then
