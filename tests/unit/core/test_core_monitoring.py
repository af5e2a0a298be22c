"""Checks put together: verdicts joined, what is news and what is not, when drift may retrain, schedules."""

from datetime import UTC, datetime, timedelta

import pytest

from tidegate.core.bookmark import worth_telling
from tidegate.core.check import evaluate, state_after, summary_of
from tidegate.core.errors import BadSpec
from tidegate.core.monitor import Monitor, rate, read_monitor
from tidegate.core.monitoring import (
    digest_of,
    finish_monitoring,
    tell_monitoring,
    tell_retrain,
    told_of,
)
from tidegate.core.names import champion_run, monitor_run_id
from tidegate.core.retrain import Situation, decide
from tidegate.core.sentences import plainly, say
from tidegate.core.windows import Manifest

NOW = datetime(2024, 5, 4, 12, tzinfo=UTC)
READ = {"rows": 150, "repeated": 0, "first": None, "last": None, "unreadable": []}
DRIFT = {
    "rows": 150,
    "verdict": "drift",
    "reason": say("km: the mean went from 1 to 2").to_dict(),
    "worst": ["km"],
    "columns": [
        {
            "name": "km",
            "words": [say("the mean went from 1 to 2").to_dict()],
            "share": 0.8,
            "distance": 0.6,
            "threshold": 0.1,
        },
        {"name": "year", "words": [], "share": None, "distance": 0.01, "threshold": 0.1},
    ],
    "violations": [],
}
OK = {**DRIFT, "verdict": "ok", "worst": [], "reason": say("150 rows are as the baseline says").to_dict()}
FEW = {**OK, "verdict": "insufficient", "carried": ["s3://a/w/1"]}


def manifest(window: int = 1, champion: str = "m1") -> Manifest:
    return Manifest(
        model="cars",
        algorithm="xgboost",
        run=f"run{window}",
        window=window,
        objects=[{"key": "a", "size": 5}],
        labels=[],
        state=None,
        champion=champion,
        baseline="s3://a/cars/runs/r/xgboost",
        columns={"km": "numeric"},
        target="price",
        identity="listing",
        endpoint="tg-cars-xgboost",
        least_rows=100,
        left=0,
        seen={"a": ["1", window]},
        newest=None,
        waiting=None,
        home=f"s3://a/cars/monitor/xgboost/windows/{window}",
    )


def concluded(comparison, *, state=None, read=READ, matched=None, window=1, at="2024-05-04T12:00:00+00:00"):
    made = manifest(window)
    check = evaluate(made, state or {}, read, comparison, matched, at)
    return check, state_after(made, state or {}, check)


def test_a_drifting_column_is_seen_since_the_first_check_that_found_it_without_a_break():
    _, first = concluded(DRIFT, at="2024-05-01T00:00:00+00:00")
    check, second = concluded(DRIFT, state=first, window=2, at="2024-05-02T00:00:00+00:00")
    assert check["columns"][0]["first"] == "2024-05-01T00:00:00+00:00"
    assert check["columns"][0]["last"] == "2024-05-02T00:00:00+00:00"
    _, third = concluded(OK, state=second, window=3, at="2024-05-03T00:00:00+00:00")
    assert third["drifting"] == {}
    assert [each["verdict"] for each in third["history"]] == ["drift", "drift", "ok"]


def test_rows_are_counted_over_all_windows_and_few_rows_are_carried():
    _, first = concluded(FEW)
    assert first["carried"] == ["s3://a/w/1"]
    check, _ = concluded(OK, state=first, window=2)
    assert check["totals"] == {"rows": 300, "objects": 2, "labels": 0}


def test_labels_alone_leave_the_verdict_on_the_data_as_it_was():
    _, first = concluded(DRIFT)
    nothing = {**FEW, "rows": 0, "carried": []}
    matched = {"labels": {"matched": 5, "waiting": 0}, "pool": ["s3://a/t"], "quality": None}
    check, _ = concluded(nothing, state=first, read={**READ, "rows": 0}, matched=matched, window=2)
    assert check["verdict"] == "drift"
    assert "no new predictions" in plainly(check["reason"])


def test_quality_that_has_fallen_is_drift_even_where_the_data_are_as_before():
    quality = {"verdict": "drift", "sentence": "by 120 known truths RMSE is 9, 5 at training", "metrics": {}}
    matched = {
        "labels": {"matched": 120, "waiting": 0},
        "pool": ["s3://a/t"],
        "quality": {**quality, "rows": 120},
    }
    check, after = concluded(OK, matched=matched)
    assert check["verdict"] == "drift"
    assert after["truth_pool"] == []
    assert "RMSE is 9" in plainly(check["reason"])
    later, _ = concluded(OK, state=after, window=2)
    assert later["verdict"] == "drift"
    assert "the quality had fallen when truth last came" in plainly(later["reason"])


