"""Taking a failed run up again: which runs may be, and what their next attempt builds on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tidegate.core import names
from tidegate.core.algorithms import BUILT_IN
from tidegate.core.errors import TidegateError

# Names of jobs tell ten attempts apart: core/names.py, and `digits` in the machines that start jobs.
MOST_ATTEMPTS = 10


class CannotRetry(TidegateError):
    """A run is not one that another attempt could help."""

    def __init__(self, message: str, remedy: str) -> None:
        super().__init__(message)
        self.remedy = remedy


def next_attempt(record: Mapping[str, Any]) -> int:
    """Number the next attempt at a run; the first one was 0.

    Parameters
    ----------
    record : mapping
        The run's record as it stands, ``result`` read as a document.

    Raises
    ------
    CannotRetry
        With what to do instead.
    """
    run, status, result = record["run"], record.get("status"), record.get("result") or {}
    # Runs of before REFUSED was a status of its own failed with a file set aside.
    if status == "REFUSED" or (status == "FAILED" and result.get("kept_at")):
        raise CannotRetry(
            f"Run {run} refused its file: {record.get('reason') or 'the reason lies beside it'}.",
            f"Mend the file and drop it again; as it was it is kept at {result.get('kept_at')}.",
        )
    if status != "FAILED":
        raise CannotRetry(
            f"Run {run} is {status}; only a failed run is taken up again.", f"`tidegate run {run}` shows it."
        )
    attempt = int(record.get("attempt") or 0) + 1
    if attempt >= MOST_ATTEMPTS:
        raise CannotRetry(f"Run {run} was tried {MOST_ATTEMPTS} times.", _ANEW[kind_of(record)])
    return attempt


def kind_of(record: Mapping[str, Any]) -> str:
    """Tell what kind of run a record is of: train, score or monitor; those of training carry no kind."""
    return str(record.get("kind") or "train")


def done_before(record: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Give the algorithms of a run that came to an end, whose word stands.

    Of a training run those that were approved or rejected; of a scoring run those whose answers are there.
    """
    algorithms: Mapping[str, dict[str, Any]] = (record.get("result") or {}).get("algorithms") or {}
    if kind_of(record) == "score":
        return {name: entry for name, entry in algorithms.items() if entry.get("output")}
    return {name: entry for name, entry in algorithms.items() if entry["status"] in ("SUCCEEDED", "REJECTED")}


def trained_before(record: Mapping[str, Any], prefix: str, jobs: list[str]) -> dict[str, str]:
    """Find for each algorithm the newest of a run's completed training jobs.

    Parameters
    ----------
    record : mapping
        The run's record.
    prefix : str
        The deployment's prefix of SageMaker names.
    jobs : list of str
        Names of completed training jobs, the newest first.
    """
    found: dict[str, str] = {}
    for algorithm in BUILT_IN:
        base = names.job_name(prefix, record["model"], algorithm, record["run"])
        own = [job for job in jobs if job == base or job.startswith(f"{base}-")]
        if own:
            found[algorithm] = own[0]
    return found


def event_again(record: Mapping[str, Any], retry: Mapping[str, Any]) -> dict[str, Any]:
    """Write what starts a run's next attempt: the drop's event, or a check's call, with what it builds on."""
    if kind_of(record) == "monitor":
        return {"model": record["model"], "asked": record["key"], "retry": dict(retry)}
    stored = {"key": record["key"], "etag": record.get("etag") or ""}
    if record.get("version"):
        stored["version-id"] = record["version"]
    if record.get(
        "sequencer"
    ):  # an older content of a file is not served over a newer one by a retry, either
        stored["sequencer"] = record["sequencer"]
    return {"detail": {"bucket": {"name": record["bucket"]}, "object": stored}, "retry": dict(retry)}


_AGAIN = "Drop the file again."
_ANEW = {
    "train": _AGAIN,
    "score": _AGAIN,
    "monitor": "Start another check: it takes up the same predictions.",
}
