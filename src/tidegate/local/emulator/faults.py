"""Faults on purpose: a task that fails, or a crash of the whole local cloud, at a state of one's choice.

`TIDEGATE_FAULTS` names a JSON file with a list of faults; it is read anew at each state, so that a suite can
change it while a local cloud runs. Without the variable nothing here does anything.

A fault has ``state`` and, to touch only one model's runs, ``model``; then one of

- ``error`` and ``cause``: the task fails so, in the place of its work;
- ``answer``: the work is done, but this is what the task is given;
- ``lost``: the work is done, but its answer never comes, so that the state runs out of time;
- ``kill``: this process ends, when the state is ``entered``, or when its task's work was ``called`` and is
  done but nobody knows yet.

``times`` says how often (once by default); ``pace`` multiplies the pauses before the retries it causes.
"""

from __future__ import annotations

import json
import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tidegate.local.emulator.names import step

SETTING = "TIDEGATE_FAULTS"

_used: dict[str, int] = {}
_lock = threading.Lock()


def entered(state: str, given: str) -> None:
    """Crash here, if a fault says so; ``given`` is the input of the execution."""
    for fault in _faults(state, given):
        if fault.get("kill") == "entered":
            _crash()


def around(state: str, given: str, work: Callable[[], Any]) -> Any:
    """Do the work of a task, or what a fault says instead or beside; give its answer."""
    for fault in _faults(state, given):
        if "error" in fault and _one_more(fault):
            raise failure(fault, fault["error"], fault.get("cause", "a fault on purpose"))
    try:
        result = work()
    except step.Failure:
        _lose(state, given)
        raise
    for fault in _faults(state, given):
        if fault.get("kill") == "called":
            _crash()
    _lose(state, given)
    for fault in _faults(state, given):
        if "answer" in fault and _one_more(fault):
            return fault["answer"]
    return result


def _lose(state: str, given: str) -> None:
    for fault in _faults(state, given):
        if fault.get("lost") and _one_more(fault):
            raise failure(fault, "States.Timeout", "The task's answer did not come within the state's time.")


def failure(fault: dict[str, Any], error: str, cause: str) -> Exception:
    """Make the failure of a task, which remembers how fast it is to be tried again."""
    made: Exception = step.Failure(error, cause)
    vars(made)["pace"] = float(fault.get("pace", 1.0))
    return made


def pace(problem: Exception) -> float:
    """Say by what the pause before a retry is multiplied."""
    return float(getattr(problem, "pace", 1.0))


def _faults(state: str, given: str) -> list[dict[str, Any]]:
    named = os.environ.get(SETTING)
    if not named:
        return []
    try:
        listed: list[dict[str, Any]] = json.loads(Path(named).read_text())
    except FileNotFoundError:
        return []
    return [
        fault
        for fault in listed
        if fault["state"] == state and ("model" not in fault or _is_of(given, fault["model"]))
    ]


def _is_of(given: str, model: str) -> bool:
    """Tell whether an execution's input is a drop of a model, or a check of it."""
    return f'"{model}/' in given or json.loads(given or "{}").get("model") == model


def _one_more(fault: dict[str, Any]) -> bool:
    key = json.dumps(fault, sort_keys=True)
    with _lock:
        _used[key] = _used.get(key, 0) + 1
        return _used[key] <= int(fault.get("times", 1))


def _crash() -> None:
    os.kill(os.getpid(), signal.SIGKILL)
