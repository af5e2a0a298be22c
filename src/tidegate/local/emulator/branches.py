"""Parallel and Map: strands side by side, each with its own variables and history; one failure stops all."""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Callable
from typing import Any

from tidegate.local.emulator.names import step
from tidegate.local.emulator.retries import Outcome, attempt
from tidegate.local.emulator.scopes import Scope, Stopped
from tidegate.local.emulator.strands import Strand, append, current

# AWS runs at most this many iterations of an inline Map at once.
_MAP_AT_ONCE = 40

Walk = Callable[[dict[str, Any], str, Any, Strand], Any]
Job = Callable[[Strand], Any]


def run_parallel(state: dict[str, Any], given: Any, strand: Strand, walk: Walk) -> Outcome:
    """Run every branch of a Parallel state and gather their outputs in order."""
    return attempt(state, given, strand, lambda: _parallel_once(state, given, strand, walk))


def run_map(state: dict[str, Any], given: Any, strand: Strand, walk: Walk) -> Outcome:
    """Run a Map state's processor for every item and gather the outputs in order."""
    return attempt(state, given, strand, lambda: _map_once(state, given, strand, walk))


def _parallel_once(state: dict[str, Any], given: Any, strand: Strand, walk: Walk) -> Outcome:
    if step.language(state, strand.context) == "JSONata":
        effective = step.arguments(state, given, strand.context)
    else:
        effective = step.input_path(state, given, strand.context)
        effective = step.parameters(state, effective, strand.context)
    strand.add("ParallelStateStarted")

    def job(branch: dict[str, Any]) -> Job:
        return lambda own: walk(branch["States"], branch["StartAt"], effective, own)

    branches = state.get("Branches", [])
    team = _Team(strand, [job(branch) for branch in branches], at_once=len(branches))
    results = team.run(failed="ParallelStateFailed")
    strand.add("ParallelStateSucceeded")
    return _conclude(state, given, strand, results)


def _map_once(state: dict[str, Any], given: Any, strand: Strand, walk: Walk) -> Outcome:
    context = strand.context
    is_jsonata = step.language(state, context) == "JSONata"
    effective = step.input_path(state, given, context)
    processor = state.get("ItemProcessor") or state.get("Iterator") or {}
    if (processor.get("ProcessorConfig") or {}).get("Mode") == "DISTRIBUTED":
        output, following = step.run_distributed_map(
            state, given, effective, processor, strand.execution, context
        )
        return output, following
    if is_jsonata:
        items = step.field(state, "Items", "array", given, context) if "Items" in state else given
    else:
        items = step.resolve_path(state.get("ItemsPath", "$"), effective, context)
    if not isinstance(items, list):
        raise step.Failure(
            "States.Runtime", "The items that the Map state is to go through are not an array."
        )
    at_once = state.get("MaxConcurrency", 0)
    if isinstance(at_once, str):
        at_once = step.field(state, "MaxConcurrency", "number", given, context)
    strand.add("MapStateStarted", {"length": len(items)})
    name = context["State"]["Name"]

    def job(index: int, item: Any) -> Job:
        def iterate(own: Strand) -> Any:
            facts = {"name": name, "index": index}
            own.context["Map"] = {"Item": {"Index": index, "Value": item}}
            own.add("MapIterationStarted", facts)
            try:
                start = _item_input(state, item, given, effective, own.context, is_jsonata)
                output = walk(processor["States"], processor["StartAt"], start, own)
            except step.Failure:
                own.add("MapIterationFailed", facts)
                raise
            own.add("MapIterationSucceeded", facts)
            return output

        return iterate

    jobs = [job(index, item) for index, item in enumerate(items)]
    team = _Team(strand, jobs, at_once=int(at_once) or _MAP_AT_ONCE)
    results = team.run(failed="MapStateFailed", aborted=("MapIterationAborted", {"name": name}))
    strand.add("MapStateSucceeded")
    return _conclude(state, given, strand, results)


def _item_input(
    state: dict[str, Any], item: Any, given: Any, effective: Any, context: dict[str, Any], is_jsonata: bool
) -> Any:
    selector = state.get("ItemSelector") or state.get("Parameters")
    if not selector:
        return item
    if is_jsonata:
        return step.template(selector, given, context)
    return step.resolve_parameters(selector, effective, context)


def _conclude(state: dict[str, Any], given: Any, strand: Strand, results: list[Any]) -> Outcome:
    """Turn the results into the state's output, by Output and Assign or by the JSONPath fields."""
    context = strand.context
    if step.language(state, context) == "JSONata":
        output = step.output(state, given, context, result=results, default=results)
        step.assign(state, given, context, result=results)
    else:
        selected = step.result_selector(state, results)
        output = step.output_path(state, step.result_path(state, given, selected), context)
    return output, step.next_of(state)


class _Team:
    """Strands that run side by side until all are done or one fails, which calls the others off."""

    def __init__(self, parent: Strand, jobs: list[Job], at_once: int) -> None:
        self._parent = parent
        self._scope = Scope(parent.scope)
        self._jobs = jobs
        self._at_once = min(at_once, len(jobs))
        self._results: list[Any] = [None] * len(jobs)
        self._waiting = iter(range(len(jobs)))
        self._left = len(jobs)
        self._last_event = parent.last_event
        self._at_work: dict[int, Strand] = {}
        self._failure: Exception | None = None
        self._lock = threading.Lock()
        self._over = threading.Event()

    def run(self, failed: str, aborted: tuple[str, dict[str, Any]] | None = None) -> list[Any]:
        """Run the jobs and return their results.

        A failure is written as event ``failed`` and raised; what it stops is written as event ``aborted``.
        """
        if not self._jobs:
            return []
        forget = self._parent.scope.when_stopped(self._over.set)
        for _ in range(self._at_once):
            # A thread per strand: each may wait for hours. It sees the caller's account and region.
            thread = threading.Thread(target=contextvars.copy_context().run, args=(self._work,), daemon=True)
            thread.start()
        self._over.wait()
        forget()
        self._parent.scope.check()
        with self._lock:
            failure = self._failure
            self._parent.last_event = self._last_event
        if failure:
            if aborted:
                self._write_aborted(*aborted)
            self._parent.add(failed)
            raise failure
        self._scope.close()
        return self._results

    def _write_aborted(self, event: str, facts: dict[str, Any]) -> None:
        for index, strand in sorted(self._at_work.items()):
            append(strand.execution, event, {**facts, "index": index}, previous=strand.last_event)

    def _work(self) -> None:
        while True:
            with self._lock:
                index = next(self._waiting, None)
                if index is None or self._over.is_set():
                    return
                strand = self._at_work[index] = self._parent.fork(self._scope)
            current.set(strand)
            try:
                result = self._jobs[index](strand)
            except Stopped:
                return
            except Exception as problem:
                known = isinstance(problem, step.Failure)
                self._end(
                    index, strand, None, problem if known else step.Failure("States.Runtime", str(problem))
                )
                return
            self._end(index, strand, result, None)

    def _end(self, index: int, strand: Strand, result: Any, failure: Exception | None) -> None:
        with self._lock:
            if self._over.is_set():
                return
            del self._at_work[index]
            self._results[index] = result
            self._left -= 1
            self._last_event = strand.last_event
            self._failure = failure
            if failure or not self._left:
                self._over.set()
        if failure:
            self._scope.stop()
