"""The records of jobs: their states, the story of a training job, the reasons of failures, and the events."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable
from typing import Any

from tidegate.local.sagemaker import wire
from tidegate.local.sagemaker.context import Context
from tidegate.local.sagemaker.errors import (
    ResourceInUse,
    ResourceNotFound,
    SageMakerError,
    ValidationException,
)
from tidegate.local.sagemaker.jobs.lifecycle import TRAINING, TUNING, Cause, Kind, room_of
from tidegate.local.sagemaker.paging import list_page, pick
from tidegate.local.sagemaker.store import AlreadyExists, now

log = logging.getLogger(__name__)

Record = dict[str, Any]

IN_PROGRESS, STOPPING = "InProgress", "Stopping"
COMPLETED, FAILED, STOPPED = "Completed", "Failed", "Stopped"
UNFINISHED = (IN_PROGRESS, STOPPING)

CLIENT, ALGORITHM, INTERNAL = "ClientError", "AlgorithmError", "InternalServerError"
CLOUD_STOPPED = (
    f"{INTERNAL}: the local cloud stopped while the job was running. "
    "Nothing of its result was kept; create the job again under another name."
)
LONGEST_REASON = 1024
_ROOM_SECONDS = 0.5


class JobFailed(Exception):
    """The job's work ended badly.

    Parameters
    ----------
    whose
        ``ClientError``, ``AlgorithmError`` or ``InternalServerError``, as AWS tells whose fault it is.
    message
        What went wrong and what to do about it.
    """

    def __init__(self, whose: str, message: str) -> None:
        super().__init__(f"{whose}: {message}"[:LONGEST_REASON])


def create(ctx: Context, kind: Kind, record: Record) -> None:
    """Keep the record of a new job and tell of it; raise ResourceInUse when its name is taken."""
    name = record[kind.name_key]
    try:
        ctx.store.create(kind.kind, name, record)
    except AlreadyExists as error:
        raise ResourceInUse(
            f"{kind.title} job names must be unique within an AWS account and region, and a "
            f"{kind.title.lower()} job called {name} exists already ({ctx.arn(kind.kind, name)}). "
            "Choose another name."
        ) from error
    tell(ctx, kind, record)


def describe(ctx: Context, kind: Kind, name: str) -> Record:
    """Return a job's record, or raise the error that AWS gives for an unknown name."""
    record = ctx.store.get(kind.kind, name)
    if record is None:
        raise _unknown(kind, name)
    return record


def _unknown(kind: Kind, name: str) -> SageMakerError:
    """Return AWS's answer, which differs from kind to kind.

    AWS's own controllers tell them by these codes and beginnings (github.com/aws-controllers-k8s/
    sagemaker-controller, generator.yaml; github.com/aws/aws-sdk/issues/165).
    """
    if kind is TUNING:
        return ResourceNotFound(f"Amazon SageMaker can't find a tuning job called {name}.")
    if kind is TRAINING:
        return ValidationException("Requested resource not found.")
    return ValidationException(f"Could not find requested job with name: {name}")


def list_jobs(ctx: Context, kind: Kind, request: Record, *more: str) -> Record:
    """Answer a List request; `more` names further members of a summary."""
    keys = (kind.name_key, kind.arn_key, "CreationTime", kind.end_key, "LastModifiedTime")
    return list_page(
        ctx.store.list(kind.kind),
        request,
        answer=f"{kind.word}Summaries",
        name=kind.name_key,
        status=kind.status_key,
        summarize=pick(*keys, kind.status_key, *more),
    )


def stop(ctx: Context, kind: Kind, name: str, change: Callable[[Record], Record] = lambda r: r) -> Record:
    """Ask a job to stop: its record says Stopping, its thread does the rest.

    Stopping a job that is stopping already changes nothing; one that has ended is refused, as by AWS.
    """
    describe(ctx, kind, name)
    asked = False

    def stopping(record: Record) -> Record:
        nonlocal asked
        status = record[kind.status_key]
        if status not in UNFINISHED:
            raise ValidationException(
                f"The request was rejected because the {kind.title.lower()} job is in status {status}: "
                "only a job that is in progress can be stopped."
            )
        asked = status == IN_PROGRESS
        return change({**record, kind.status_key: STOPPING}) if asked else record

    record = ctx.store.change(kind.kind, name, stopping)
    if asked:
        tell(ctx, kind, record)
        room_of(ctx).interrupt(kind.kind, name, Cause.ASKED)
    return {}


def update(ctx: Context, kind: Kind, name: str, change: Callable[[Record], Record]) -> Record:
    """Change a record and tell of it when that changed its state."""
    before = ctx.store.get(kind.kind, name)
    record = _change_when_there_is_room(ctx, kind, name, change)
    states = (kind.status_key, "SecondaryStatus")
    if before is None or any(before.get(key) != record.get(key) for key in states):
        tell(ctx, kind, record)
    return record


def _change_when_there_is_room(
    ctx: Context, kind: Kind, name: str, change: Callable[[Record], Record]
) -> Record:
    """Change a record; on a full disk wait until it can be: else a job that has ended would run for ever."""
    told = False
    while True:
        try:
            return ctx.store.change(kind.kind, name, change)
        except sqlite3.OperationalError as problem:
            if ctx.closing.wait(_ROOM_SECONDS):
                raise
            if not told:
                log.error("%s %s waits, as its state cannot be written: %s", kind.kind, name, problem)
            told = True


def tell(ctx: Context, kind: Kind, record: Record) -> None:
    """Put the state-change event on the bus: the Describe answer, its times in epoch milliseconds."""
    detail = wire.shape_answer(f"Describe{kind.word}", record, wire.epoch_milliseconds)
    detail["Tags"] = {tag["Key"]: tag["Value"] for tag in record.get("Tags", [])}
    try:
        ctx.emit(kind.event, detail, [record[kind.arn_key]])
    except Exception:
        # The job goes on: its state can still be read, and nobody but the listener of the event misses it.
        log.exception("the event of %s %s could not be sent", kind.kind, record[kind.name_key])


def final_status(record: Record, kind: Kind, wanted: str) -> str:
    """Return the state that a job ends in: one that was asked to stop is stopped, even if it got done."""
    return STOPPED if record[kind.status_key] == STOPPING and wanted == COMPLETED else wanted


def transition(record: Record, status: str, message: str) -> Record:
    """Return a training job's record in its next secondary status, the one before closed."""
    time = now()
    story = [dict(step) for step in record.get("SecondaryStatusTransitions", [])]
    if story and "EndTime" not in story[-1]:
        story[-1]["EndTime"] = time
    step = {"Status": status, "StartTime": time, "StatusMessage": message}
    if status in (COMPLETED, FAILED, STOPPED, "MaxRuntimeExceeded", "MaxWaitTimeExceeded"):
        step["EndTime"] = time
    return {**record, "SecondaryStatus": status, "SecondaryStatusTransitions": [*story, step]}
