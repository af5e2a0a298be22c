"""What becomes of a run whose execution ended without writing so: stopped, out of time, cut off by a crash.

Also the line in which a model's training runs stand (`statemachines/train.asl.yaml` writes it).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from tidegate.core import names
from tidegate.core.line import padded
from tidegate.core.messages import Failure, explain

TICKET = "ticket "
# With this error a newer run stops an older one (statemachines/train.asl.yaml, "Stop the older run").
SUPERSEDED = "Superseded"
_NEXT = "The next check takes its predictions up."
_RETRY = "`tidegate retry {run}` takes it up again."


@dataclass(frozen=True)
class Check:
    """A check of a model, scheduled or asked for, and the run that it is."""

    run: str
    model: str
    key: str  # the time it was scheduled for, or what asked for it
    attempt: int = 0
    trains: bool = False

    @property
    def facts(self) -> dict[str, str]:
        """What the run's record says of it."""
        return {"kind": "monitor", "model": self.model, "key": self.key}


@dataclass(frozen=True)
class Drop:
    """The drop that started an execution, and the run that it is."""

    run: str
    model: str
    bucket: str
    key: str
    version: str
    etag: str
    attempt: int
    sequencer: str = ""

    @property
    def trains(self) -> bool:
        """Whether it is a file to learn from; otherwise one to score."""
        return self.key.split("/")[1] == "train"

    @property
    def is_truth(self) -> bool:
        """Whether it is ground truth, which starts a check where a retraining is wanted."""
        return self.key.split("/")[1] == "truth"

    @property
    def facts(self) -> dict[str, str]:
        """What the run's record says of it."""
        return {
            "model": self.model,
            "bucket": self.bucket,
            "key": self.key,
            "version": self.version,
            "etag": self.etag,
            "sequencer": self.sequencer,
            **({} if self.trains else {"kind": "score"}),
        }


def started_by(detail: Mapping[str, Any]) -> Drop | Check | None:
    """Read what started an execution: a drop, or the schedule of a model's checks.

    Parameters
    ----------
    detail : mapping
        Of the event `Step Functions Execution Status Change`: ``input`` as JSON, ``startDate`` in ms.
    """
    drop = drop_of(detail.get("input"))
    if drop is not None and drop.is_truth:
        asked = names.asked_by_truth(drop.key, drop.version or drop.etag)
        return Check(names.monitor_run_id(drop.model, asked), drop.model, asked)
    return drop or _check_of(detail)


def _check_of(detail: Mapping[str, Any]) -> Check | None:
    """Read which check an execution is; the monitor machine names its run in the same way."""
    try:
        given = json.loads(detail.get("input") or "")
        model, asked = given["model"], given.get("asked")
        begun = datetime.fromtimestamp(detail["startDate"] / 1000, UTC)
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    if not isinstance(model, str):
        return None
    if not isinstance(asked, str) or "<" in asked:
        asked = begun.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return Check(names.monitor_run_id(model, asked), model, asked)


def drop_of(given: str | None) -> Drop | None:
    """Read which drop started an execution.

    Parameters
    ----------
    given : str or None
        The execution's input as JSON; None where the event about its end leaves it out for its size.

    Returns
    -------
    Drop or None
        None where no drop started it, or none that is a run: a folder marker, a check on a schedule.
    """
    try:
        event = json.loads(given or "")
        stored = event["detail"]["object"]
        bucket, key = str(event["detail"]["bucket"]["name"]), str(stored["key"])
        version, etag = str(stored.get("version-id") or ""), str(stored["etag"])
        sequencer = padded(stored.get("sequencer"))
        attempt = int(event.get("retry", {}).get("attempt", 0))
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    if key.endswith("/") or key.count("/") < 2:
        return None
    run = names.run_id(bucket, key, version or etag)
    return Drop(run, names.model_of_key(key), bucket, key, version, etag, attempt, sequencer)


def ticket_of(line: Mapping[str, Any] | None, execution: str) -> str | None:
    """Find an execution's place in the line of its model; `line` is the item as DynamoDB types it."""
    found = [
        name
        for name, value in (line or {}).items()
        if name.startswith(TICKET) and value.get("S") == execution
    ]
    return found[0] if found else None


def ending(detail: Mapping[str, Any], drop: Drop | Check) -> tuple[str, Failure]:
    """Say how such a run ended: its status, and why in words.

    Parameters
    ----------
    detail : mapping
        Of the event `Step Functions Execution Status Change`: ``status``, ``error``, ``cause``.
    drop : Drop or Check
        What started the run.
    """
    retry = _NEXT if isinstance(drop, Check) else _RETRY.format(run=drop.run)
    error, cause = str(detail.get("error") or ""), str(detail.get("cause") or "")
    if detail["status"] == "ABORTED" and error == SUPERSEDED:
        return "SUPERSEDED", Failure("A newer drop of the model came while this run was on.", "")
    if detail["status"] == "TIMED_OUT":
        return "FAILED", Failure("The run took longer than its state machine allows.", retry)
    if detail["status"] == "ABORTED":
        said = f" ({cause or error})" if cause or error else ""
        return "FAILED", Failure(f"The run was stopped from outside{said}.", retry)
    if error == "States.ServiceRestart":
        return "FAILED", Failure("The local cloud ended while the run was on.", retry)
    return "FAILED", Failure(str(explain(error, cause)), retry)
