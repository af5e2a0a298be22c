"""The function that closes runs which could not close themselves."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.unit.functions.conftest import ARTIFACTS, RUNS, Account, Context, sample_event
from tidegate.core import names

EVENT = sample_event("close_run")
ARN = EVENT["detail"]["executionArn"]
RUN = names.run_id("tidegate-data", "used-car-price/train/ToyotaCorolla.csv", "3HL4kqtJlcpXroDTDmJ")
TICKET = "ticket 2026-03-01T09:30:00Z 2026-03-01T09:30:01.000Z"


def ended(**changes: Any) -> dict[str, Any]:
    return {**EVENT, "detail": {**EVENT["detail"], **changes}}


def record(account: Account, run: str = RUN) -> dict[str, str]:
    item = account.dynamodb.get_item(TableName=RUNS, Key={"run": {"S": run}}).get("Item", {})
    return {name: next(iter(value.values())) for name, value in item.items()}


def claimed(account: Account, status: str = "RUNNING", execution: str = ARN) -> None:
    item = {
        "run": RUN,
        "model": "used-car-price",
        "status": status,
        "execution": execution,
        "started": "2026-03-01T09:30:01Z",
    }
    account.dynamodb.put_item(TableName=RUNS, Item={key: {"S": value} for key, value in item.items()})


def in_line(account: Account, **more: str) -> None:
    item = {"run": "queue/used-car-price", TICKET: ARN, **more}
    account.dynamodb.put_item(TableName=RUNS, Item={key: {"S": value} for key, value in item.items()})


@pytest.fixture(autouse=True)
def why(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """What Step Functions, which moto does not run, says about a stopped execution."""
    said: dict[str, str] = {}
    monkeypatch.setattr("tidegate.edge.records.why_stopped", lambda execution: said)
    return said


@pytest.mark.parametrize(
    ("detail", "words"),
    [
        ({"status": "ABORTED"}, "stopped from outside"),
        ({"status": "ABORTED", "error": "Enough", "cause": "by hand"}, "stopped from outside (by hand)"),
        ({"status": "TIMED_OUT"}, "longer than its state machine allows"),
        ({"status": "FAILED", "error": "States.ServiceRestart", "cause": "x"}, "The local cloud ended"),
        ({"status": "FAILED", "error": "States.Runtime", "cause": "$x is not there"}, "$x is not there"),
    ],
)
def test_a_run_that_could_not_close_itself_is_closed_with_its_reason_and_remedy(account, load, detail, words):
    claimed(account)
    in_line(account)
    answer = load("close_run")(ended(**detail), Context())
    assert answer["closed"]
    closed = record(account)
    assert closed["status"] == "FAILED"
    assert words in closed["reason"]
    assert f"tidegate retry {RUN}" in closed["reason"]
    assert closed["started"] == "2026-03-01T09:30:01Z"
    assert json.loads(closed["result"])["run"] == RUN
    [told] = account.heard()
    assert words in told["Message"]
    assert TICKET not in record(account, "queue/used-car-price")


def test_one_that_ended_before_its_claim_gets_a_record(account, load):
    assert load("close_run")(ended(status="FAILED", error="States.ServiceRestart"), Context())["closed"]
    assert record(account)["key"] == "used-car-price/train/ToyotaCorolla.csv"
    assert record(account)["execution"] == ARN


def test_one_that_a_newer_run_called_off_was_superseded(account, load, why):
    claimed(account)
    in_line(account, superseded=TICKET)
    why.update(error="Superseded", cause="a newer drop came")
    load("close_run")(ended(status="ABORTED"), Context())
    assert record(account)["status"] == "SUPERSEDED"
    assert [each["Subject"] for each in account.heard()] == ["used-car-price: a run gave way to a newer drop"]


@pytest.mark.parametrize("status", ["SUCCEEDED", "REJECTED", "FAILED"])
def test_a_run_that_closed_itself_stays_as_it_is_however_often_the_event_comes(account, load, status):
    claimed(account, status)
    before = record(account)
    for _ in range(2):
        assert not load("close_run")(ended(status="FAILED", error="TrainingFailed"), Context())["closed"]
    assert record(account) == before
    assert account.heard() == []


def test_the_record_of_a_later_attempt_is_not_touched(account, load):
    claimed(account, execution=f"{ARN}-retried")
    assert not load("close_run")(ended(status="FAILED"), Context())["closed"]
    assert record(account)["status"] == "RUNNING"


@pytest.mark.parametrize("given", [None, "no JSON", "[]", '{"detail": {}}', '{"model": 5}'])
def test_an_execution_that_no_drop_and_no_schedule_started_is_left_alone(account, load, given):
    assert load("close_run")(ended(input=given), Context()) == {"closed": False}
    assert account.keys(ARTIFACTS) == []


ASKED = "2026-03-01T09:30:00Z"
CHECK = names.monitor_run_id("used-car-price", ASKED)


@pytest.mark.parametrize(
    ("given", "run"),
    [
        ({"model": "used-car-price", "asked": ASKED}, CHECK),
        # The machine takes the execution's start where the scheduler's keyword is as it was written.
        ({"model": "used-car-price", "asked": "<aws.scheduler.scheduled-time>"}, "by its start"),
    ],
)
def test_a_check_that_was_stopped_from_outside_is_closed_and_told(account, load, why, given, run):
    if run == "by its start":
        run = names.monitor_run_id("used-car-price", "2026-03-01T09:30:00.000Z")
    why["cause"] = "too dear"
    item = {"run": run, "kind": "monitor", "model": "used-car-price", "status": "RUNNING", "execution": ARN}
    account.dynamodb.put_item(TableName=RUNS, Item={key: {"S": value} for key, value in item.items()})
    answer = load("close_run")(ended(status="ABORTED", input=json.dumps(given)), Context())
    assert answer == {"run": run, "closed": True, "status": "FAILED"}
    closed = record(account, run)
    assert (closed["kind"], closed["status"]) == ("monitor", "FAILED")
    assert "stopped from outside (too dear)" in closed["reason"]
    assert "The next check takes its predictions up" in closed["reason"]
    [told] = account.heard()
    assert told["Subject"] == "used-car-price: a check failed"
    assert not load("close_run")(ended(status="ABORTED", input=json.dumps(given)), Context())["closed"]
    assert account.heard() == []


def test_a_check_that_dropped_truth_started_is_closed_as_the_check_that_it_is(account, load):
    event = sample_event("truth_file_dropped")
    stored = event["detail"]["object"]
    detail = ended(status="TIMED_OUT", input=json.dumps(event))
    assert load("close_run")(detail, Context())["closed"]
    asked = names.asked_by_truth(stored["key"], stored["version-id"])
    found = record(account, names.monitor_run_id("used-car-price", asked))
    assert (found["kind"], found["key"], found["status"]) == ("monitor", asked, "FAILED")
    [told] = account.heard()
    assert told["Subject"] == "used-car-price: a check failed"
