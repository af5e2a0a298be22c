"""Task states: calls a resource apart from the strand, so that a stop or a timeout need not wait for it."""

from __future__ import annotations

import contextvars
import json
import threading
from collections.abc import Callable
from typing import Any

from tidegate.local.emulator import faults
from tidegate.local.emulator.names import answers, step
from tidegate.local.emulator.resources import Resource
from tidegate.local.emulator.retries import Outcome, attempt
from tidegate.local.emulator.scopes import Scope
from tidegate.local.emulator.strands import Strand, current

_CALLBACK = ".waitForTaskToken"


def run_task(state: dict[str, Any], given: Any, strand: Strand) -> Outcome:
    """Run a Task state under its Retry, Catch and TimeoutSeconds."""
    return attempt(state, given, strand, lambda: _once(state, given, strand))


def _once(state: dict[str, Any], given: Any, strand: Strand) -> Outcome:
    context = strand.context
    resource = Resource(state.get("Resource", ""))
    is_jsonata = step.language(state, context) == "JSONata"
    is_callback = resource.arn.endswith(_CALLBACK)
    if is_callback:
        context["Task"] = {"Token": answers.new_id()}
    if is_jsonata:
        arguments = step.arguments(state, given, context)
    else:
        arguments = step.parameters(state, step.input_path(state, given, context), context)
    limit = _timeout_seconds(state, given, context, is_jsonata)
    strand.add(*resource.scheduled(arguments, limit))
    strand.add(*resource.started())

    def call() -> Any:
        if is_callback:
            # The emulator waits on the token itself; its own limit only guards against a token that is lost.
            return step.invoke_with_callback(resource.arn, arguments, context["Task"]["Token"], {})
        name, start = context["State"]["Name"], strand.execution["input"]
        return faults.around(name, start, lambda: step.invoke(resource.arn, arguments))

    try:
        result = _apart(strand, call, limit)
    except TimeoutError:
        cause = f"The task ran longer than the {limit:g} seconds that the state allows."
        strand.add(*resource.timed_out("States.Timeout", cause))
        raise step.Failure("States.Timeout", cause) from None
    except step.Failure as failure:
        strand.add(*resource.failed(failure.error, failure.cause))
        raise
    finally:
        if is_callback:
            _give_up(context.pop("Task")["Token"])
    strand.add(*resource.succeeded(json.dumps(result)))
    if is_jsonata:
        output = step.output(state, given, context, result=result, default=result)
        step.assign(state, given, context, result=result)
    else:
        selected = step.result_selector(state, result)
        output = step.output_path(state, step.result_path(state, given, selected), context)
    return output, step.next_of(state)


def _timeout_seconds(
    state: dict[str, Any], given: Any, context: dict[str, Any], is_jsonata: bool
) -> float | None:
    if "TimeoutSeconds" in state:
        if is_jsonata:
            return float(step.field(state, "TimeoutSeconds", "number", given, context))
        return float(state["TimeoutSeconds"])
    if "TimeoutSecondsPath" in state:
        return float(step.resolve_path(state["TimeoutSecondsPath"], given, context))
    return None


def _apart(strand: Strand, call: Callable[[], Any], limit: float | None) -> Any:
    """Run ``call`` on a thread of its own and return its result.

    Raises ``TimeoutError`` past ``limit`` seconds and ``Stopped`` when the strand is called off; either way
    the call is told by its scope, and its result is dropped.
    """
    scope = Scope(strand.scope)
    over = threading.Event()
    outcome: dict[str, Any] = {}

    def run() -> None:
        current.set(Strand(strand.execution, strand.context, scope, strand.last_event))
        try:
            outcome["result"] = call()
        except Exception as problem:
            known = isinstance(problem, step.Failure)
            outcome["failure"] = problem if known else step.Failure("States.Runtime", str(problem))
        over.set()

    forget = scope.when_stopped(over.set)
    threading.Thread(target=contextvars.copy_context().run, args=(run,), daemon=True).start()
    finished = over.wait(limit)
    forget()
    try:
        strand.scope.check()
        if not finished:
            raise TimeoutError
        if "failure" in outcome:
            raise outcome["failure"]
        return outcome["result"]
    finally:
        # What still runs is told to stop; for what has ended this only takes leave of the strand.
        scope.stop()
        scope.close()


def _give_up(token: str) -> None:
    """Release the thread that still waits for a callback."""
    if waiting := step.task_tokens.pop(token, None):
        waiting["event"].set()
