"""How a check ends: its algorithms' verdicts as one outcome, and what people are told of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from tidegate.core.bookmark import worth_telling
from tidegate.core.messages import SUBJECT_MAX, Notification, explain, sum_up_reason

# From the best to the worst; the worst of the algorithms' is the check's.
VERDICTS = ("ok", "insufficient", "bad data", "drift")
SHOWN_COLUMNS = 3


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
        summaries of algorithms that had nothing new), ``refused`` truth files, ``report`` and, where the
        run failed as a whole, ``failure``.

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
        "told": [
            {
                "algorithm": name,
                "verdict": entry["verdict"],
                # Where all that drifts is bad data, there is nothing to learn from, and no event.
                **({"spoilt": True} if entry.get("spoilt") else {}),
            }
            for name, entry in algorithms.items()
            if worth_telling(entry.get("told"), entry.get("verdict"))
        ],
    }


def _report_of(standing: Mapping[str, Mapping[str, Any]]) -> str | None:
    return next((str(each["report"]) for each in standing.values() if each.get("report")), None)


def _finish(entry: Mapping[str, Any]) -> dict[str, Any]:
    finished = {key: value for key, value in entry.items() if key not in ("error", "cause")}
    if entry.get("status") == "FAILED":
        why = explain(str(entry.get("error", "")), str(entry.get("cause", "")))
        finished["reason"] = f"in the state '{entry.get('state', 'unknown')}': {why}"
    return finished


def digest_of(outcome: Mapping[str, Any]) -> str:
    """Name what a notification is about, so that the same change is told once however often it is tried."""
    parts = [
        f"{name}:{entry.get('window')}:{entry.get('verdict') or entry.get('status')}"
        for name, entry in sorted(told_of(outcome).items())
    ]
    refused = [str(each.get("kept_at")) for each in outcome.get("refused") or []]
    parts += [f"{name}:{entry.get('window')}:truth" for name, entry in sorted(lost_of(outcome).items())]
    if outcome["status"] == "FAILED":
        parts.append(str(outcome["run"]))
    return "/".join([str(outcome["model"]), *parts, *refused])


def told_of(outcome: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Give the algorithms whose verdict is news, or which failed."""
    return {
        name: entry
        for name, entry in outcome["algorithms"].items()
        if entry.get("status") == "FAILED" or worth_telling(entry.get("told"), entry.get("verdict"))
    }


def lost_of(outcome: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Give the algorithms for which ground truth came of which no row has a prediction."""
    found = {}
    for name, entry in outcome["algorithms"].items():
        labels = entry.get("labels") or {}
        known = any(labels.get(each) for each in ("matched", "corrected", "repeated"))
        if labels.get("came") and labels.get("waiting") and not known:
            found[name] = entry
    return found


def tell_monitoring(outcome: Mapping[str, Any]) -> Notification:
    """Write the notification about a check: a change of verdict, what failed, truth that was refused.

    Parameters
    ----------
    outcome : mapping
        What `finish_monitoring` gave.
    """
    model, run = str(outcome["model"]), str(outcome["run"])
    news = told_of(outcome)
    lines: list[str] = []
    for name, entry in news.items():
        lines += _lines_of(name, entry)
    for each in outcome.get("refused") or []:
        lines.append(
            f"The ground truth {each['key']} was refused: {each['reason']} (kept at {each['kept_at']})"
        )
    for name, entry in lost_of(outcome).items():
        if name not in news:
            lines.append(f"- {name}: {entry['reason']}")
    if not news and outcome["status"] == "FAILED":
        lines.append(str(outcome["reason"]))
    if outcome.get("report"):
        lines += ["", f"Report: {outcome['report']}", f"Open it with: tidegate report {model}"]
    kind, subject = _head(model, outcome, news)
    return Notification(kind, model, run, subject[:SUBJECT_MAX], "\n".join(lines).strip())


def _head(model: str, outcome: Mapping[str, Any], news: Mapping[str, Mapping[str, Any]]) -> tuple[str, str]:
    verdicts = {entry.get("verdict") for entry in news.values()}
    if "drift" in verdicts:
        shown = _columns_of(news, "drift")
        return "monitoring-drift", f"{model}: drift in {shown}" if shown else f"{model}: quality has fallen"
    if outcome["status"] == "FAILED":
        return "monitoring-failed", f"{model}: a check failed"
    if "bad data" in verdicts:
        return "monitoring-bad-data", f"{model}: bad data in {_columns_of(news, 'bad data')}"
    if "ok" in verdicts:
        return "monitoring-ok", f"{model}: as at training again"
    if outcome.get("refused"):
        return "truth-refused", f"{model}: ground truth was refused"
    return "truth-unmatched", f"{model}: ground truth has no predictions"


def _columns_of(news: Mapping[str, Mapping[str, Any]], verdict: str) -> str:
    """Name the columns behind a verdict, the worst ones first."""
    names = list(
        dict.fromkeys(
            column["name"]
            for entry in news.values()
            if entry.get("verdict") == verdict
            for column in entry.get("columns") or []
        )
    )
    return ", ".join(names[:SHOWN_COLUMNS]) + (" and others" if len(names) > SHOWN_COLUMNS else "")


def _lines_of(name: str, entry: Mapping[str, Any]) -> list[str]:
    if entry.get("status") == "FAILED":
        return [f"- {name}: the check failed {entry.get('reason', '')}"]
    rows = f"{int(entry.get('rows') or 0):,} rows"
    if entry.get("verdict") == "ok":
        return [f"- {name}: {rows} look as at training again."]
    columns = entry.get("columns") or []
    counted = f" in {len(columns)} column{'s' if len(columns) > 1 else ''}" if columns else ""
    lines = [f"- {name}: {entry.get('verdict')}{counted}, by {rows}:"]
    lines += [f"    {column['sentence']}" for column in columns[:SHOWN_COLUMNS]]
    if quality := (entry.get("quality") or {}).get("sentence"):
        lines.append(f"    {quality}")
    return lines


def tell_stopped(outcome: Mapping[str, Any]) -> Notification:
    """Write the notification about a check that ended without concluding."""
    model = str(outcome["model"])
    subject = f"{model}: a check failed"[:SUBJECT_MAX]
    return Notification("monitoring-failed", model, str(outcome["run"]), subject, str(outcome["reason"]))


def tell_retrain(model: str, run: str, started: bool, reason: str) -> Notification:
    """Write the notification about a retraining that drift asked for: started, or why not."""
    if started:
        subject, kind = f"{model}: retraining on drift", "retrain-started"
        text = f"Drift was detected by the check {run}: {reason}. You will hear how it ends."
    else:
        subject, kind = f"{model}: not retrained on drift", "retrain-skipped"
        text = f"Drift was detected by the check {run}, and no retraining was started: {reason}."
    return Notification(kind, model, run, subject[:SUBJECT_MAX], text)
