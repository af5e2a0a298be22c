"""Checks put together: verdicts joined, what is carried and remembered of them, schedules."""

import pytest

from tidegate.core.check import evaluate, state_after, summary_of
from tidegate.core.errors import BadSpec
from tidegate.core.estimates import estimate_of, held_against, record_of
from tidegate.core.monitor import rate, read_monitor
from tidegate.core.monitoring import finish_monitoring
from tidegate.core.names import champion_run, monitor_run_id
from tidegate.core.sentences import plainly, say
from tidegate.core.windows import Manifest

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
    answer = check["answers"]["bad_data"]
    assert (answer["severity"], answer["columns"], answer["known"]) == ("act", ["km"], True)
    assert check["answers"]["drift"]["severity"] == check["answers"]["quality"]["severity"] == "none"
    assert [each["name"] for each in check["columns"]] == ["km"]
    later, _ = concluded(OK, state=after, window=2)
    assert later["verdict"] == "ok"


def test_where_all_that_drifts_is_bad_data_there_is_nothing_to_learn_from():
    check, _ = concluded(BOTH)
    assert (check["verdict"], check["spoilt"]) == ("drift", True)
    assert summary_of(check, "s3://a/r.html")["spoilt"]
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


def summary(verdict: str, rows_at: list[str] | None = None) -> dict:
    comparison = {"drift": DRIFT, "ok": OK, "insufficient": FEW}[verdict]
    return summary_of({**concluded(comparison)[0], "rows_at": rows_at}, "s3://a/report.html")


def test_what_is_carried_of_a_check_is_what_people_are_told_by():
    entry = summary("drift", ["s3://a/rows.parquet"])
    assert entry["rows_at"] == ["s3://a/rows.parquet"]
    assert (entry["at"], entry["champion"], entry["replaced"]) == ("2024-05-04T12:00:00+00:00", "m1", False)
    assert entry["columns"][0]["trend"] is None


def test_a_column_s_trend_is_told_by_its_distances_over_the_checks():
    state: dict = {}
    for number in range(1, 8):
        moved = {**DRIFT, "columns": [{**DRIFT["columns"][0], "distance": number / 10}, DRIFT["columns"][1]]}
        at = f"2024-05-{number:02}T00:00:00+00:00"
        check, state = concluded(moved, state=state, window=number, at=at)
    assert check["columns"][0]["trend"] == "rising"


def test_whether_the_predictions_have_drifted_is_said_where_it_is_known():
    own = {"name": "prediction", "words": [say("the mean went from 9 to 8").to_dict()], "distance": 0.3}
    both = {**DRIFT, "columns": [*DRIFT["columns"], own], "answers": answers([], ["km", "prediction"])}
    assert plainly(concluded(both)[0]["predictions"]) == (
        "the predictions have drifted, too: the mean went from 9 to 8"
    )
    quiet = {**both, "answers": answers([], ["km"])}
    assert plainly(concluded(quiet)[0]["predictions"]) == "the predictions are distributed as at training"
    assert concluded(DRIFT)[0]["predictions"] is None


def test_of_very_many_columns_the_worst_are_carried():
    wide = {**DRIFT, "answers": answers([], [f"c{at}" for at in range(900)])}
    assert len(summary_of(concluded(wide)[0], "s3://a/r.html")["answers"]["drift"]["columns"]) == 200


def test_a_check_that_failed_says_where_and_why():
    found = outcome(
        {"algorithm": "xgboost", "status": "FAILED", "state": "Profile the window", "cause": "boom"}
    )
    assert found["status"] == "FAILED"
    assert "in the state 'Profile the window': boom" in found["reason"]


def test_what_stands_counts_where_an_algorithm_had_nothing_new():
    found = outcome(summary("ok"), standing={"linear-learner": {"verdict": "drift"}})
    assert found["verdict"] == "drift"


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


def test_an_estimate_changes_no_verdict_and_asks_for_nothing():
    metric = {"value": 9.0, "low": 8.0, "high": 10.0}
    estimate = estimate_of(150, {"rmse": metric, "mae": metric}, {"rmse": {"value": 2.0}})
    assert estimate["worse"]
    assert "RMSE of 150 rows 9 (8 to 10), and was 2 at training: worse" in plainly(estimate)["sentence"]
    plain, _ = concluded(OK)
    check, after = concluded({**OK, "estimate": estimate})
    for what in ("verdict", "answers", "quality_verdict", "reason", "columns", "spoilt"):
        assert check[what] == plain[what], what
    assert summary_of(check, "s3://a/r")["estimate"] == plainly(estimate)
    assert after["history"][-1]["estimate"]["rmse"] == 9.0


def test_an_estimate_is_worse_only_where_its_whole_interval_is_by_more_than_is_worth_a_word():
    for low, worse in ((104.0, False), (106.0, True)):
        metric = {"value": 120.0, "low": low, "high": 130.0}
        assert estimate_of(9, {"rmse": metric}, {"rmse": {"value": 100.0}})["worse"] == worse
    assert not estimate_of(9, {"rmse": metric}, {})["worse"]
    assert estimate_of(0, {}, {}) is None


def test_past_estimates_are_summed_up_by_what_truth_said_of_them():
    def judged(value: float, true: float) -> dict:
        metric = {"value": value, "low": value * 0.9, "high": value * 1.1}
        return {"estimated": held_against(200, {"rmse": metric}, {"rmse": true})}

    assert record_of([{}, {"estimated": None}]) is None
    record = record_of([judged(100, 95), judged(100, 200), {}, judged(50, 50)])
    assert (record["estimates"], record["held"]) == (3, 2)
    assert record["off"] == pytest.approx((100 / 95 * 0.5) ** (1 / 3) - 1)
    assert (
        "3 estimates: 2 intervals held it, and in the mean they were 19 % too low"
        in plainly(record)["sentence"]
    )
