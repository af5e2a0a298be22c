"""What people see of a run: lines or a tree while it goes on, a summary at the end."""

from __future__ import annotations

import io
from typing import Any

from cli_fakes import START, History, training_history
from rich.console import Console

from tidegate.cli.history import read_history
from tidegate.cli.render import interval, lines, moment, states_document, summary, tree
from tidegate.core.figures import figure

RESULT: dict[str, Any] = {
    "run": "abcdef012345",
    "status": "SUCCEEDED",
    "reason": "xgboost: fine",
    "algorithms": {
        "xgboost": {
            "status": "SUCCEEDED",
            "rmse": 1102.4,
            "mae": 800.0,
            "r2": 0.91,
            "evaluation": {"candidate": {"rmse": {"value": 1102.4, "low": 990.0, "high": 1230.0}}},
            "gate": {"checks": [{"passed": True, "sentence": "RMSE 1,102.4 is at most 2,500.0"}]},
            "endpoint": "tg-cars-xgboost",
        },
        "linear-learner": {"status": "FAILED", "reason": "in the state 'Train the model': no room left"},
    },
}


def text(shown: Any) -> str:
    console = Console(file=io.StringIO(), width=160)
    console.print(shown)
    return console.file.getvalue()  # type: ignore[attr-defined,no-any-return]


def test_each_state_change_is_one_line_in_the_order_it_happened() -> None:
    told = lines(read_history(training_history().events))
    assert told[:3] == [
        "Claim the run: started",
        "Claim the run: done in 1.0 s",
        "For each algorithm: started",
    ]
    assert told.index("xgboost · Train the model: started") < told.index(
        "linear-learner · Train the model: started"
    )
    assert (
        "linear-learner · Train the model: failed and handled in 4.0 s: no room left (States.TaskFailed)"
        in told
    )
    assert told[-1] == "Tell people: done in 1.0 s"


def test_a_longer_history_only_adds_lines() -> None:
    events = training_history().events
    before: list[str] = []
    for length in range(len(events) + 1):
        now = lines(read_history(events[:length]))
        assert [line for line in now if line in before] == before
        before = now
    assert len(set(before)) == len(before)


def test_a_state_visited_twice_is_told_twice() -> None:
    history = History()
    history.state("Wait", "Wait for the endpoint")
    history.state("Wait", "Wait for the endpoint")
    told = lines(read_history(history.events))
    assert [line for line in told if line.endswith("started")] == [
        "Wait for the endpoint: started",
        "Wait for the endpoint (visit 2): started",
    ]


def test_the_tree_names_algorithms_states_seconds_and_failures() -> None:
    drawn = text(tree(read_history(training_history().events), START))
    assert "xgboost" in drawn
    assert "✓ Score the held-out rows" in drawn
    assert "↪ Train the model  4.0 s  no room left" in drawn


def test_nameless_repetitions_that_went_well_are_left_out_of_the_tree() -> None:
    history = History()
    history.add("MapStateEntered", name="Export the names")
    history.add("MapStateStarted", length=1)
    history.add("MapIterationStarted", name="Export the names", index=0)
    history.state("Task", "Export a name")
    running = text(tree(read_history(history.events), START))
    history.add("MapIterationSucceeded", name="Export the names", index=0)
    done = text(tree(read_history(history.events), START))
    assert "Export a name" in running
    assert "Export a name" not in done.replace("Export the names", "")


def test_the_summary_has_the_gates_numbers_endpoints_and_reasons() -> None:
    record = {"started": "2026-11-21T03:00:00Z", "finished": "2026-11-21T03:00:18.2Z"}
    drawn = text(summary(RESULT, "cars", record))
    for part in ("SUCCEEDED in 18.2 s", "1102 (990 to 1230)", "tg-cars-xgboost", "at most 2,500.0"):
        assert part in drawn
    assert "✗ linear-learner: in the state 'Train the model': no room left" in drawn


def test_the_summary_names_the_tuning_job_and_what_it_found() -> None:
    tuned = {"job": "tg-tune-1", "best": "tg-tune-1-002", "jobs": 12, "hyperparameters": {"eta": "0.3"}}
    told = {**RESULT, "algorithms": {"xgboost": {**RESULT["algorithms"]["xgboost"], "tuned": tuned}}}
    assert "xgboost: tg-tune-1 found the best of 12 jobs: eta 0.3" in text(summary(told, "cars", {}))


def test_a_summary_without_algorithms_tells_the_reason() -> None:
    refused = {"run": "a", "status": "FAILED", "reason": "row 7 of x.csv is wrong", "algorithms": {}}
    assert "row 7 of x.csv is wrong" in text(summary(refused, "cars", {}))


def test_words_in_brackets_are_shown_as_they_are() -> None:
    refused = {"run": "a", "status": "FAILED", "reason": "column [red] is missing", "algorithms": {}}
    assert "[red]" in text(summary(refused, "cars", {}))


def test_states_are_nested_in_the_document_as_they_are_in_the_run() -> None:
    view = read_history(training_history().events)
    document = states_document(view.steps, START)
    algorithms = document[1]["branches"]
    assert [each["label"] for each in algorithms] == ["xgboost", "linear-learner"]
    assert algorithms[1]["states"][0]["reason"] == "no room left (States.TaskFailed)"


def test_numbers_that_are_not_there_are_a_dash() -> None:
    assert [figure(None), figure(True), figure(0.91234), figure(12345.678)] == ["–", "–", "0.9123", "12,346"]
    assert interval({"champion": None}, "champion", "rmse") == "–"
    assert moment("") == "–"
    assert moment("20261121T030000.000001Z") == moment("2026-11-21T03:00:00Z")


def test_a_tree_too_tall_for_the_screen_counts_what_went_well_and_names_what_runs() -> None:
    events = training_history().events[:-6]
    drawn = text(tree(read_history(events), START, room=5))
    assert "Train the model" not in drawn
    assert "✓ 2 states" in drawn
    assert "For each algorithm" in drawn


def test_a_parallel_state_that_failed_tells_the_error_of_its_branch_and_stops_the_others() -> None:
    history = History()
    history.add("ParallelStateEntered", name="Make the baselines")
    fork = history.add("ParallelStateStarted")
    history.add("TaskStateEntered", fork, name="Data quality baseline")
    history.add("TaskStateEntered", fork, name="Model quality baseline")
    broken = history.add("TaskFailed", error="Boom", cause="it broke")
    history.add("ParallelStateFailed", broken)
    history.add("ParallelStateExited", name="Make the baselines")
    told = lines(read_history(history.events))
    assert "Make the baselines: failed and handled in 6.0 s: it broke (Boom)" in told
    assert "Model quality baseline: failed in 2.0 s: it broke (Boom)" in told
    assert "Data quality baseline: stopped in 3.0 s" in told