def test_another_champion_begins_anew():
    _, first = concluded(DRIFT)
    made = manifest(2, champion="m2")
    nothing = {**FEW, "rows": 0, "carried": []}
    check = evaluate(made, first, {**READ, "rows": 0}, nothing, None, "2024-05-05T00:00:00+00:00")
    assert check["verdict"] == "insufficient"
    assert check["drifting"] == {}


def answers(bad: list[str], drift: list[str]) -> dict:
    return {
        "bad_data": {"severity": "act" if bad else "none", "columns": bad},
        "drift": {"severity": "watch" if drift else "none", "columns": drift},
    }


BAD = {
    **DRIFT,
    "verdict": "bad data",
    "reason": "km: a third of the values are missing",
    "answers": answers(["km"], []),
}
# Kilometres sent as metres: the column drifts, and what it holds is bad.
BOTH = {
    **DRIFT,
    "answers": answers(["km"], ["km"]),
    "columns": [{**DRIFT["columns"][0], "severities": {"bad_data": "act", "drift": "act"}}],
}


def test_bad_data_is_an_answer_of_its_own_with_its_columns():
    check, after = concluded(BAD)
    assert (check["verdict"], check["spoilt"]) == ("bad data", False)
    assert check["answers"]["bad_data"] == {"severity": "act", "columns": ["km"]}
    assert check["answers"]["drift"]["severity"] == check["answers"]["quality"]["severity"] == "none"
    assert [each["name"] for each in check["columns"]] == ["km"]
    later, _ = concluded(OK, state=after, window=2)
    assert later["verdict"] == "ok"


def test_bad_data_is_told_by_its_name_and_starts_no_retraining():
    found = outcome(summary_of(concluded(BAD)[0], None, "s3://a/report.html"))
    assert (found["verdict"], found["told"]) == (
        "bad data",
        [{"algorithm": "xgboost", "verdict": "bad data"}],
    )
    message = tell_monitoring(found)
    assert (message.kind, message.subject) == ("monitoring-bad-data", "cars: bad data in km")
    assert "xgboost: bad data in 1 column, by 150 rows" in message.message


def test_where_all_that_drifts_is_bad_data_there_is_nothing_to_learn_from():
    check, _ = concluded(BOTH)
    assert (check["verdict"], check["spoilt"]) == ("drift", True)
    [told] = outcome(summary_of(check, None, "s3://a/r.html"))["told"]
    assert told == {"algorithm": "xgboost", "verdict": "drift", "spoilt": True}
    other = {**BOTH["columns"][0], "name": "year", "severities": {"bad_data": "watch", "drift": "watch"}}
    more = {**BOTH, "answers": answers(["km"], ["km", "year"]), "columns": [*BOTH["columns"], other]}
    assert not concluded(more)[0]["spoilt"]
    fallen = {"verdict": "drift", "sentence": "RMSE is 9", "metrics": {}, "rows": 120}
    matched = {"labels": {"matched": 120, "waiting": 0}, "pool": [], "quality": fallen}
    assert not concluded(BOTH, matched=matched)[0]["spoilt"]


def test_what_may_alarm_falsely_is_saved_up_from_the_last_check_that_concluded():
    times = [f"2024-05-0{day}T00:00:00+00:00" for day in (1, 2, 3)]
    _, first = concluded(OK, at=times[0])
    _, second = concluded(FEW, state=first, window=2, at=times[1])
    assert (first["data_at"], second["data_at"]) == (times[0], times[0])
    _, third = concluded(OK, state=second, window=3, at=times[2])
    assert (third["data_at"], third["quality_at"]) == (times[2], times[0])


def test_a_state_of_before_is_still_read():
    _, first = concluded(OK)
    old = {key: value for key, value in first.items() if key not in ("recent", "data_at", "quality_at")}
    check, after = concluded({**DRIFT, "recent": {"newer": "s3://a/1", "rows": 150}}, state=old, window=2)
    assert check["answers"]["drift"]["severity"] == "none"  # a comparison of before had no answers
    assert after["recent"] == {"newer": "s3://a/1", "rows": 150}


def outcome(*entries, **more):
    return finish_monitoring({"run": "r1", "model": "cars", "algorithms": list(entries), **more})


def summary(verdict: str, told: str | None = None) -> dict:
    comparison = {"drift": DRIFT, "ok": OK, "insufficient": FEW}[verdict]
    return summary_of(concluded(comparison)[0], told, "s3://a/report.html")


