"""Which runs may be taken up again and on what they build; what a parked event says."""

from __future__ import annotations

import json

import pytest

from tidegate.core import names
from tidegate.core.attempts import CannotRetry, done_before, event_again, next_attempt, trained_before
from tidegate.core.closing import drop_of
from tidegate.core.parked import read_parked

RUN = names.run_id("data", "cars/train/a.csv", "v1")
FAILED = {
    "run": RUN,
    "model": "cars",
    "bucket": "data",
    "key": "cars/train/a.csv",
    "version": "v1",
    "etag": "e1",
    "status": "FAILED",
    "result": {},
}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"status": "RUNNING"}, "is RUNNING"),
        ({"status": "SUCCEEDED"}, "only a failed run"),
        ({"status": "SUPERSEDED"}, "only a failed run"),
        ({"status": "REFUSED", "result": {"kept_at": "s3://data/quarantine/a.csv"}}, "refused its file"),
        ({"result": {"kept_at": "s3://data/quarantine/a.csv"}}, "refused its file"),
        ({"attempt": 9}, "was tried 10 times"),
        ({"attempt": 9, "kind": "monitor", "key": "on demand 1"}, "was tried 10 times"),
    ],
)
def test_a_run_that_another_attempt_cannot_help_is_refused_with_what_to_do(changes, words):
    with pytest.raises(CannotRetry, match=words) as refusal:
        next_attempt({**FAILED, **changes})
    assert refusal.value.remedy


def test_attempts_are_counted_and_the_event_of_the_next_names_the_same_run():
    assert next_attempt(FAILED) == 1
    assert next_attempt({**FAILED, "attempt": "3"}) == 4
    event = event_again(FAILED, {"attempt": 1, "of": "arn"})
    drop = drop_of(json.dumps(event))
    assert drop is not None
    assert (drop.run, drop.attempt) == (RUN, 1)


def test_of_a_scoring_run_what_was_answered_is_kept():
    algorithms = {
        "xgboost": {"status": "FAILED", "state": "Score with the champion"},
        "linear-learner": {"status": "SUCCEEDED", "model": "m", "output": "s3://a/out/"},
    }
    record = {**FAILED, "kind": "score", "key": "cars/score/a.csv", "result": {"algorithms": algorithms}}
    assert set(done_before(record)) == {"linear-learner"}


def test_a_check_is_called_again_by_the_name_it_was_called_by():
    record = {
        "run": "r",
        "model": "cars",
        "kind": "monitor",
        "key": "2026-03-01T09:00:00Z",
        "status": "FAILED",
    }
    assert next_attempt(record) == 1
    again = event_again(record, {"attempt": 1, "of": "arn"})
    assert again == {
        "model": "cars",
        "asked": "2026-03-01T09:00:00Z",
        "retry": {"attempt": 1, "of": "arn"},
    }


def test_an_object_without_a_version_is_named_by_its_etag():
    run = names.run_id("data", "cars/train/a.csv", "e1")
    drop = drop_of(json.dumps(event_again({**FAILED, "run": run, "version": ""}, {"attempt": 2})))
    assert drop is not None
    assert drop.run == run


def test_what_came_to_an_end_is_kept_and_what_was_trained_is_not_trained_again():
    algorithms = {
        "xgboost": {"status": "FAILED", "state": "Evaluate"},
        "linear-learner": {"status": "REJECTED", "reason": "low"},
    }
    assert set(done_before({**FAILED, "result": {"algorithms": algorithms}})) == {"linear-learner"}
    base = names.job_name("tg", "cars", "xgboost", RUN)
    other = names.job_name("tg", "cars", "linear-learner", RUN)
    found = trained_before(FAILED, "tg", [f"{base}-6", base, other, "tg-cars-xgboost-ffffffffffff"])
    assert found == {"xgboost": f"{base}-6", "linear-learner": other}


@pytest.mark.parametrize("suffix", ["", "-1", "-c", "-Z"])
def test_the_run_of_a_model_is_read_from_its_name_whatever_the_attempt(suffix):
    assert names.champion_run(names.job_name("tg", "cars", "xgboost", RUN) + suffix) == RUN


@pytest.mark.parametrize(
    ("body", "attributes", "what", "why", "target"),
    [
        (
            json.dumps({"detail-type": "Object Created", "detail": {"object": {"key": "cars/train/a.csv"}}}),
            {"ERROR_CODE": "NO_PERMISSIONS", "ERROR_MESSAGE": "not allowed", "TARGET_ARN": "arn:m"},
            "Object Created cars/train/a.csv",
            "NO_PERMISSIONS: not allowed",
            "arn:m",
        ),
        (
            json.dumps({"detail-type": "Step Functions Execution Status Change", "detail": {"name": "x"}}),
            {"RequestID": "1", "ErrorCode": "200", "ErrorMessage": "boom"},
            "Step Functions Execution Status Change x",
            "boom",
            None,
        ),
        ("not json", {}, "something that is no event", "no reason given", None),
    ],
)
def test_a_parked_event_says_what_it_is_and_why_it_was_not_delivered(body, attributes, what, why, target):
    typed = {name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()}
    message = {
        "Body": body,
        "MessageAttributes": typed,
        "Attributes": {"SentTimestamp": "1772357467000"},
        "ReceiptHandle": "r",
    }
    parked = read_parked(message)
    assert (parked.what, parked.why, parked.target) == (what, why, target)
    assert parked.at == "2026-03-01T09:31:07+00:00"
