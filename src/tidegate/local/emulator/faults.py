"""Faults on purpose: a task that fails, or a crash of the whole local cloud, at a state of one's choice.

`TIDEGATE_FAULTS` names a JSON file with a list of faults; it is read anew at each state, so that a suite can
change it while a local cloud runs. Without the variable nothing here does anything.

A fault has ``state`` and, to touch only one model's runs, ``model``; then either ``error`` and ``cause`` for
its task (``times`` says how often, once by default), or ``kill``: ``entered`` ends this process when the
state is entered, ``called`` when its task has done its work but nobody knows yet.
"""

from __future__ import annotations

import json
import os
import signal
import threading
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


def called(state: str, given: str) -> None:
    """Crash here, after the work of a task, if a fault says so."""
    for fault in _faults(state, given):
        if fault.get("kill") == "called":
            _crash()


def before_call(state: str, given: str) -> None:
    """Fail a task in the place of its work, if a fault says so."""
    for fault in _faults(state, given):
        if "error" in fault and _one_more(fault):
            raise step.Failure(fault["error"], fault.get("cause", "a fault on purpose"))


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
        if fault["state"] == state and ("model" not in fault or f'"{fault["model"]}/' in given)
    ]


def _one_more(fault: dict[str, Any]) -> bool:
    key = json.dumps(fault, sort_keys=True)
    with _lock:
        _used[key] = _used.get(key, 0) + 1
        return _used[key] <= int(fault.get("times", 1))


def _crash() -> None:
    os.kill(os.getpid(), signal.SIGKILL)
