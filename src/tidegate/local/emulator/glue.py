"""Glue's job runs as processes, where the emulator only pretends; and Step Functions' way of running them."""

from __future__ import annotations

import contextvars
import json
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from tidegate.local.emulator.names import glue, step

RESOURCE = "arn:aws:states:::glue:startJobRun"
LOOK_SECONDS = 0.1
_OVER = ("SUCCEEDED", "FAILED", "STOPPED", "TIMEOUT")
_MOST_WORDS = 2000

Ended = Callable[[int, str], None]
Run = Callable[[Mapping[str, Any], Mapping[str, str], Ended], Callable[[], Any]]

_stops: dict[str, Callable[[], Any]] = {}


def install(run: Run) -> None:
    """Have runs of jobs start processes.

    Parameters
    ----------
    run
        Starts one: (job, arguments of its script, what to call at its end); gives what stops it.
    """
    stop = glue.batch_stop

    def start_job_run(data: dict[str, Any]) -> Any:
        return _start(run, data)

    def batch_stop(data: dict[str, Any]) -> Any:
        answer = stop(data)
        for name in data.get("JobRunIds", []):
            _end(name)
        return answer

    glue.replace("start_job_run", start_job_run)
    glue.replace("batch_stop", batch_stop)


def start_job_run(resource: str, arguments: dict[str, Any], aborted: Callable[[], bool]) -> dict[str, Any]:
    """Run a job for a state machine and, for ``.sync``, wait for its end and answer with its description."""
    answer = _call(glue.start_job_run, arguments)
    if not resource.endswith(".sync"):
        return answer
    asked = {"JobName": arguments["JobName"], "RunId": answer["JobRunId"]}
    while (found := _described(asked))["JobRunState"] not in _OVER:
        if aborted():
            _call(glue.batch_stop, {"JobName": arguments["JobName"], "JobRunIds": [answer["JobRunId"]]})
        time.sleep(LOOK_SECONDS)
    if found["JobRunState"] != "SUCCEEDED":
        raise step.Failure("States.TaskFailed", json.dumps(found, separators=(",", ":")))
    return found


def _described(asked: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = _call(glue.get_job_run, asked)["JobRun"]
    return found


def _call(operation: Callable[[dict[str, Any]], Any], request: dict[str, Any]) -> dict[str, Any]:
    status, _, body = operation(request)
    document: dict[str, Any] = json.loads(body)
    if status != 200:
        name = document.get("__type", "AWSGlueException")
        raise step.Failure(f"Glue.{name}", document.get("message") or document.get("Message") or "")
    return document


def _start(run: Run, data: dict[str, Any]) -> Any:
    name = data.get("JobName")
    job = glue.jobs.get(name)
    if job is None:
        return glue.error("EntityNotFoundException", f"Job {name} not found", 400)
    runs = glue.runs.setdefault(name, [])
    most = int((job.get("ExecutionProperty") or {}).get("MaxConcurrentRuns", 1))
    if sum(each["JobRunState"] not in _OVER for each in runs) >= most:
        return glue.error("ConcurrentRunsExceededException", f"Concurrent runs exceeded for {name}", 400)
    now, identity = int(time.time()), f"jr_{uuid.uuid4().hex}"
    found: dict[str, Any] = {
        "Id": identity,
        "JobName": name,
        "StartedOn": now,
        "LastModifiedOn": now,
        "JobRunState": "RUNNING",
        "Attempt": 0,
        "Arguments": data.get("Arguments") or {},
        "PredecessorRuns": [],
        **{
            key: job[key] for key in ("GlueVersion", "NumberOfWorkers", "Timeout", "WorkerType") if key in job
        },
    }
    runs.append(found)

    def ended(code: int, words: str) -> None:
        _stops.pop(identity, None)
        if found["JobRunState"] == "RUNNING":
            state, why = ("SUCCEEDED", "") if code == 0 else ("FAILED", words[-_MOST_WORDS:])
            _close(found, state, why)

    arguments = {
        **(job.get("DefaultArguments") or {}),
        "--JOB_NAME": name,
        "--JOB_RUN_ID": identity,
        **found["Arguments"],
    }

    def begin() -> None:
        try:
            _stops[identity] = run(job, arguments, ended)
        except Exception as problem:  # whatever keeps a job from starting is its failure, told to who asks
            _close(found, "FAILED", str(problem))
            return
        clock = threading.Timer(60 * int(job.get("Timeout") or 2880), _time_out, (found,))
        clock.daemon = True
        clock.start()

    # The emulator knows by its context whose account a request is about.
    threading.Thread(target=contextvars.copy_context().run, args=(begin,), daemon=True).start()
    return glue.answer({"JobRunId": identity})


def _time_out(found: dict[str, Any]) -> None:
    if found["JobRunState"] == "RUNNING":
        _close(found, "TIMEOUT", f"The job ran longer than the {found.get('Timeout', 2880)} minutes it may.")
        _end(found["Id"])


def _end(identity: str) -> None:
    if stop := _stops.pop(identity, None):
        threading.Thread(target=stop, daemon=True).start()


def _close(found: dict[str, Any], state: str, why: str) -> None:
    now = int(time.time())
    found.update(CompletedOn=now, LastModifiedOn=now, ExecutionTime=now - found["StartedOn"])
    if why:
        found["ErrorMessage"] = why
    found["JobRunState"] = state
