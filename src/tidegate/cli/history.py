"""The history of an execution read as a tree of states: pure, events in and a view out.

Iterations of a Map and branches of a Parallel run at the same time, and their events mix. What tells them
apart is `previousEventId`: an event belongs where the one it follows does.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tidegate.cli.progress import CAUGHT, FAILED, STOPPED, SUCCEEDED, Branch, Step, View, walk_steps

_FAILURES = ("Failed", "TimedOut")
_ENDS = {"Succeeded": SUCCEEDED, "Failed": FAILED, "TimedOut": FAILED, "Aborted": STOPPED}


@dataclass
class _Scope:
    """A sequence of states: the whole machine, an iteration or a branch."""

    steps: list[Step]
    owner: Step | None = None
    branch: Branch | None = None
    outer: _Scope | None = None


@dataclass
class _At:
    """Where an event stands: its scope, the state it is about, and what kind of event it was."""

    scope: _Scope
    step: Step | None
    type: str


def read_history(events: Iterable[Mapping[str, Any]]) -> View:
    """Read the events of GetExecutionHistory, in any order.

    Parameters
    ----------
    events : iterable of dict
        As boto3 answers them, with execution data.

    Returns
    -------
    View
        The states visited so far, with times, retries, errors and branches.

    Examples
    --------
    >>> from datetime import datetime
    >>> when = datetime(2026, 1, 1)
    >>> view = read_history([{"id": 1, "type": "PassStateEntered", "timestamp": when, "previousEventId": 0,
    ...                       "stateEnteredEventDetails": {"name": "Claim the run"}}])
    >>> [step.name for step in view.steps]
    ['Claim the run']
    """
    return _Reader().read(sorted(events, key=lambda event: int(event["id"])))


class _Reader:
    def __init__(self) -> None:
        self.view = View()
        self.root = _Scope(self.view.steps)
        self.at: dict[int, _At] = {}

    def read(self, events: list[Mapping[str, Any]]) -> View:
        before = 0
        for event in events:
            previous = self.at.get(event.get("previousEventId") or before) or _At(self.root, None, "")
            self.at[event["id"]] = self._place(event, previous)
            before = event["id"]
        return self.view

    def _place(self, event: Mapping[str, Any], previous: _At) -> _At:
        kind = str(event["type"])
        scope, step = self._apply(kind, event, previous)
        return _At(scope, step, kind)

    def _apply(self, kind: str, event: Mapping[str, Any], previous: _At) -> tuple[_Scope, Step | None]:
        if kind.startswith("Execution"):
            return self._execution(kind, event)
        if kind.endswith("StateEntered"):
            return self._entered(kind.removesuffix("StateEntered"), event, previous)
        if kind.endswith("StateExited"):
            return self._exited(event, previous)
        if kind == "MapIterationStarted":
            return self._iteration_started(event, previous)
        if kind.startswith("MapIteration"):
            return self._iteration_ended(kind.removeprefix("MapIteration"), event, previous)
        for container in ("Map", "Parallel"):
            if kind.startswith(f"{container}State"):
                return self._container(container, kind.removeprefix(f"{container}State"), event, previous)
        return self._inside(kind, event, previous)

    def _execution(self, kind: str, event: Mapping[str, Any]) -> tuple[_Scope, None]:
        end = kind.removeprefix("Execution")
        if end == "Started":
            self.view.started = event["timestamp"]
        elif end in _ENDS:
            self.view.status, self.view.ended = _ENDS[end], event["timestamp"]
            self.view.error, self.view.cause = _failure(event)
            for _, step in self.view.walk():
                if step.ended is None:
                    step.end(FAILED if step.status == FAILED else STOPPED, event)
        return self.root, None

    def _entered(self, kind: str, event: Mapping[str, Any], previous: _At) -> tuple[_Scope, Step]:
        details = event.get("stateEnteredEventDetails", {})
        scope = previous.scope
        if previous.type == "ParallelStateStarted" and previous.step is not None:
            branch = Branch("", len(previous.step.branches), event["timestamp"])
            previous.step.branches.append(branch)
            scope = _Scope(branch.steps, previous.step, branch, previous.scope)
        if scope.branch is not None and previous.type == "MapIterationStarted":
            scope.branch.label = _label(details.get("input"), scope.branch.label)
        step = Step(event["id"], str(details.get("name", "?")), kind, event["timestamp"])
        if kind == "Fail":
            step.end(FAILED, event)
        scope.steps.append(step)
        return scope, step

    def _exited(self, event: Mapping[str, Any], previous: _At) -> tuple[_Scope, Step | None]:
        name = event.get("stateExitedEventDetails", {}).get("name")
        scope, step = self._open(previous, lambda each: each.name == name)
        if step is not None:
            step.end(CAUGHT if step.status == FAILED else SUCCEEDED, event)
            _close_branches(step, event["timestamp"])
        return scope, step

    def _iteration_started(self, event: Mapping[str, Any], previous: _At) -> tuple[_Scope, Step | None]:
        details = event.get("mapIterationStartedEventDetails", {})
        scope, step = self._open(
            previous, lambda each: each.kind == "Map" and each.name == details.get("name")
        )
        if step is None:
            return scope, None
        index = int(details.get("index", len(step.branches)))
        branch = Branch(f"#{index + 1}", index, event["timestamp"])
        step.branches.append(branch)
        return _Scope(branch.steps, step, branch, scope), None

    def _iteration_ended(
        self, end: str, event: Mapping[str, Any], previous: _At
    ) -> tuple[_Scope, Step | None]:
        details = event.get(f"mapIteration{end}EventDetails", {})
        scope, step = self._open(
            previous, lambda each: each.kind == "Map" and each.name == details.get("name")
        )
        for branch in step.branches if step is not None else []:
            if branch.index == details.get("index"):
                branch.status, branch.ended = _ENDS.get(end, SUCCEEDED), event["timestamp"]
        return scope, step

    def _container(
        self, container: str, end: str, event: Mapping[str, Any], previous: _At
    ) -> tuple[_Scope, Step | None]:
        scope, step = self._open(previous, lambda each: each.kind == container)
        if step is not None and end == "Started" and step.status == FAILED:
            step.try_again(event)
        elif step is not None and end in _ENDS and end != "Succeeded":
            step.status = _ENDS[end]
            inner = _end_inner(step, event)
            step.error, step.cause = _failure(event) if any(_failure(event)) else inner
        return scope, step

    def _inside(self, kind: str, event: Mapping[str, Any], previous: _At) -> tuple[_Scope, Step | None]:
        step = previous.step
        if step is not None and step.ended is None:
            if kind.endswith("StateAborted"):
                step.end(STOPPED, event)
            elif kind.endswith(_FAILURES):
                step.status = FAILED
                step.error, step.cause = _failure(event)
            elif kind.endswith("Scheduled") and step.status == FAILED:
                step.try_again(event)
        return previous.scope, step

    def _open(self, at: _At, fits: Callable[[Step], bool]) -> tuple[_Scope, Step | None]:
        """Find the state an event is about: the open one that fits, looking outwards from its predecessor."""
        scope: _Scope | None = at.scope
        while scope is not None:
            for step in reversed(scope.steps):
                if step.ended is None and fits(step):
                    return scope, step
            scope = scope.outer
        return at.scope, None


def _end_inner(step: Step, event: Mapping[str, Any]) -> tuple[str, str]:
    """End what is still open inside a Map or Parallel that failed; give the error that made it fail."""
    found = (step.error, step.cause)
    for _, inner in walk_steps([each for branch in step.branches for each in branch.steps], ()):
        if inner.ended is None:
            if inner.status == FAILED and inner.error:
                found = (inner.error, inner.cause)
            inner.end(FAILED if inner.status == FAILED else STOPPED, event)
    return found


def _close_branches(step: Step, when: datetime) -> None:
    for branch in step.branches:
        if branch.ended is None:
            branch.ended = when
            branch.status = FAILED if step.status == CAUGHT else step.status


def _failure(event: Mapping[str, Any]) -> tuple[str, str]:
    for name, details in event.items():
        if (
            name.endswith("EventDetails")
            and isinstance(details, Mapping)
            and ("error" in details or "cause" in details)
        ):
            return str(details.get("error") or ""), str(details.get("cause") or "")
    return "", ""


def _label(text: Any, otherwise: str) -> str:
    """Read the name of the algorithm from the input of an iteration's first state."""
    try:
        given = json.loads(text)
    except (TypeError, ValueError):
        return otherwise
    algorithm = given.get("algorithm") if isinstance(given, dict) else None
    if isinstance(algorithm, dict):
        algorithm = algorithm.get("name")
    return algorithm if isinstance(algorithm, str) and algorithm else otherwise
