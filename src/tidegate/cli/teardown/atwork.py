"""Which runs are at work: nothing is taken from under them."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tidegate.cli.errors import Trouble
from tidegate.cli.options import Session
from tidegate.cli.stack import MACHINES, Stack
from tidegate.cli.watch import pause
from tidegate.core import names


@dataclass(frozen=True)
class AtWork:
    """An execution that has not ended, with what it works for."""

    kind: str
    model: str
    execution: str

    def __str__(self) -> str:
        what = {"train": "a training", "score": "a scoring", "monitor": "a check"}[self.kind]
        return f"{what} of {self.model} ({self.execution.rpartition(':')[2]})"


def at_work(stack: Stack, model: str | None = None) -> list[AtWork]:
    """List the executions at work, of one model or of all: by themselves, as a record is written later."""
    return [each for each in _every(stack) if model in (None, each.model)]


def _every(stack: Stack) -> Iterator[AtWork]:
    client = stack.client("stepfunctions")
    for kind, output in MACHINES.items():
        pages = client.get_paginator("list_executions")
        for page in pages.paginate(stateMachineArn=stack.output(output), statusFilter="RUNNING"):
            for each in page["executions"]:
                described = client.describe_execution(executionArn=each["executionArn"])
                yield AtWork(kind, _model_of(described), str(each["executionArn"]))


def _model_of(described: dict[str, Any]) -> str:
    try:
        given = json.loads(described.get("input") or "{}")
        if "model" in given:
            return str(given["model"])
        return names.model_of_key(str(given["detail"]["object"]["key"]))
    except (ValueError, TypeError, KeyError):  # started by hand with something else: it works for no model
        return ""


def none_at_work(session: Session, model: str | None, wait: bool) -> None:
    """See to it that nothing is at work: wait for it, or refuse to go on.

    Raises
    ------
    Trouble
        Something is at work, and nobody asked to wait for it.
    """
    stack, told = session.stack, ""
    while found := at_work(stack, model):
        said = " and ".join(map(str, found[:3])) + (f" and {len(found) - 3} more" if len(found) > 3 else "")
        if not wait:
            raise Trouble(
                f"{said[:1].upper()}{said[1:]} {'is' if len(found) == 1 else 'are'} at work.",
                "Nothing was removed. Wait for the end with --wait, or stop it: "
                f"aws stepfunctions stop-execution --execution-arn {found[0].execution}",
            )
        if said != told:
            session.output.note(f"waiting for {said}")
        told = said
        time.sleep(pause(stack))
