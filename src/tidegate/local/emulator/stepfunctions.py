"""Puts our walk of state machines, and the SageMaker integrations, in the place of the emulator's own."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from tidegate.local.emulator import retries, walk
from tidegate.local.emulator.names import step
from tidegate.local.emulator.retention import executions
from tidegate.local.emulator.scopes import Scope
from tidegate.local.emulator.sdk_errors import sdk_error
from tidegate.local.emulator.strands import Strand, append, current, history_lock, note_end, note_start

Handler = Callable[[str, dict[str, Any], Callable[[], bool]], dict[str, Any]]
Authorize = Callable[[str, str, Any], None]

_RESTART_ERROR = "States.ServiceRestart"
_FAILED = "ExecutionFailed"
RESTART_CAUSE = "The local cloud stopped while the execution was running. Start it again with the same input."

_interrupted: list[dict[str, Any]] = []


def install(integrations: Mapping[str, Handler], authorize: Authorize | None = None) -> None:
    """Make the emulator's Step Functions run machines our way.

    Parameters
    ----------
    integrations
        For each optimized integration (its ARN without ``.sync``) a function of the resource as written, the
        arguments, and a function that tells whether the task has been called off. It may raise an exception
        with attributes ``error`` and ``cause``, which fails the task.
    authorize
        Called with the execution role, the resource and the arguments before each task; may raise likewise.
    """
    step.replace("run_execution", walk.run_execution)
    step.replace("run_sub_machine", _run_sub_machine)
    step.replace("add_event", _add_event)
    step.replace("sleep", _sleep)
    step.replace("assign", _assign)
    step.replace("matches", retries.matches)
    step.replace("prefix_sdk_error", sdk_error)
    _wrap("start_execution", _starting)
    _wrap("stop_execution", _stopping)
    _wrap("restore", _restoring)
    _wrap("call_lambda", _naming_throttles)
    _wrap("invoke", lambda original: _invoking(original, integrations, authorize))
    step.sdk_services["sagemaker"] = {"target_prefix": "SageMaker", "protocol": "json"}
    step.sdk_prefixes["sagemaker"] = "SageMaker"


def _wrap(word: str, wrapper: Callable[[Callable[..., Any]], Callable[..., Any]]) -> None:
    step.replace(word, wrapper(getattr(step, word)))


def _invoking(
    original: Callable[..., Any], integrations: Mapping[str, Handler], authorize: Authorize | None
) -> Callable[[str, Any], Any]:
    def invoke(resource: str, arguments: Any) -> Any:
        strand = current.get()
        if authorize and strand:
            authorize(strand.role, resource, arguments)
        handler = integrations.get(resource.removesuffix(".sync"))
        if handler is None:
            return original(resource, arguments)
        scope = strand.scope if strand else Scope()
        try:
            return handler(resource, arguments, lambda: scope.stopped)
        except Exception as problem:
            if hasattr(problem, "error") and hasattr(problem, "cause"):
                raise step.Failure(problem.error, problem.cause) from problem
            raise

    return invoke


def _run_sub_machine(
    states: dict[str, Any], start_at: str, input_data: Any, execution: dict[str, Any], ctx: dict[str, Any]
) -> Any:
    """Run the child of a distributed Map: the emulator keeps its record, we walk its states."""
    caller = current.get()
    scope = Scope(caller.scope if caller else None)
    try:
        return walk.walk(states, start_at, input_data, Strand(execution, ctx, scope))
    finally:
        scope.close()


def _add_event(execution: dict[str, Any], event_type: str, details: dict[str, Any] | None = None) -> Any:
    """Write an event of the emulator's own, which comes with its details under their key."""
    with history_lock:
        append(execution, event_type, **(details or {}))
        return execution["events"][-1]


def _sleep(seconds: float) -> None:
    """Sleep for a Wait state or before a retry; a stop ends it."""
    strand = current.get()
    scope = strand.scope if strand else Scope()
    scope.wait(max(seconds * step.wait_scale, 0))
    scope.check()


def _assign(
    state_def: dict[str, Any],
    raw_input: Any,
    ctx: dict[str, Any] | None,
    result: Any = None,
    error_output: Any = None,
) -> None:
    """Set a state's variables all at once: each expression still sees the values from before the state."""
    assign = state_def.get("Assign")
    if ctx is None or not isinstance(assign, dict) or step.language(state_def, ctx) != "JSONata":
        return
    new = step.template(assign, raw_input, ctx, result=result, error_output=error_output)
    ctx.setdefault("variables", {}).update(new)


def _starting(original: Callable[..., Any]) -> Callable[..., Any]:
    def start_execution(data: dict[str, Any]) -> Any:
        """Start an execution; whoever is answered that it started finds it after a crash too."""
        status, headers, body = original(data)
        if status == 200:
            note_start(step.executions[json.loads(body)["executionArn"]])
        return status, headers, body

    return start_execution


def _stopping(original: Callable[..., Any]) -> Callable[..., Any]:
    def stop_execution(data: dict[str, Any]) -> Any:
        with history_lock:
            answer = original(data)
        execution = step.executions.get(data.get("executionArn"))
        if execution and execution["status"] == "ABORTED":
            note_end(execution)
            walk.call_off(execution["executionArn"])
        return answer

    return stop_execution


def _restoring(original: Callable[..., Any]) -> Callable[..., Any]:
    def restore(data: dict[str, Any] | None) -> None:
        """Restore saved executions; those that were running end here, with a reason a person understands."""
        original(data)
        for execution in step.executions.all_values():
            # The emulator has just given them this error; the history and the events are still missing.
            if execution.get("error") == _RESTART_ERROR and execution["events"][-1]["type"] != _FAILED:
                execution["cause"] = RESTART_CAUSE
                execution["output"] = json.dumps({"Error": _RESTART_ERROR, "Cause": RESTART_CAUSE})
                append(execution, _FAILED, {"error": _RESTART_ERROR, "cause": RESTART_CAUSE})
                _interrupted.append(execution)
        executions.ended()

    return restore


def announce_interrupted() -> None:
    """Tell EventBridge, once the local cloud is up again, of the executions that its stop interrupted."""
    while _interrupted:
        step.announce(_interrupted.pop())


def _naming_throttles(original: Callable[..., Any]) -> Callable[..., Any]:
    def call_lambda(func_ref: Any, event: Any) -> Any:
        """Call a function; a throttle gets the name that state machines on AWS retry."""
        try:
            return original(func_ref, event)
        except step.Failure as failure:
            body = _json_object(failure.cause)
            if body.get("__type") == "TooManyRequestsException":
                cause = f"{body.get('message')} (Service: Lambda, Status Code: 429)"
                raise step.Failure("Lambda.TooManyRequestsException", cause) from failure
            raise

    return call_lambda


def _json_object(text: Any) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except (TypeError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}
