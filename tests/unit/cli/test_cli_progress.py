"""A history of Step Functions is read as the tree of states that a person would draw."""

from __future__ import annotations

import random

from cli_fakes import History, training_history

from tidegate.cli.history import read_history
from tidegate.cli.progress import CAUGHT, FAILED, RUNNING, STOPPED, SUCCEEDED, View


def named(view: View) -> dict[tuple[str, ...], str]:
    return {(*labels, step.name): step.status for labels, step in view.walk()}


def test_states_of_iterations_that_mix_belong_to_their_own_algorithm() -> None:
    view = read_history(training_history().events)
    algorithms = view.steps[1].branches
    assert [branch.label for branch in algorithms] == ["xgboost", "linear-learner"]
    assert [step.name for step in algorithms[0].steps] == ["Train the model", "Score the held-out rows"]
    assert [step.name for step in algorithms[1].steps] == ["Train the model", "This algorithm failed"]


def test_branches_of_a_parallel_state_are_apart_from_each_other() -> None:
    score = read_history(training_history().events).steps[1].branches[0].steps[1]
    assert [[step.name for step in branch.steps] for branch in score.branches] == [
        ["Score with the candidate"],
        ["No champion yet"],
    ]
    assert all(branch.status == SUCCEEDED for branch in score.branches)


def test_a_failure_that_was_caught_is_told_from_one_that_was_not() -> None:
    statuses = named(read_history(training_history().events))
    assert statuses["linear-learner", "Train the model"] == CAUGHT
    assert statuses["xgboost", "Train the model"] == SUCCEEDED


def test_the_flow_goes_on_outside_the_map_after_it() -> None:
    view = read_history(training_history().events)
    assert [step.name for step in view.steps] == ["Claim the run", "For each algorithm", "Tell people"]
    assert view.status == SUCCEEDED


def test_events_may_come_in_any_order() -> None:
    events = training_history().events
    shuffled = random.Random(3).sample(events, len(events))
    assert read_history(shuffled) == read_history(events)


def test_every_beginning_of_a_history_can_be_read() -> None:
    events = training_history().events
    for length in range(len(events)):
        view = read_history(events[:length])
        assert view.status == RUNNING
        assert all(step.ended or step.status in (RUNNING, FAILED) for _, step in view.walk())


def test_a_retried_state_counts_its_tries_and_ends_well() -> None:
    history = History()
    history.add("TaskStateEntered", name="Train the model")
    history.add("TaskScheduled")
    history.add("TaskFailed", error="ThrottlingException", cause="slow down")
    assert read_history(history.events).steps[0].status == FAILED
    history.add("TaskScheduled")
    assert read_history(history.events).steps[0].status == RUNNING
    history.add("TaskSucceeded")
    history.add("TaskStateExited", name="Train the model")
    step = read_history(history.events).steps[0]
    assert (step.status, step.retries) == (SUCCEEDED, 1)


def test_a_retried_map_shows_the_iterations_of_its_last_try_only() -> None:
    history = History()
    entered = history.add("MapStateEntered", name="Each")
    for _ in range(2):
        started = history.add("MapStateStarted", entered, length=1)
        begun = history.add("MapIterationStarted", started, name="Each", index=0)
        inner = history.add("TaskStateEntered", begun, name="Try")
        broken = history.add("TaskFailed", inner, error="Boom", cause="")
        ended = history.add("MapIterationFailed", broken, name="Each", index=0)
        history.add("MapStateFailed", ended)
    step = read_history(history.events).steps[0]
    assert (step.retries, len(step.branches), step.status) == (1, 1, FAILED)


def test_an_execution_that_fails_ends_its_open_states_with_the_error() -> None:
    history = History()
    history.add("ExecutionStarted")
    history.add("TaskStateEntered", name="Preprocess")
    history.add("TaskFailed", error="Boom", cause="it broke")
    history.add("ExecutionFailed", error="Boom", cause="it broke")
    view = read_history(history.events)
    assert (view.status, view.error, view.cause) == (FAILED, "Boom", "it broke")
    assert (view.steps[0].status, view.steps[0].error) == (FAILED, "Boom")


def test_an_execution_that_is_stopped_stops_its_open_states() -> None:
    history = History()
    history.add("ExecutionStarted")
    history.add("TaskStateEntered", name="Preprocess")
    history.add("ExecutionAborted", cause="not needed")
    view = read_history(history.events)
    assert (view.status, view.steps[0].status) == (STOPPED, STOPPED)


def test_a_fail_state_has_failed_on_entry() -> None:
    history = History()
    history.add("FailStateEntered", name="The run failed")
    assert read_history(history.events).steps[0].status == FAILED


def test_an_expression_that_cannot_be_evaluated_fails_its_state() -> None:
    history = History()
    history.add("PassStateEntered", name="Name the run")
    history.add("EvaluationFailed", error="States.QueryEvaluationError", cause="bad $x", state="Name the run")
    step = read_history(history.events).steps[0]
    assert (step.status, step.cause) == (FAILED, "bad $x")


def test_an_iteration_without_an_algorithm_is_numbered_from_one() -> None:
    history = History()
    history.add("MapStateEntered", name="Export the names")
    history.add("MapStateStarted", length=1)
    history.add("MapIterationStarted", name="Export the names", index=0)
    history.add("TaskStateEntered", name="Export a name", input='{"name": "x"}')
    assert read_history(history.events).steps[0].branches[0].label == "#1"


def test_a_map_inside_an_iteration_closes_itself_and_not_the_outer_one() -> None:
    history = History()
    outer = history.add("MapStateEntered", name="For each algorithm")
    outer = history.add("MapStateStarted", outer, length=1)
    one = history.add("MapIterationStarted", outer, name="For each algorithm", index=0)
    inner = history.add("MapStateEntered", one, name="Export the names", input='{"algorithm": "xgboost"}')
    inner = history.add("MapStateStarted", inner, length=1)
    first = history.add("MapIterationStarted", inner, name="Export the names", index=0)
    first = history.state("Task", "Export a name", first)
    first = history.add("MapIterationSucceeded", first, name="Export the names", index=0)
    ended = history.add("MapStateSucceeded", first)
    history.add("MapStateExited", ended, name="Export the names")
    view = read_history(history.events)
    assert named(view) == {
        ("For each algorithm",): RUNNING,
        ("xgboost", "Export the names"): SUCCEEDED,
        ("xgboost", "#1", "Export a name"): SUCCEEDED,
    }


def test_a_history_without_links_is_read_as_one_line() -> None:
    history = History()
    history.state("Pass", "One")
    history.state("Pass", "Two")
    events = [{k: v for k, v in event.items() if k != "previousEventId"} for event in history.events]
    assert [step.name for step in read_history(events).steps] == ["One", "Two"]
