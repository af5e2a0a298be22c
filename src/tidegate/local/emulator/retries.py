"""Retry and Catch as AWS reads them: bounded, jittered delays, and failures that no wildcard catches."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from tidegate.local.emulator import faults
from tidegate.local.emulator.names import step
from tidegate.local.emulator.strands import Strand

# AWS fails the execution at once on these, whatever States.ALL says.
_BEYOND_ALL = frozenset({"States.Runtime", "States.DataLimitExceeded"})

Outcome = tuple[Any, str | None]


def matches(names: list[str], error: str) -> bool:
    """Tell whether an ErrorEquals list covers an error.

    >>> matches(["States.ALL"], "States.Runtime"), matches(["States.TaskFailed"], "BadDrop")
    (False, True)
    """
    if error in names:
        return True
    if "States.ALL" in names:
        return error not in _BEYOND_ALL
    return "States.TaskFailed" in names and error != "States.Timeout" and error not in _BEYOND_ALL


def delay_seconds(retrier: dict[str, Any], retries_so_far: int) -> float:
    """Return how long to wait before the next attempt.

    >>> delay_seconds({"IntervalSeconds": 2, "BackoffRate": 3, "MaxDelaySeconds": 10}, 2)
    10.0
    """
    delay = (
        float(retrier.get("IntervalSeconds", 1)) * float(retrier.get("BackoffRate", 2.0)) ** retries_so_far
    )
    if "MaxDelaySeconds" in retrier:
        delay = min(delay, float(retrier["MaxDelaySeconds"]))
    jittered = retrier.get("JitterStrategy") == "FULL"
    return random.uniform(0.0, delay) if jittered else delay  # nosec B311 # jitter


def attempt(state: dict[str, Any], given: Any, strand: Strand, once: Callable[[], Outcome]) -> Outcome:
    """Run ``once`` under the state's Retry and Catch; return its output and the next state's name."""
    here = strand.context["State"]
    retries: dict[int, int] = {}
    while True:
        strand.scope.check()
        # Each attempt sees its own $states.context.State.RetryCount.
        strand.context["State"] = {**here, "RetryCount": sum(retries.values())}
        try:
            return once()
        except step.Failure as failure:
            strand.note(failure)
            retrier, index = step.retrier(state.get("Retry", []), failure.error, retries)
            if retrier is not None:
                step.sleep(delay_seconds(retrier, retries.get(index, 0)) * faults.pace(failure))
                retries[index] = retries.get(index, 0) + 1
                continue
            catcher = step.catcher(state.get("Catch", []), failure.error)
            if catcher is None:
                raise
            language = step.language(state, strand.context)
            caught = {"Error": failure.error, "Cause": failure.cause}
            output = step.caught(catcher, given, strand.context, language, caught)
            return output, catcher["Next"]
