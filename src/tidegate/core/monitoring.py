"""How a check ends: its algorithms' verdicts as one outcome, and what people are told of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from tidegate.core.episodes import DRIFT, QUALITY
from tidegate.core.messages import SUBJECT_MAX, Notification, explain, sum_up_reason
from tidegate.core.news import notification
from tidegate.core.telling import Memory, decide

# From the best to the worst; the worst of the algorithms' is the check's.
VERDICTS = ("ok", "insufficient", "bad data", "drift")


def worst(verdicts: Iterable[str | None]) -> str:
    """Give the worst of several verdicts; without any, there were too few rows to tell.

    >>> worst(["ok", "drift", None])
    'drift'
    """
    known = [each for each in verdicts if each in VERDICTS]
    return max(known, key=VERDICTS.index) if known else "insufficient"


def finish_monitoring(raw: Mapping[str, Any]) -> dict[str, Any]:
    """Complete the outcome of a check.

    Parameters
    ----------
    raw : mapping
        ``run``, ``model``, ``algorithms`` (each algorithm's summary, or what failed), ``standing`` (the
        summaries of the checks before), ``refused`` truth files, ``report`` and, where the run failed as a
        whole, ``failure``.

    Returns
    -------
    dict
        The same with ``status``, ``verdict`` (the worst of what stands), ``reason`` and ``algorithms``
        by name.
    """
    algorithms = {each["algorithm"]: _finish(each) for each in raw.get("algorithms") or []}
    standing = {**(raw.get("standing") or {}), **{k: v for k, v in algorithms.items() if v.get("verdict")}}
    verdict = worst(each.get("verdict") for each in standing.values())
    failure = raw.get("failure")
    failed = [each for each in algorithms.values() if each.get("status") == "FAILED"]
    if failure:
        reason = f"in the state '{failure.get('state')}': " + str(
            explain(str(failure.get("error", "")), str(failure.get("cause", "")))
        )
    else:
        reason = sum_up_reason(algorithms) or str(raw.get("reason") or "")
    return {
        "run": raw["run"],
        "model": raw["model"],
        "status": "FAILED" if failure or failed else "SUCCEEDED",
        "verdict": verdict,
        "reason": reason,
        "algorithms": algorithms,
        "standing": {k: v.get("verdict") for k, v in standing.items()},
        "refused": raw.get("refused") or [],
        "report": raw.get("report") or _report_of(standing),
    }


def weigh(
    raw: Mapping[str, Any], remembered: Mapping[str, Any], digest: str | None, now: datetime
) -> dict[str, Any]:
    """Complete the outcome of a check, and decide what people hear of it.

    Parameters
    ----------
    raw : mapping
        As `finish_monitoring` takes it.
    remembered : mapping
        The memory of what was told: ``version`` (0 where there is none yet), ``document`` and ``outbox``.
    digest : str or None
        How often people hear of what lasts.
    now : datetime
        When this is decided.

    Returns
    -------
    dict
        ``outcome``, with ``told`` and ``severity``; ``changed``, whether there is anything to write; what to
        write on the condition that the version is still ``version``: ``document`` and ``outbox``
        (``messages`` that are to be sent, each with an ``id``, and ``events`` for the bus); and ``held``,
        the version then.
    """
    outcome = finish_monitoring(raw)
    before = Memory.from_dict(remembered.get("document"))
    facts = {**outcome, "known": raw.get("standing") or {}, "failure": raw.get("failure")}
    found = decide(before, facts, digest, now)
    version = int(remembered.get("version") or 0)
    waiting = remembered.get("outbox") or {}
    outbox = {key: list(waiting.get(key) or []) for key in ("messages", "events")}
    if found.is_news:
        said = notification(facts, found.items, found.refused)
        # No other decision has this version.
        outbox["messages"].append({"id": f"{outcome['model']}/{version + 1}", **said.to_dict()})
    # Where all that drifts is bad data, there is nothing to learn from, and no event.
    begun = [
        item
        for item in found.items
        if item.news == "start" and item.question in (DRIFT, QUALITY) and not item.episode.spoilt
    ]
    if begun:
        event = {key: outcome[key] for key in ("model", "run", "report", "reason")}
        outbox["events"].append(
            {**event, "algorithms": list(dict.fromkeys(each.algorithm for each in begun))}
        )
    changed = found.memory != before or outbox != {key: waiting.get(key) or [] for key in outbox}
    return {
        "outcome": {
            **outcome,
            "severity": found.memory.severity,
            "told": [
                {"algorithm": item.algorithm, "question": item.question, "news": item.news}
                for item in found.items
            ],
        },
        "changed": changed,
        "version": version,
        "held": version + 1 if changed else version,
        "document": found.memory.to_dict(),
        "outbox": outbox,
    }


def _report_of(standing: Mapping[str, Mapping[str, Any]]) -> str | None:
    return next((str(each["report"]) for each in standing.values() if each.get("report")), None)


def _finish(entry: Mapping[str, Any]) -> dict[str, Any]:
    finished = {key: value for key, value in entry.items() if key not in ("error", "cause")}
    if entry.get("status") == "FAILED":
        why = explain(str(entry.get("error", "")), str(entry.get("cause", "")))
        finished["reason"] = f"in the state '{entry.get('state', 'unknown')}': {why}"
    return finished


def tell_stopped(outcome: Mapping[str, Any]) -> Notification:
    """Write the notification about a check that ended without concluding."""
    model = str(outcome["model"])
    subject = f"{model}: a check failed"[:SUBJECT_MAX]
    return Notification("monitoring-failed", model, str(outcome["run"]), subject, str(outcome["reason"]))
