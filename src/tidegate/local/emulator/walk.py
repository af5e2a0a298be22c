"""Walks a state machine: enters a state, runs it, leaves it, goes to the next; and runs whole executions."""

from __future__ import annotations

import copy
import json
import logging
from collections.abc import Callable
from typing import Any

from tidegate.local.emulator import branches, clocks, faults, tasks
from tidegate.local.emulator.names import answers, step
from tidegate.local.emulator.retention import executions
from tidegate.local.emulator.scopes import Scope, Stopped
from tidegate.local.emulator.strands import Strand, current, finish, note_start

_log = logging.getLogger("tidegate.step_functions")

# AWS refuses to pass more than this from one state to the next.
PAYLOAD_BYTES = 262_144

_running: dict[str, Scope] = {}


def run_execution(arn: str) -> None:
    """Run an execution that has been started, to its end; the emulator calls this on a thread of its own."""
    execution = step.executions.get(arn)
    if not execution:
        return
    execution["events"][0].setdefault("previousEventId", 0)
    note_start(execution)
    caller = current.get()
    # A nested execution that its parent waits for ends with the parent; any other is on its own.
    scope = Scope(caller.scope if caller and execution.get("sync") else None)
    _running[arn] = scope
    in_time: Callable[[], None] = _nothing
    try:
        machine = step.machines.get(execution["stateMachineArn"])
        if not machine:
            raise step.Failure("States.Runtime", "The state machine was deleted before the execution began.")
        definition = json.loads(machine["definition"])
        if limit := definition.get("TimeoutSeconds"):
            in_time = clocks.after(float(limit), lambda: _time_out(execution, scope, limit))
        given = json.loads(execution["input"] or "{}")
        strand = Strand(execution, _context_of(execution, machine, definition, given), scope)
        output = walk(definition["States"], definition["StartAt"], given, strand)
        strand.scope.check()
        finish(execution, "SUCCEEDED", "ExecutionSucceeded", output=json.dumps(output))
    except Stopped:
        # Whoever called it off has said why, unless a parent took this nested execution along.
        finish(
            execution, "ABORTED", "ExecutionAborted", error="", cause="The execution that started it ended."
        )
    except step.Failure as failure:
        finish(execution, "FAILED", "ExecutionFailed", error=failure.error, cause=failure.cause)
    except Exception as problem:
        _log.exception("Execution %s met an unexpected error", arn)
        finish(execution, "FAILED", "ExecutionFailed", error="States.Runtime", cause=str(problem))
    finally:
        in_time()
        scope.close()
        _running.pop(arn, None)
        executions.ended()


def call_off(arn: str) -> None:
    """Stop what an execution is doing; its record must already say how it ended."""
    if scope := _running.get(arn):
        scope.stop()


def busy() -> bool:
    """Tell whether any execution is running."""
    return bool(_running)


def walk(states: dict[str, Any], start: str, given: Any, strand: Strand) -> Any:
    """Walk from state ``start`` to an end and return its output."""
    name: str | None = start
    value = copy.deepcopy(given)
    while name:
        if name not in states:
            raise step.Failure("States.Runtime", f"The state '{name}' is not in the definition.")
        value, name = _visit(name, states[name], value, strand)
    return value


def _visit(name: str, state: dict[str, Any], given: Any, strand: Strand) -> tuple[Any, str | None]:
    strand.scope.check()
    kind = state.get("Type", "")
    strand.context["State"] = {"Name": name, "EnteredTime": answers.now(), "RetryCount": 0}
    strand.add(
        f"{kind}StateEntered", {"name": name, "input": json.dumps(given)}, key="stateEnteredEventDetails"
    )
    faults.entered(name, strand.execution["input"])
    if kind not in _RUN:
        raise step.Failure("States.Runtime", f"The state '{name}' is of type '{kind}', which does not exist.")
    before = dict(strand.context["variables"])
    token = current.set(strand)
    try:
        output, following = _RUN[kind](state, given, strand)
    except step.Failure as failure:
        strand.note(failure)
        raise
    finally:
        current.reset(token)
    text = json.dumps(output)
    if len(text.encode()) > PAYLOAD_BYTES:
        raise step.Failure(
            "States.DataLimitExceeded",
            f"The state/task '{name}' returned a result with a size exceeding the maximum number of bytes "
            f"service limit.",
        )
    details: dict[str, Any] = {"name": name, "output": text}
    if assigned := _assigned(before, strand.context["variables"]):
        details["assignedVariables"] = assigned
    strand.add(f"{kind}StateExited", details, key="stateExitedEventDetails")
    return output, following


def _run_simple(run: str) -> Callable[[dict[str, Any], Any, Strand], tuple[Any, str | None]]:
    def simple(state: dict[str, Any], given: Any, strand: Strand) -> tuple[Any, str | None]:
        output, following = getattr(step, run)(state, given, strand.context)
        return output, following

    return simple


def _run_succeed(state: dict[str, Any], given: Any, strand: Strand) -> tuple[Any, str | None]:
    if step.language(state, strand.context) == "JSONata":
        return step.output(state, given, strand.context, default=given), None
    effective = step.input_path(state, given, strand.context)
    return step.output_path(state, effective, strand.context), None


def _run_fail(state: dict[str, Any], given: Any, strand: Strand) -> tuple[Any, str | None]:
    raise step.Failure(*step.fail_error(state, given, strand.context))


def _run_parallel(state: dict[str, Any], given: Any, strand: Strand) -> tuple[Any, str | None]:
    return branches.run_parallel(state, given, strand, walk)


def _run_map(state: dict[str, Any], given: Any, strand: Strand) -> tuple[Any, str | None]:
    return branches.run_map(state, given, strand, walk)


_RUN: dict[str, Callable[[dict[str, Any], Any, Strand], tuple[Any, str | None]]] = {
    "Pass": _run_simple("run_pass"),
    "Choice": _run_simple("run_choice"),
    "Wait": _run_simple("run_wait"),
    "Succeed": _run_succeed,
    "Fail": _run_fail,
    "Task": tasks.run_task,
    "Parallel": _run_parallel,
    "Map": _run_map,
}


def _assigned(before: dict[str, Any], after: dict[str, Any]) -> dict[str, str]:
    """Return the variables that a state set, as JSON text, which is how the history shows them."""
    return {k: json.dumps(v) for k, v in after.items() if k not in before or before[k] is not v}


def _context_of(
    execution: dict[str, Any], machine: dict[str, Any], definition: dict[str, Any], given: Any
) -> dict[str, Any]:
    return {
        "QueryLanguage": definition.get("QueryLanguage", "JSONPath"),
        "Execution": {
            "Id": execution["executionArn"],
            "Input": given,
            "Name": execution["name"],
            "RoleArn": machine["roleArn"],
            "StartTime": execution["startDate"],
            "RedriveCount": 0,
        },
        "StateMachine": {"Id": execution["stateMachineArn"], "Name": machine["name"]},
        "variables": {},
    }


def _nothing() -> None:
    """Do nothing."""


def _time_out(execution: dict[str, Any], scope: Scope, limit: float) -> None:
    cause = f"The execution ran longer than the {limit:g} seconds that its state machine allows."
    if finish(execution, "TIMED_OUT", "ExecutionTimedOut", error="States.Timeout", cause=cause):
        scope.stop()
