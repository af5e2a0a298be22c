"""What an estimate of costs assumes; apart from the estimate, so that `--help` need not read all of that."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Assumptions:
    """What nobody can read off a model file.

    Attributes
    ----------
    training_minutes, scoring_minutes : float
        How long a training job, and a batch transform job, is billed.
    endpoint_minutes : float
        How long an endpoint takes to come into service.
    function_seconds : float
        How long a function that computes on rows runs.
    requests : int
        Requests to the API a month; each takes the predict function `request_milliseconds` and writes
        `log_kilobytes` of logs.
    training_runs, scoring_runs : int
        Runs a month.
    storage_gigabytes : float
        What lies in the buckets.
    """

    training_minutes: float = 5
    scoring_minutes: float = 5
    endpoint_minutes: float = 5
    function_seconds: float = 10
    requests: int = 100_000
    request_milliseconds: float = 50
    log_kilobytes: float = 2
    training_runs: int = 4
    scoring_runs: int = 30
    storage_gigabytes: float = 10
