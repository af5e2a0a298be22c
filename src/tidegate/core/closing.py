"""What becomes of a run whose execution ended without writing so: stopped, out of time, cut off by a crash.

Also the line in which a model's training runs stand (`statemachines/train.asl.yaml` writes it).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tidegate.core import names
from tidegate.core.messages import Failure, explain

TICKET = "ticket "
# With this error a newer run stops an older one (statemachines/train.asl.yaml, "Stop the older run").
SUPERSEDED = "Superseded"
_RETRY = "`tidegate retry {run}` takes it up again."


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

    @property
    def trains(self) -> bool:
        """Whether it is a file to learn from; otherwise one to score."""
        return self.key.split("/")[1] == "train"


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
        attempt = int(event.get("retry", {}).get("attempt", 0))
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    if key.endswith("/") or key.count("/") < 2:
        return None
    run = names.run_id(bucket, key, version or etag)
    return Drop(run, names.model_of_key(key), bucket, key, version, etag, attempt)


def ticket_of(line: Mapping[str, Any] | None, execution: str) -> str | None:
    """Find an execution's place in the line of its model; `line` is the item as DynamoDB types it."""
    found = [
        name
        for name, value in (line or {}).items()
        if name.startswith(TICKET) and value.get("S") == execution
    ]
    return found[0] if found else None


def ending(detail: Mapping[str, Any], drop: Drop) -> tuple[str, Failure]:
    """Say how such a run ended: its status, and why in words.

    Parameters
    ----------
    detail : mapping
        Of the event `Step Functions Execution Status Change`: ``status``, ``error``, ``cause``.
    drop : Drop
        What started the run.
    """
    retry = _RETRY.format(run=drop.run)
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
