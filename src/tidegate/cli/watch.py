"""Following an execution: asks for new events, keeps the view, and shows it as a tree or as plain lines."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from tidegate.cli.errors import Trouble
from tidegate.cli.history import read_history
from tidegate.cli.output import Output
from tidegate.cli.progress import FAILED, RUNNING, STOPPED, SUCCEEDED, View
from tidegate.cli.records import ENDED, Record, run_or_none
from tidegate.cli.stack import Stack

NEAR_SECONDS, FAR_SECONDS = 0.25, 2.0
START_SECONDS = 60.0
RECORD_SECONDS = 15.0
PAGE_EVENTS = 200
_STATUS = {"SUCCEEDED": SUCCEEDED, "ABORTED": STOPPED}


class Execution:
    """One execution of a state machine; keeps the events it has seen.

    Parameters
    ----------
    stack : Stack
        Where it runs.
    arn : str
        Which one.
    """

    def __init__(self, stack: Stack, arn: str) -> None:
        self.client = stack.client("stepfunctions")
        self.arn = arn
        self.events: list[dict[str, Any]] = []

    def look(self) -> View:
        """Read what is new and give the whole view."""
        seen = self.events[-1]["id"] if self.events else 0
        self.events += reversed(list(self._newer(seen)))
        return read_history(self.events)

    def _newer(self, seen: int) -> Iterator[dict[str, Any]]:
        # Newest first, so that a long history is not read again each time.
        pages = self.client.get_paginator("get_execution_history").paginate(
            executionArn=self.arn,
            reverseOrder=True,
            includeExecutionData=True,
            PaginationConfig={"PageSize": PAGE_EVENTS},
        )
        for page in pages:
            for event in page["events"]:
                if event["id"] <= seen:
                    return
                yield event


def read_events(stack: Stack, record: Record) -> list[dict[str, Any]]:
    """Read the history of a run, or nothing where Step Functions, after 90 days, keeps it no more."""
    from botocore.exceptions import ClientError

    if not record.get("execution"):
        return []
    execution = Execution(stack, record["execution"])
    try:
        execution.look()
    except ClientError as error:
        if error.response["Error"].get("Code") != "ExecutionDoesNotExist":
            raise
    return execution.events


def pause(stack: Stack) -> float:
    """Tell how long to wait between two looks: AWS limits how often it may be asked."""
    return NEAR_SECONDS if stack.place.is_near else FAR_SECONDS


def wait_for_claim(stack: Stack, run: str) -> Record:
    """Wait until the machine has claimed a run.

    Raises
    ------
    Trouble
        When nothing has started within a minute.
    """
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        record = run_or_none(stack, run)
        if record is not None:
            return record
        time.sleep(pause(stack))
    raise Trouble(
        f"The file is in the bucket, but run {run} has not started within {START_SECONDS:.0f} seconds.",
        "Look into `tidegate inbox` for a refusal, then check the machines' rules in EventBridge.",
    )


def follow(stack: Stack, output: Output, record: Record) -> tuple[Record, View]:
    """Show a run until it has ended.

    Returns
    -------
    tuple of dict and View
        The final record, and the last view of its execution.
    """
    if not record.get("execution"):  # the claim itself failed, and only the end was written down
        return record, View(status=FAILED)
    execution = Execution(stack, record["execution"])
    with _shown(output) as show:
        view = execution.look()
        show(view)
        while view.status == RUNNING:
            time.sleep(pause(stack))
            view = execution.look()
            show(view)
    return _final(stack, record, view), view


def settled(stack: Stack, record: Record) -> Record:
    """Give the record as it stands: one that says RUNNING after its execution ended is a failed run's."""
    if record.get("status") in ENDED or not record.get("execution"):
        return record
    answer = stack.client("stepfunctions").describe_execution(executionArn=record["execution"])
    if answer["status"] == "RUNNING":
        return record
    view = View(status=_STATUS.get(answer["status"], FAILED), error=answer.get("error", ""))
    view.cause = answer.get("cause", "")
    return _final(stack, record, view)


def _final(stack: Stack, record: Record, view: View) -> Record:
    """Read the record once more; a run that was stopped from outside never wrote its end."""
    end = time.monotonic() + (RECORD_SECONDS if view.status == SUCCEEDED else min(1.0, RECORD_SECONDS))
    latest = run_or_none(stack, record["run"]) or record
    while latest.get("status") not in ENDED and time.monotonic() < end:
        time.sleep(NEAR_SECONDS)
        latest = run_or_none(stack, record["run"]) or record
    if latest.get("status") in ENDED:
        return latest
    from tidegate.core.messages import explain

    reason = explain(view.error or view.status, view.cause or f"the execution ended as {view.status}")
    return {**latest, "status": "FAILED", "reason": str(reason)}


@contextmanager
def _shown(output: Output) -> Iterator[Callable[[View], None]]:
    """Give a function that shows a view: a live tree on a terminal, one line a change otherwise."""
    from tidegate.cli import render

    if not output.err.is_terminal:
        printed: set[str] = set()

        def say(view: View) -> None:
            for line in render.lines(view):
                if line not in printed:
                    printed.add(line)
                    output.note(line)

        yield say
        return
    from rich.live import Live

    live_tree = render.LiveTree()
    with Live(live_tree, console=output.err, refresh_per_second=10, vertical_overflow="visible"):
        yield live_tree.show
