"""What an estimate of costs assumes; apart from the estimate, so that `--help` need not read all of that."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


def _assumed(default: float, says: str) -> Any:
    return field(default=default, metadata={"help": says})


@dataclass(frozen=True)
class Assumptions:
    """What nobody can read off a model file; each with the words in which people are asked for it."""

    training_minutes: float = _assumed(5, "A training job is billed.")
    scoring_minutes: float = _assumed(5, "A batch transform job is billed.")
    endpoint_minutes: float = _assumed(5, "An endpoint takes to come into service.")
    function_seconds: float = _assumed(10, "A function that computes on rows runs.")
    requests: int = _assumed(100_000, "Requests to the API a month.")
    request_milliseconds: float = _assumed(50, "A request takes.")
    log_kilobytes: float = _assumed(2, "Logs that a request writes.")
    training_runs: int = _assumed(4, "Training runs a month.")
    scoring_runs: int = _assumed(30, "Scoring runs a month.")
    storage_gigabytes: float = _assumed(10, "What lies in the buckets.")
