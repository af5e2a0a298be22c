"""How a run ends: the machine's raw results completed with a status and reasons in words."""

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
        algorithm, ``failure`` with those three; ``superseded`` where it gave way before it trained, and
        ``overtaken_by`` where that was to the run of newer content of the same file.

    Returns
    -------
    dict
        The same with ``status`` (FAILED if anything failed, SUCCEEDED if any algorithm serves, SUPERSEDED if
        any gave way to a newer run, otherwise REJECTED), ``reason``, and ``algorithms`` keyed by name, each
        with a ``reason``, and ``tuned`` (job, best, jobs, hyperparameters) where a tuning job came first.
    """
    algorithms = {entry["algorithm"]: _finish_algorithm(entry) for entry in raw.get("algorithms") or []}
    failure = raw.get("failure")
    statuses = {entry["status"] for entry in algorithms.values()}
    if raw.get("superseded"):
        status, reason = "SUPERSEDED", _gave_way(raw)
    elif failure or "FAILED" in statuses or not statuses:
        status, reason = "FAILED", _failed_in(failure) if failure else sum_up_reason(algorithms)
    else:
        status = next(each for each in ("SUCCEEDED", "SUPERSEDED", "REJECTED") if each in statuses)
        reason = sum_up_reason(algorithms)
    return {
        "run": raw["run"],
        "model": raw["model"],
        "key": raw["key"],
        "status": status,
        "reason": reason,
        "algorithms": algorithms,
    }


def _gave_way(raw: Mapping[str, Any]) -> str:
    if by := raw.get("overtaken_by"):
        return (
            f"newer content of {raw['key']} began to serve before this one had its turn (run {by}); "
            "to serve this one all the same, drop it again"
        )
    return "a newer drop of the model came before this one was trained"


def finish_scoring(raw: Mapping[str, Any]) -> dict[str, Any]:
    """Complete the outcome of a scoring run.

    Parameters
    ----------
    raw : mapping
        ``run``, ``model``, ``key``; ``algorithms`` (a list, each with ``algorithm``, ``status`` and
        ``model``; failed ones with ``state``, ``error`` and ``cause``); where rows were read ``counts``;
        where all went well ``scored``, ``scores``, ``absent``, the algorithms without an approved model, and
        ``lost``, why an approved model that is named was not asked.
        A run that failed has ``failure`` (state, error, cause), or ``reason`` where it could not begin.

    Returns
    -------
    dict
        ``status``, ``reason``, ``rows`` read, ``scored`` and ``rejected``, where the scores and rejects
        are, and ``algorithms`` keyed by name.
    """
    algorithms = {entry["algorithm"]: _finish_algorithm(entry) for entry in raw.get("algorithms") or []}
    counts = raw.get("counts") or {}
    failed = {name: each for name, each in algorithms.items() if each["status"] == "FAILED"}
    finished = {
        "run": raw["run"],
        "model": raw["model"],
        "key": raw["key"],
        "rows": counts.get("rows"),
        "scored": raw.get("scored"),
        "rejected": counts.get("rejected"),
        "scores": raw.get("scores"),
        "rejects": raw.get("rejects") if counts.get("rejected") else None,
        "algorithms": algorithms,
    }
    if raw.get("failure"):
        return {**finished, "status": "FAILED", "reason": _failed_in(raw["failure"])}
    if failed or raw.get("scored") is None:
        reason = raw.get("reason") or sum_up_reason(failed)
        return {**finished, "status": "FAILED", "reason": reason}
    return {**finished, "status": "SUCCEEDED", "reason": _scored(raw)}


def _scored(raw: Mapping[str, Any]) -> str:
    rejected = raw["counts"]["rejected"]
    parts = [f"{raw['scored']:,} row{'' if raw['scored'] == 1 else 's'} scored"]
    if rejected:
        parts.append(f"{rejected:,} bad one{'' if rejected == 1 else 's'} set aside")
    lost = raw.get("lost") or {}
    if absent := [name for name in raw.get("absent") or [] if name not in lost]:
        parts.append(f"without {' and '.join(absent)}, which has no approved model yet")
    parts += [f"without {name}: {why}; train it once more" for name, why in lost.items()]
    return ", ".join(parts)


def _finish_algorithm(entry: Mapping[str, Any]) -> dict[str, Any]:
    raw = ("error", "cause", "before", "algorithm")
    finished = {key: value for key, value in entry.items() if key not in raw}
    if finished.get("tuned") is None:
        finished.pop("tuned", None)
    if entry["status"] == "FAILED":
        finished["reason"] = _failed_in(entry)
    metrics = (entry.get("evaluation") or {}).get("candidate") or {}
    for name in ("rmse", "mae", "r2"):
        if name in metrics:
            finished[name] = metrics[name]["value"]
    return finished


def _failed_in(failure: Mapping[str, Any]) -> str:
    why = explain(str(failure.get("error", "")), str(failure.get("cause", "")))
    said = f"in the state '{failure.get('state', 'unknown')}': {why}"
    if before := failure.get("before"):
        # What was to be undone was not: both are told, and that someone has to look.
        return f"{_failed_in(before)} Then undoing it failed {said} Look at what serves now."
    return said
