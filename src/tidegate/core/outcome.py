"""How a training run ends: the machine's raw results completed with a status and reasons in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tidegate.core.messages import explain, sum_up_reason


def finish_training(raw: Mapping[str, Any]) -> dict[str, Any]:
    """Complete the outcome of a training run.

    Parameters
    ----------
    raw : mapping
        ``run``, ``model``, ``key``, ``algorithms`` (a list, each with ``algorithm`` and ``status``;
        failed ones with ``state``, ``error`` and ``cause``), and, where the run failed outside an
        algorithm, ``failure`` with those three.

    Returns
    -------
    dict
        The same with ``status`` (FAILED if anything failed, SUCCEEDED if any algorithm serves, otherwise
        REJECTED), ``reason``, and ``algorithms`` keyed by name, each with a ``reason``.
    """
    algorithms = {entry["algorithm"]: _finish_algorithm(entry) for entry in raw.get("algorithms") or []}
    failure = raw.get("failure")
    statuses = {entry["status"] for entry in algorithms.values()}
    if failure or "FAILED" in statuses or not statuses:
        status = "FAILED"
    else:
        status = "SUCCEEDED" if "SUCCEEDED" in statuses else "REJECTED"
    return {
        "run": raw["run"],
        "model": raw["model"],
        "key": raw["key"],
        "status": status,
        "reason": _failed_in(failure) if failure else sum_up_reason(algorithms),
        "algorithms": algorithms,
    }


def _finish_algorithm(entry: Mapping[str, Any]) -> dict[str, Any]:
    finished = {key: value for key, value in entry.items() if key not in ("error", "cause", "algorithm")}
    if entry["status"] == "FAILED":
        finished["reason"] = _failed_in(entry)
    metrics = (entry.get("evaluation") or {}).get("candidate") or {}
    for name in ("rmse", "mae", "r2"):
        if name in metrics:
            finished[name] = metrics[name]["value"]
    return finished


def _failed_in(failure: Mapping[str, Any]) -> str:
    why = explain(str(failure.get("error", "")), str(failure.get("cause", "")))
    return f"in the state '{failure.get('state', 'unknown')}': {why}"
