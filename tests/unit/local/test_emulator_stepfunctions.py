"""State machines in the emulator behave as on AWS where Tidegate relies on it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import emulator_bench as bench
import pytest
from emulator_bench import INTEGRATIONS, Run, alone, task
from tests.waiting import PATIENCE_SECONDS, until


@pytest.fixture(autouse=True)
def integrations() -> Iterator[None]:
    INTEGRATIONS["echo.sync"] = INTEGRATIONS["echo"] = lambda resource, arguments, aborted: arguments
    yield
    INTEGRATIONS.clear()


def _pass(**fields: Any) -> dict[str, Any]:
    state = {"Type": "Pass", **fields}
    return state if "Next" in fields else {**state, "End": True}


def _failing(error: str, cause: str = "because") -> Callable[..., dict[str, Any]]:
    class Problem(Exception):
        pass

    def fail(*_: Any) -> dict[str, Any]:
        problem = Problem(error)
        problem.error, problem.cause = error, cause  # type: ignore[attr-defined]
        raise problem

    return fail


# Parallel


def test_a_jsonata_parallel_applies_arguments_output_and_assign() -> None:
    branches = [
        {"StartAt": name, "States": {name: _pass(Output=f"{{% $states.input.n + {plus} %}}")}}
        for name, plus in (("A", 1), ("B", 2))
    ]
    parallel = {
        "Type": "Parallel",
        "Arguments": {"n": "{% $states.input.start * 10 %}"},
        "Branches": branches,
        "Output": "{% $sum($states.result) %}",
        "Assign": {"both": "{% $states.result %}"},
        "Next": "Last",
    }
    states = {"Go": parallel, "Last": _pass(Output={"sum": "{% $states.input %}", "both": "{% $both %}"})}
    assert Run({"StartAt": "Go", "States": states}, {"start": 1}).output() == {"sum": 23, "both": [11, 12]}


def test_branches_have_variables_of_their_own() -> None:
    def branch(value: int) -> dict[str, Any]:
        states = {
            f"Set {value}": _pass(Assign={"mine": value}, Next=f"Wait {value}"),
            f"Wait {value}": {"Type": "Wait", "Seconds": 0, "Next": f"Get {value}"},
            f"Get {value}": _pass(Output="{% $mine + $outer %}"),
        }
        return {"StartAt": f"Set {value}", "States": states}

    parallel = {"Type": "Parallel", "Branches": [branch(v) for v in range(8)], "Next": "After"}
    states = {
        "Before": _pass(Assign={"outer": 100}, Next="Go"),
        "Go": parallel,
        "After": _pass(Output={"all": "{% $states.input %}", "leaked": "{% $exists($mine) %}"}),
    }
    output = Run({"StartAt": "Before", "States": states}).output()
    assert output == {"all": [100 + v for v in range(8)], "leaked": False}


def test_a_failing_branch_calls_the_others_off_and_is_caught() -> None:
    seen: dict[str, Any] = {}
    INTEGRATIONS["wait"] = bench.blocking(seen)

    def fail_once_the_other_works(*_: Any) -> dict[str, Any]:
        seen["began"].wait(PATIENCE_SECONDS)
        return _failing("Bad")()

    INTEGRATIONS["fail"] = fail_once_the_other_works
    parallel = {
        "Type": "Parallel",
        "Branches": [
            {"StartAt": "Slow", "States": {"Slow": task("wait")}},
            {"StartAt": "Broken", "States": {"Broken": task("fail")}},
        ],
        "Catch": [{"ErrorEquals": ["Bad"], "Next": "Mend", "Output": "{% $states.errorOutput %}"}],
        "End": True,
    }
    run = Run({"StartAt": "Both", "States": {"Both": parallel, "Mend": _pass()}})
    assert run.output() == {"Error": "Bad", "Cause": "because"}
    assert seen["ended"].wait(PATIENCE_SECONDS) and seen["aborted"]
    assert "ParallelStateFailed" in run.types()


def test_assign_sees_the_values_from_before_the_state() -> None:
    states = {
        "Set": _pass(Assign={"a": 1}, Next="Swap"),
        "Swap": _pass(Assign={"a": 2, "b": "{% $a %}"}, Next="Get"),
        "Get": _pass(Output=["{% $a %}", "{% $b %}"]),
    }
    assert Run({"StartAt": "Set", "States": states}).output() == [2, 1]


# Map and the history


def _mapped(processor: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {
        "Type": "Map",
        "Items": "{% $states.input.items %}",
        "ItemProcessor": {"ProcessorConfig": {"Mode": "INLINE"}, **processor},
        "End": True,
        **fields,
    }


def test_the_history_tells_each_iteration_from_the_others_even_when_they_interleave() -> None:
    together = threading.Barrier(3)
    INTEGRATIONS["meet"] = lambda resource, arguments, aborted: {
        "at": together.wait(PATIENCE_SECONDS),
        **arguments,
    }
    processor = {
        "StartAt": "First",
        "States": {"First": task("meet", Next="Second"), "Second": task("meet", Arguments={"n": 1})},
    }
    run = Run(alone(_mapped(processor)), {"items": [{"n": i} for i in range(3)]})
    assert len(run.output()) == 3
    assert [event["id"] for event in run.events] == list(range(1, len(run.events) + 1))
    assert all(event["previousEventId"] < event["id"] for event in run.events)
    started = run.of_type("MapIterationStarted")
    assert [e["mapIterationStartedEventDetails"]["index"] for e in started] == [0, 1, 2]
    assert {e["mapIterationStartedEventDetails"]["name"] for e in started} == {"Only"}
    assert run.of_type("MapStateStarted")[0]["mapStateStartedEventDetails"] == {"length": 3}
    for kind in ("TaskStateExited", "TaskSucceeded", "MapIterationSucceeded"):
        found: dict[int, int] = {}
        for event in run.of_type(kind):
            start = next(e for e in run.chain(event) if e["type"] == "MapIterationStarted")
            index = start["mapIterationStartedEventDetails"]["index"]
            found[index] = found.get(index, 0) + 1
        assert found == dict.fromkeys(range(3), 1 if kind == "MapIterationSucceeded" else 2)


def test_a_chain_runs_from_the_end_to_the_start_through_every_state() -> None:
    processor = {"StartAt": "Inner", "States": {"Inner": task("echo.sync")}}
    run = Run(alone(_mapped(processor)), {"items": [{"a": 1}]})
    run.end()
    kinds = [event["type"] for event in run.chain(run.events[-1])]
    assert kinds == [
        "MapStateExited",
        "MapStateSucceeded",
        "MapIterationSucceeded",
        "TaskStateExited",
        "TaskSucceeded",
        "TaskStarted",
        "TaskScheduled",
        "TaskStateEntered",
        "MapIterationStarted",
        "MapStateStarted",
        "MapStateEntered",
    ]
    scheduled = run.of_type("TaskScheduled")[0]["taskScheduledEventDetails"]
    assert (scheduled["resourceType"], scheduled["resource"]) == ("sagemaker", "echo.sync")
    assert scheduled["parameters"] == '{"a": 1}'


def test_a_failing_iteration_fails_the_map_and_aborts_the_rest() -> None:
    seen: dict[str, Any] = {}
    wait = bench.blocking(seen)

    def fail_second(resource: str, arguments: dict[str, Any], aborted: Callable[[], bool]) -> dict[str, Any]:
        if arguments["n"] == 0:
            return wait(resource, arguments, aborted)
        seen["began"].wait(PATIENCE_SECONDS)
        return _failing("Bad")()

    INTEGRATIONS["some"] = fail_second
    processor = {"StartAt": "Inner", "States": {"Inner": task("some")}}
    run = Run(alone(_mapped(processor)), {"items": [{"n": 0}, {"n": 1}]})
    assert run.failure() == ("Bad", "because")
    assert run.of_type("MapIterationFailed")[0]["mapIterationFailedEventDetails"]["index"] == 1
    assert run.of_type("MapIterationAborted")[0]["mapIterationAbortedEventDetails"]["index"] == 0
    assert seen["ended"].wait(PATIENCE_SECONDS) and seen["aborted"]
    assert run.types()[-2:] == ["MapStateFailed", "ExecutionFailed"]


def test_an_item_selector_sees_the_item_its_index_and_the_outer_variables() -> None:
    processor = {"StartAt": "Inner", "States": {"Inner": _pass()}}
    selector = {
        "item": "{% $states.context.Map.Item.Value %}",
        "index": "{% $states.context.Map.Item.Index %}",
        "outer": "{% $outer %}",
    }
    states = {
        "Set": _pass(Assign={"outer": "o"}, Next="Each"),
        "Each": _mapped(processor, ItemSelector=selector, MaxConcurrency=1),
    }
    output = Run({"StartAt": "Set", "States": states}, {"items": ["a", "b"]}).output()
    assert output == [{"item": "a", "index": 0, "outer": "o"}, {"item": "b", "index": 1, "outer": "o"}]


def test_a_map_runs_no_more_iterations_at_once_than_allowed() -> None:
    # Two meet before either goes on: fewer at once would wait for ever, more would be counted.
    lock, now, most, pair = threading.Lock(), [0], [0], threading.Barrier(2)

    def count(*_: Any) -> dict[str, Any]:
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])
        pair.wait(PATIENCE_SECONDS)
        with lock:
            now[0] -= 1
        return {}

    INTEGRATIONS["count"] = count
    processor = {"StartAt": "Inner", "States": {"Inner": task("count")}}
    Run(alone(_mapped(processor, MaxConcurrency=2)), {"items": list(range(8))}).output()
    assert most[0] == 2


def test_a_jsonpath_machine_works_as_before() -> None:
    states = {
        "Each": {
            "Type": "Map",
            "ItemsPath": "$.items",
            "ItemSelector": {"v.$": "$$.Map.Item.Value"},
            "ItemProcessor": {
                "StartAt": "I",
                "States": {"I": {"Type": "Pass", "OutputPath": "$.v", "End": True}},
            },
            "ResultPath": "$.done",
            "Next": "Both",
        },
        "Both": {
            "Type": "Parallel",
            "Branches": [{"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}}],
            "ResultSelector": {"first.$": "$[0].done"},
            "End": True,
        },
    }
    machine = {"QueryLanguage": "JSONPath", "StartAt": "Each", "States": states}
    assert Run(machine, {"items": [1, 2]}).output() == {"first": [1, 2]}


# stopping and time


def test_stopping_an_execution_tells_its_running_task() -> None:
    seen: dict[str, Any] = {}
    INTEGRATIONS["wait.sync"] = INTEGRATIONS["wait"] = bench.blocking(seen)
    run = Run(alone(task("wait.sync")))
    assert seen["began"].wait(PATIENCE_SECONDS)
    run.stop()
    assert seen["ended"].wait(PATIENCE_SECONDS) and seen["aborted"]
    assert run.record["status"] == "ABORTED"
    time.sleep(0.02)
    assert run.types()[-1] == "ExecutionAborted", "nothing is written after the end"


def test_stopping_an_execution_reaches_tasks_in_nested_maps_and_waits() -> None:
    seen: dict[str, Any] = {}
    INTEGRATIONS["wait"] = bench.blocking(seen)
    inner = {"StartAt": "In", "States": {"In": task("wait")}}
    outer = {"StartAt": "Out", "States": {"Out": _mapped(inner)}}
    run = Run(alone(_mapped(outer)), {"items": [{"items": [{}]}]})
    assert seen["began"].wait(PATIENCE_SECONDS)
    run.stop()
    assert seen["ended"].wait(PATIENCE_SECONDS) and seen["aborted"]


def assert_nothing_is_at_work(seen: dict[str, Any]) -> None:
    """See that a blocking task was called off; on a busy machine the time may be over before it begins."""
    if seen["began"].is_set():
        assert seen["ended"].wait(PATIENCE_SECONDS) and seen["aborted"]


def test_a_task_past_its_timeout_fails_and_is_called_off() -> None:
    seen: dict[str, Any] = {}
    INTEGRATIONS["wait"] = bench.blocking(seen)
    run = Run(alone(task("wait", TimeoutSeconds="{% 0.05 %}")))
    assert run.failure()[0] == "States.Timeout"
    assert_nothing_is_at_work(seen)
    assert run.of_type("TaskTimedOut")


def test_an_execution_past_its_timeout_ends_timed_out() -> None:
    seen: dict[str, Any] = {}
    INTEGRATIONS["wait"] = bench.blocking(seen)
    run = Run(alone(task("wait"), TimeoutSeconds=0.05))
    assert run.end()["status"] == "TIMED_OUT"
    assert run.types()[-1] == "ExecutionTimedOut"
    assert_nothing_is_at_work(seen)


def test_a_wait_ends_when_the_execution_is_stopped() -> None:
    before = set(threading.enumerate())
    run = Run(alone({"Type": "Wait", "Seconds": 3600, "End": True}))
    until(lambda: "WaitStateEntered" in run.types())
    own = [each for each in threading.enumerate() if each not in before and each.name != "clocks"]
    assert own
    run.stop()
    until(lambda: not any(each.is_alive() for each in own), "the end of what waited")


def test_a_nested_execution_ends_with_the_one_that_waits_for_it() -> None:
    seen: dict[str, Any] = {}
    INTEGRATIONS["wait"] = bench.blocking(seen)
    child = Run(alone(task("wait")))
    assert seen["began"].wait(PATIENCE_SECONDS)
    child.stop()
    assert seen["ended"].wait(PATIENCE_SECONDS)
    INTEGRATIONS["wait"] = bench.blocking(seen)
    nested = {
        "Type": "Task",
        "Resource": "arn:aws:states:::states:startExecution.sync:2",
        "Arguments": {"StateMachineArn": child.record["stateMachineArn"], "Name": "nested"},
        "End": True,
    }
    run = Run(alone(nested))
    assert seen["began"].wait(PATIENCE_SECONDS)
    run.stop()
    assert seen["ended"].wait(PATIENCE_SECONDS) and seen["aborted"]
    inner = bench.record_of(child.arn.rpartition(":")[0] + ":nested")
    until(lambda: inner["status"] != "RUNNING")
    assert inner["status"] == "ABORTED"


# retries and failures


def test_a_retry_repeats_until_it_succeeds_and_counts() -> None:
    calls = []

    def second_time(resource: str, arguments: dict[str, Any], aborted: Any) -> dict[str, Any]:
        calls.append(arguments["try"])
        if len(calls) < 3:
            _failing("Busy")()
        return {"done": True}

    INTEGRATIONS["flaky"] = second_time
    retry = [
        {
            "ErrorEquals": ["Busy"],
            "IntervalSeconds": 0.001,
            "MaxDelaySeconds": 0.002,
            "JitterStrategy": "FULL",
        }
    ]
    state = task("flaky", Arguments={"try": "{% $states.context.State.RetryCount %}"}, Retry=retry)
    run = Run(alone(state))
    assert run.output() == {"done": True}
    assert calls == [0, 1, 2]
    assert run.types().count("TaskFailed") == 2


@pytest.mark.parametrize("error", ["States.Runtime", "States.DataLimitExceeded"])
def test_no_wildcard_catches_what_ends_an_execution_on_aws(error: str) -> None:
    INTEGRATIONS["fail"] = _failing(error)
    state = task("fail", Catch=[{"ErrorEquals": ["States.ALL"], "Next": "Mend"}])
    assert Run({"StartAt": "Only", "States": {"Only": state, "Mend": _pass()}}).failure()[0] == error


def test_an_output_too_large_for_aws_fails_here_too() -> None:
    INTEGRATIONS["big"] = lambda *_: {"text": "x" * 262_144}
    error, cause = Run(alone(task("big"))).failure()
    assert error == "States.DataLimitExceeded" and "'Only'" in cause


def test_a_wrong_expression_is_in_the_history_and_can_be_caught() -> None:
    state = task(
        "echo", Arguments="{% $nothing.here %}", Catch=[{"ErrorEquals": ["States.ALL"], "Next": "Mend"}]
    )
    run = Run({"StartAt": "Only", "States": {"Only": state, "Mend": _pass()}})
    assert run.output()["Error"] == "States.QueryEvaluationError"
    assert run.of_type("EvaluationFailed")[0]["evaluationFailedEventDetails"]["state"] == "Only"


def test_a_succeed_state_shapes_its_output() -> None:
    assert Run(
        alone({"Type": "Succeed", "Output": {"n": "{% $states.input.n + 1 %}"}}), {"n": 1}
    ).output() == {"n": 2}


def test_an_integration_that_breaks_fails_the_execution_with_its_words() -> None:
    def broken(*_: Any) -> dict[str, Any]:
        raise ValueError("no such thing")

    INTEGRATIONS["broken"] = broken
    assert Run(alone(task("broken"))).failure() == ("States.Runtime", "no such thing")


def test_time_limits_of_many_executions_take_one_thread_and_are_kept_in_order():
    from tidegate.local.emulator import clocks

    called: list[int] = []
    held, go_on = threading.Event(), threading.Event()

    def hold() -> None:
        held.set()
        go_on.wait(PATIENCE_SECONDS)

    # What is due is held up, so that all can be called off in time however slow this machine is.
    clocks.after(0, hold)
    assert held.wait(PATIENCE_SECONDS)
    call_offs = [clocks.after(number / 1000, lambda n=number: called.append(n)) for number in range(50)]
    forgotten = [clocks.after(3600, lambda: called.append(-1)) for _ in range(300)]
    assert sum(each.name == "clocks" for each in threading.enumerate()) == 1
    for call_off in (*call_offs[::2], *forgotten):
        call_off()
    go_on.set()
    until(lambda: len(called) == 25)
    assert called == list(range(1, 50, 2))
    assert len(clocks._due) < 100


def test_what_comes_again_and_again_goes_on_after_a_failure(caplog: pytest.LogCaptureFixture):
    from tidegate.local.emulator import clocks

    calls: list[float] = []
    enough = threading.Event()

    def look() -> None:
        calls.append(time.monotonic())
        if len(calls) == 1:
            raise ValueError("not yet")
        enough.set()

    clocks.every(0.01, look, "The sky")
    assert enough.wait(PATIENCE_SECONDS)
    assert "The sky could not be looked at; trying again in 0.01 s" in caplog.text
