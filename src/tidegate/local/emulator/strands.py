"""A strand is one line of control through a state machine; each event it writes follows its own last."""

from __future__ import annotations

import copy
import json
import threading
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from tidegate.local.emulator import journal
from tidegate.local.emulator.names import answers, step
from tidegate.local.emulator.scopes import Scope, Stopped

# Ids are positions in the history, so that only one strand at a time may take the next.
history_lock = threading.RLock()


@dataclass
class Strand:
    """The main flow of an execution, a branch of a Parallel state or an iteration of a Map.

    Parameters
    ----------
    execution
        The emulator's record of the execution.
    context
        The context object: ``$states.context``, with the variables that this strand sees.
    scope
        What calls the strand off.
    last_event
        The id of the strand's latest event; the next one names it as ``previousEventId``.
    """

    execution: dict[str, Any]
    context: dict[str, Any]
    scope: Scope
    last_event: int = 0

    def add(self, event: str, details: dict[str, Any] | None = None, key: str | None = None) -> int:
        """Write an event to the history and return its id; a strand that was called off writes no more.

        ``details`` go under ``key``, by default the event's name with ``EventDetails`` added, as on AWS.
        """
        with history_lock:
            self.scope.check()
            if self.execution["status"] != "RUNNING":
                raise Stopped
            self.last_event = append(self.execution, event, details, key, previous=self.last_event)
        return self.last_event

    def note(self, failure: Any) -> None:
        """Write an expression's failure to the history, once, however many states it passes through."""
        if failure.error == "States.QueryEvaluationError" and not getattr(failure, "noted", False):
            failure.noted = True
            state = self.context["State"]["Name"]
            self.add("EvaluationFailed", {"error": failure.error, "cause": failure.cause, "state": state})

    def fork(self, scope: Scope) -> Strand:
        """Return a strand that starts here with variables and context of its own."""
        return Strand(self.execution, copy.deepcopy(self.context), scope, self.last_event)

    @property
    def role(self) -> str:
        """The execution role of the state machine."""
        return str(self.context["Execution"]["RoleArn"])


# The strand whose task or wait this thread is running, for what the emulator calls without naming it.
current: ContextVar[Strand | None] = ContextVar("tidegate_strand", default=None)


def append(
    execution: dict[str, Any],
    event: str,
    details: dict[str, Any] | None = None,
    key: str | None = None,
    previous: int | None = None,
    **fields: Any,
) -> int:
    """Add an event to an execution's history; without ``previous`` it follows the latest one."""
    with history_lock:
        events = execution["events"]
        record: dict[str, Any] = {
            "id": len(events) + 1,
            "previousEventId": len(events) if previous is None else previous,
            "type": event,
            "timestamp": answers.now(),
            **fields,
        }
        if details is not None:
            record[key or f"{event[0].lower()}{event[1:]}EventDetails"] = details
        events.append(record)
        journal.note(journal.EVENT, execution["executionArn"], record)
        return int(record["id"])


def note_start(execution: dict[str, Any]) -> None:
    """Write down that an execution is there, before it does anything."""
    with history_lock:
        journal.note(journal.START, execution["executionArn"], execution)


def note_end(execution: dict[str, Any]) -> None:
    """Write down how an execution ended."""
    facts = {key: execution.get(key) for key in ("status", "stopDate", "output", "error", "cause")}
    journal.note(journal.END, execution["executionArn"], facts)


def finish(execution: dict[str, Any], status: str, event: str, **facts: Any) -> bool:
    """End an execution, once: the first to end it decides how; return whether that was us.

    ``facts`` are ``error`` and ``cause``, or ``output``.
    """
    with history_lock:
        if execution["status"] != "RUNNING":
            return False
        execution.update(facts)
        execution["stopDate"] = answers.now()
        append(execution, event, {k: v for k, v in facts.items() if v is not None})
        if "error" in facts:
            # StartSyncExecution and nested executions read the failure from the output.
            execution["output"] = json.dumps({"Error": facts["error"], "Cause": facts.get("cause")})
        execution["status"] = status
        note_end(execution)
    step.announce(execution)
    return True
