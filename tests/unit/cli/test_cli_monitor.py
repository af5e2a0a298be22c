"""`tidegate monitor` and `tidegate report` against a cloud in memory: what is said, and the exit codes."""

from __future__ import annotations

import json
from typing import Any

import pytest
from cli_fakes import ARTIFACTS, FakeCloud, FakeSteps, History

from tidegate.cli.stack import Stack

REPORT = f"s3://{ARTIFACTS}/cars/monitor/checks/0123456789ab/report.html"


@pytest.fixture
def checked(cloud: FakeCloud, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Give a way to say what the next check finds."""
    outputs = Stack.output

    def output(self: Stack, name: str) -> str:
        return "arn:monitor" if name == "MonitorMachineArn" else outputs(self, name)

    monkeypatch.setattr(Stack, "output", output)

    def finds(verdict: str, status: str = "SUCCEEDED", **entry: Any) -> None:
        algorithm = {
            "verdict": verdict,
            "rows": 120,
            "new_rows": 60,
            "reason": "KM: it moved",
            "columns": [{"name": "KM", "sentence": "KM: it moved (80% of the rows are behind it)"}],
            "labels": {"matched": 7},
            **entry,
        }
        result = {"verdict": verdict, "algorithms": {"xgboost": algorithm}, "report": REPORT, "refused": []}

        def start_execution(self: FakeSteps, **given: str) -> dict[str, str]:
            run = given["name"].rpartition("-")[2]
            assert json.loads(given["input"])["model"] == "cars"
            cloud.dynamodb.put(
                run,
                kind="monitor",
                model="cars",
                status=status,
                started="2026-11-21T05:00:00Z",
                execution="arn:e",
                key="on demand",
                reason="xgboost: KM: it moved",
                result=json.dumps(result),
            )
            return {"executionArn": "arn:e"}

        monkeypatch.setattr(FakeSteps, "start_execution", start_execution, raising=False)
        history = History()
        history.add("ExecutionStarted")
        history.add("ExecutionSucceeded" if status == "SUCCEEDED" else "ExecutionFailed")
        cloud.stepfunctions.events = history.events

    return finds


@pytest.mark.parametrize(("verdict", "code"), [("ok", 0), ("drift", 3), ("insufficient", 4)])
def test_the_exit_code_is_the_verdict(checked: Any, tidegate: Any, verdict: str, code: int) -> None:
    checked(verdict)
    result = tidegate("monitor", "cars", "--wait", "--json")
    assert result.exit_code == code, result.output
    assert json.loads(result.stdout)["verdict"] == verdict


def test_a_check_that_failed_ends_with_one(checked: Any, tidegate: Any) -> None:
    checked("insufficient", status="FAILED")
    result = tidegate("monitor", "cars", "--wait")
    assert result.exit_code == 1
    assert "failed" in result.stdout


def test_without_waiting_it_says_how_to_follow(checked: Any, tidegate: Any) -> None:
    checked("drift")
    result = tidegate("monitor", "cars")
    assert result.exit_code == 0
    assert "tidegate run" in result.stdout


def test_people_read_the_verdict_the_worst_column_and_where_the_report_is(
    checked: Any, tidegate: Any
) -> None:
    checked("drift")
    shown = tidegate("monitor", "cars", "--wait").stdout
    for words in ("drift", "KM: it moved (80% of the rows are behind it)", "120", REPORT):
        assert words in shown


def test_the_report_of_the_newest_check_is_brought(
    checked: Any, tidegate: Any, cloud: FakeCloud, tmp_path
) -> None:
    checked("drift")
    tidegate("monitor", "cars", "--wait")
    cloud.s3.objects[ARTIFACTS, "cars/monitor/checks/0123456789ab/report.html"] = {"body": b"<html>"}
    out = tmp_path / "page.html"
    result = tidegate("report", "cars", "-o", str(out))
    assert result.exit_code == 0, result.output
    assert out.read_bytes() == b"<html>"
    assert str(out) in result.stdout


def test_a_report_that_was_given_no_place_is_written_where_only_its_reader_looks(
    checked: Any, tidegate: Any, cloud: FakeCloud, tmp_path
) -> None:
    checked("drift")
    tidegate("monitor", "cars", "--wait")
    cloud.s3.objects[ARTIFACTS, "cars/monitor/checks/0123456789ab/report.html"] = {"body": b"<html>"}
    result = tidegate("report", "cars", "--state", str(tmp_path / "state"))
    assert result.exit_code == 0, result.output
    reports = tmp_path / "state" / "reports"
    assert (reports / "cars-0123456789ab.html").read_bytes() == b"<html>"
    assert reports.stat().st_mode & 0o777 == 0o700


def test_without_any_check_the_remedy_is_to_make_one(tidegate: Any, cloud: FakeCloud) -> None:
    result = tidegate("report", "cars")
    assert result.exit_code == 1
    assert "tidegate monitor cars --wait" in result.stderr


def test_a_model_that_nobody_declared_is_told(checked: Any, tidegate: Any) -> None:
    checked("ok")
    assert "no model named vans" in tidegate("monitor", "vans").stderr


def test_people_read_how_far_a_column_moved_what_it_is_worth_and_what_the_errors_may_come_to(
    checked: Any, tidegate: Any
) -> None:
    metric = {"value": 912.4, "low": 801.0, "high": 1039.2, "at_training": 750.0}
    column = {"name": "KM", "sentence": "KM: it moved (80% of the rows)", "distance": 0.5432}
    checked(
        "drift",
        columns=[{**column, "threshold": 0.1, "importance": 0.317}],
        estimate={"rows": 300, "metrics": {"rmse": metric}, "sentence": "estimated: RMSE 912.4"},
        record={"estimates": 9, "sentence": "truth has judged 9 estimates"},
    )
    shown = tidegate("monitor", "cars", "--wait").stdout
    assert "(80% of the rows); distance 0.543 where 0.1 is allowed; importance 32 %" in shown
    assert "  estimated: RMSE 912.4" in shown
    assert "  truth has judged 9 estimates" in shown
    document = json.loads(tidegate("monitor", "cars", "--wait", "--json").stdout)
    assert document["algorithms"]["xgboost"]["estimate"]["metrics"]["rmse"] == metric