def test_people_hear_of_a_change_between_ok_and_drift_and_of_nothing_else():
    news = [
        (told, verdict)
        for told in (None, "ok", "drift")
        for verdict in ("ok", "drift", "insufficient")
        if worth_telling(told, verdict)
    ]
    assert news == [(None, "drift"), ("ok", "drift"), ("drift", "ok")]


def test_drift_is_told_with_the_worst_columns_in_words_and_the_way_to_the_report():
    found = outcome(summary("drift"), report="s3://a/report.html")
    assert (found["status"], found["verdict"]) == ("SUCCEEDED", "drift")
    assert found["told"] == [{"algorithm": "xgboost", "verdict": "drift"}]
    message = tell_monitoring(found)
    assert message.subject == "cars: drift in km"
    assert "km: the mean went from 1 to 2 (80% of the rows are behind it)" in message.message
    assert "tidegate report cars" in message.message
    assert len(message.message.splitlines()) <= 6


def test_the_same_news_has_the_same_name_whichever_run_brings_it():
    first = outcome(summary("drift"))
    again = {**outcome(summary("drift")), "run": "r2"}
    assert digest_of(first) == digest_of(again)
    assert digest_of(outcome(summary("ok", "drift"))) != digest_of(first)


def test_a_check_that_failed_says_where_and_why():
    found = outcome(
        {"algorithm": "xgboost", "status": "FAILED", "state": "Profile the window", "cause": "boom"}
    )
    assert found["status"] == "FAILED"
    assert "in the state 'Profile the window': boom" in found["reason"]
    assert told_of(found)
    assert tell_monitoring(found).kind == "monitoring-failed"


def test_what_stands_counts_where_an_algorithm_had_nothing_new():
    found = outcome(summary("ok"), standing={"linear-learner": {"verdict": "drift"}})
    assert found["verdict"] == "drift"


def situation(**changes) -> Situation:
    plain = {
        "now": NOW,
        "in_flight": None,
        "last_retrain": None,
        "last_training": NOW - timedelta(days=3),
        "fresh_labels": 50,
        "drop": "cars/train/cars.csv",
    }
    return Situation(**{**plain, **changes})


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"in_flight": "abc"}, "the training run abc is under way"),
        ({"last_retrain": NOW - timedelta(hours=23)}, "the cooldown of 1 day ends at 2024-05-04 13:00 UTC"),
        ({"drop": None}, "no training drop"),
        ({"fresh_labels": 0}, "no new labelled data since the last training (2024-05-01 12:00 UTC)"),
    ],
)
def test_a_retraining_is_guarded_with_a_stated_reason(changes, words):
    decision = decide(Monitor(retrain="on_drift"), situation(**changes))
    assert not decision.start
    assert words in decision.reason
    assert words in tell_retrain("cars", "r1", False, decision.reason).message


def test_a_retraining_starts_where_there_is_something_new_to_learn_from():
    decision = decide(Monitor(retrain="on_drift"), situation(last_retrain=NOW - timedelta(days=2)))
    assert decision.start
    assert "50 labelled rows" in decision.reason
    assert not decide(Monitor(), situation()).start


def test_the_model_file_says_how_often_and_whether_to_retrain():
    read = read_monitor({"every": "2 hours", "retrain": "on_drift", "cooldown": "6 hours"})
    assert (read.every, read.retrain, read.cooldown) == ("2 hours", "on_drift", "6 hours")
    assert read_monitor({"retrain": False}).retrain == "off"
    assert rate("1 day") == "rate(1 day)"
    with pytest.raises(BadSpec, match="'always' is not one of off, on_drift"):
        read_monitor({"retrain": "always"})


def test_a_check_is_named_by_its_time_and_a_model_by_its_run():
    assert monitor_run_id("cars", "2024-05-04T12:00:00Z") == monitor_run_id("cars", "2024-05-04T12:00:00Z")
    assert monitor_run_id("cars", "a") != monitor_run_id("vans", "a")
    assert champion_run("tg-cars-xgboost-0123456789ab") == "0123456789ab"
    assert champion_run("tg-cars-xgboost-0123456789ab-1") == "0123456789ab"


def test_truths_that_deny_what_those_before_showed_begin_anew():
    quality = {"verdict": "ok", "sentence": "", "metrics": {}, "rows": 120, "since": "2024-05-03 a"}
    matched = {"labels": {"matched": 120}, "pool": ["s3://a/t"], "quality": quality}
    _, first = concluded(OK, matched=matched)
    assert first["truths_since"] == ""
    _, second = concluded(OK, state=first, matched={**matched, "quality": {**quality, "denied": True}})
    assert second["truths_since"] == "2024-05-03 a"
    _, third = concluded(OK, state=second, window=3)
    assert third["truths_since"] == "2024-05-03 a"
