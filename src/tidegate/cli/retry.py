"""`tidegate retry`: takes a failed run up where it failed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from tidegate.cli.exit_codes import OF_STATUS, WELL
from tidegate.cli.options import Session
from tidegate.cli.records import Record, find_run, result_of
from tidegate.cli.render import summary
from tidegate.cli.stack import MACHINES, Stack
from tidegate.cli.watch import follow, settled
from tidegate.core.attempts import done_before, event_again, kind_of, next_attempt, trained_before


def retry(session: Session, run_id: str, wait: bool) -> int:
    """Start the next attempt at a run, and show it when asked to wait."""
    stack = session.stack
    record = settled(stack, find_run(stack, run_id))
    execution, built_on = start_again(stack, record)
    run = record["run"]
    session.output.note(f"run {run} of {record['model']} is taken up again{_kept(built_on)}")
    if not wait:
        document = {"run": run, "status": "SUBMITTED", "execution": execution, "kept": built_on}
        session.output.answer(document, f"Follow it with `tidegate run {run}`.")
        return 0
    ended, _ = follow(stack, session.output, {**record, "status": "RUNNING", "execution": execution})
    result = result_of(ended)
    session.output.answer(result, summary(result, str(record["model"]), ended))
    return OF_STATUS.get(result["status"], WELL)


def start_again(stack: Stack, record: Record) -> tuple[str, dict[str, list[str]]]:
    """Start the next attempt at a run; gives its execution, and which algorithms need not be trained again.

    Raises
    ------
    CannotRetry
        The run is not one that another attempt could help.
    """
    kind = kind_of(record)
    # Whose place it takes: two who retry at once start one attempt.
    place: dict[str, Any] = {"attempt": next_attempt(record), "of": record.get("execution") or "none"}
    # A check's windows are its own until they are kept: it needs nothing else to go on with them.
    done = {} if kind == "monitor" else done_before(record)
    trained = _trained(stack, record, done) if kind == "train" else {}
    found: dict[str, dict[str, Any]] = {
        "train": {"done": done, "trained": trained},
        "score": {"done": done, "spec_sha256": record.get("spec_sha256") or ""},
        "monitor": {},
    }
    building_on = {**place, **found[kind]}
    started = stack.client("stepfunctions").start_execution(
        stateMachineArn=stack.output(MACHINES[kind]), input=json.dumps(event_again(record, building_on))
    )
    return str(started["executionArn"]), {"done": sorted(done), "trained": sorted(trained)}


def _trained(stack: Stack, record: Record, done: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """Give the algorithms that are trained and not done, each with its job and what that made."""
    jobs = trained_before(record, stack.output("NamePrefix"), _completed_jobs(stack, record["run"]))
    return {
        algorithm: {"job": job, "artifact": _artifact(stack, job)}
        for algorithm, job in jobs.items()
        if algorithm not in done
    }


def _completed_jobs(stack: Stack, run: str) -> list[str]:
    pages = stack.client("sagemaker").get_paginator("list_training_jobs")
    asked = pages.paginate(
        NameContains=run, StatusEquals="Completed", SortBy="CreationTime", SortOrder="Descending"
    )
    return [each["TrainingJobName"] for page in asked for each in page["TrainingJobSummaries"]]


def _artifact(stack: Stack, job: str) -> str:
    described = stack.client("sagemaker").describe_training_job(TrainingJobName=job)
    return str(described["ModelArtifacts"]["S3ModelArtifacts"])


def _kept(built_on: dict[str, Any]) -> str:
    parts = [f"{name} is done" for name in built_on["done"]]
    parts += [f"{name} is trained" for name in built_on["trained"]]
    return f": {' and '.join(parts)} already" if parts else ""
