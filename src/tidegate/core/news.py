"""What people are told of a model's checks: what, how much, since when, in which rows, what came of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from tidegate.core.episodes import BAD_DATA, CHECK, DRIFT, QUALITY, TRUTH, gravest
from tidegate.core.figures import figure
from tidegate.core.messages import SUBJECT_MAX, Notification
from tidegate.core.telling import THE_CHECK, Item

SHOWN_COLUMNS = 3
SHOWN_FILES = 3
LASTS = "lasts"
_NOUNS = {
    DRIFT: "drift",
    QUALITY: "the fall of the quality",
    BAD_DATA: "bad data",
    CHECK: "failing checks",
    TRUTH: "ground truth without predictions",
}
_KINDS = {
    DRIFT: "monitoring-drift",
    QUALITY: "monitoring-quality",
    BAD_DATA: "monitoring-bad-data",
    CHECK: "monitoring-failed",
    TRUTH: "truth-unmatched",
}
TRENDS = {"rising": "growing", "falling": "getting less", "steady": "as much as before", None: None}


def moment(text: str) -> str:
    """Write an ISO time for people.

    >>> moment("2026-03-03T14:05:09+00:00"), moment("yesterday")
    ('2026-03-03 14:05 UTC', 'yesterday')
    """
    try:
        return f"{datetime.fromisoformat(text):%Y-%m-%d %H:%M} UTC"
    except ValueError:
        return text


def notification(
    outcome: Mapping[str, Any], items: Sequence[Item], refused: Sequence[Mapping[str, Any]]
) -> Notification:
    """Write the one message that a check gives rise to.

    Parameters
    ----------
    outcome : mapping
        Of the check, by `monitoring.finish_monitoring`.
    items : sequence of Item
        What is news, or lasts, the gravest first.
    refused : sequence of mapping
        Truth files that were refused: ``key``, ``reason``, ``kept_at``.
    """
    model, run = str(outcome["model"]), str(outcome["run"])
    lines = [f"- {_line(item, outcome)}" for item in items]
    lines += [
        f"- The ground truth {each['key']} was refused: {each['reason']} (kept at {each['kept_at']})."
        for each in refused
    ]
    if outcome.get("report"):
        lines += ["", f"Report: {outcome['report']}", f"Open it with: tidegate report {model}"]
    kind, subject = _head(items, refused, outcome)
    return Notification(kind, model, run, f"{model}: {subject}"[:SUBJECT_MAX], "\n".join(lines))


def _head(
    items: Sequence[Item], refused: Sequence[Mapping[str, Any]], outcome: Mapping[str, Any]
) -> tuple[str, str]:
    if refused and all(item.question == TRUTH for item in items):
        return "truth-refused", "ground truth was refused"
    if any(item.news == LASTS for item in items):
        lasting = ", ".join(dict.fromkeys(_NOUNS[item.question] for item in items))
        return "monitoring-digest", f"still {lasting}, {gravest(item.episode.severity for item in items)}"
    for item in items:
        if item.news == "start":
            return _KINDS[item.question], _began(item, outcome)
    for item in items:
        if item.news == "worse":
            return "monitoring-worse", f"{_NOUNS[item.question]} has worsened{_in(item.gained)}"
    over = ", ".join(dict.fromkeys(_NOUNS[item.question] for item in items))
    return "monitoring-ok", f"over: {over}"


def _began(item: Item, outcome: Mapping[str, Any]) -> str:
    if item.question == QUALITY:
        return "quality has fallen"
    if item.question == CHECK:
        return "a check failed"
    if item.question == TRUTH:
        return "ground truth has no predictions"
    return f"{_NOUNS[item.question]}{_in(_ranked(item.episode.parts, _entry(item, outcome)))}"


def _in(names: Sequence[str]) -> str:
    if not names:
        return ""
    more = " and others" if len(names) > SHOWN_COLUMNS else ""
    return f" in {', '.join(names[:SHOWN_COLUMNS])}{more}"


def _entry(item: Item, outcome: Mapping[str, Any]) -> Mapping[str, Any]:
    """Give what is known of an item's algorithm: by this run, or as it stood before."""
    for place in ("algorithms", "known"):
        found = (outcome.get(place) or {}).get(item.algorithm)
        if found:
            entry: Mapping[str, Any] = found
            return entry
    return {}


def _ranked(names: Iterable[str], entry: Mapping[str, Any]) -> list[str]:
    """Put columns in the order of the check, the worst one first."""
    order = [str(each["name"]) for each in entry.get("columns") or ()]
    return sorted(names, key=lambda name: order.index(name) if name in order else len(order))


def _line(item: Item, outcome: Mapping[str, Any]) -> str:
    entry = _entry(item, outcome)
    whose = f"{item.algorithm}: " if item.algorithm != THE_CHECK else ""
    words = {"start": _start, "worse": _worse, "end": _end, LASTS: _lasts}[item.news]
    return f"{whose}{words(item, entry, outcome)}."


def _start(item: Item, entry: Mapping[str, Any], outcome: Mapping[str, Any]) -> str:
    since = f"since {moment(item.episode.since)}"
    if item.question == QUALITY:
        return f"the quality has fallen {since}: {_by_truth(entry)}"
    if item.question == TRUTH:
        return str(entry.get("reason") or "ground truth came, and no prediction has its ids")
    if item.question == CHECK:
        return str(entry.get("reason") or outcome.get("reason") or "it failed")
    what = f"{_NOUNS[item.question]} (severity: {item.episode.severity}) {since}"
    return f"{what}, by {_rows(entry)}: {_columns(item.episode.parts, entry)}{_effects(item, entry)}"


def _worse(item: Item, entry: Mapping[str, Any], _: Mapping[str, Any]) -> str:
    episode = item.episode
    opening = f"{_NOUNS[item.question]} since {moment(episode.since)} has worsened"
    if item.question == QUALITY:
        return f"{opening}: {_by_truth(entry)}"
    if item.question == CHECK:
        return f"{opening}: {entry.get('reason', '')}"
    gained = {name: episode.parts[name] for name in item.gained}
    told = _columns(gained, entry) if gained else f"its severity is {episode.severity} now"
    # A column that was worth a watch and asks for an act may have moved no further in its rounded numbers.
    grave = [name for name, severity in gained.items() if severity == "act"]
    asks = f" (severity act: {', '.join(grave[:SHOWN_COLUMNS])})" if grave else ""
    return f"{opening}, by {_rows(entry)}: {told}{asks}{_effects(item, entry)}"


def _end(item: Item, entry: Mapping[str, Any], _: Mapping[str, Any]) -> str:
    episode = item.episode
    checks = f"{episode.checks:,} check{'' if episode.checks == 1 else 's'} found it"
    over = f"{_NOUNS[item.question]} since {moment(episode.since)} is over ({checks})"
    if not entry and item.algorithm != THE_CHECK:
        return f"{over}: {item.algorithm} serves no more"
    if entry.get("champion") and episode.champion not in (None, entry["champion"]):
        return f"{over}: another model, {entry['champion']}, has taken over"
    if item.question == QUALITY:
        return f"{over}: {_by_truth(entry)}"
    if item.question in (DRIFT, BAD_DATA):
        return f"{over}: {_rows(entry)} look as at training"
    return over


def _lasts(item: Item, entry: Mapping[str, Any], _: Mapping[str, Any]) -> str:
    episode = item.episode
    checks = f"{episode.checks:,} check{'' if episode.checks == 1 else 's'}"
    grows = TRENDS[episode.trend]
    told = [f"found by {checks}, last at {moment(episode.last)}", *([grows] if grows else [])]
    where = _in(_ranked(episode.parts, entry)) if item.question in (DRIFT, BAD_DATA) else ""
    lasting = f"{_NOUNS[item.question]}{where} since {moment(episode.since)}"
    return f"{lasting} (severity: {episode.severity}; {'; '.join(told)})"


def _rows(entry: Mapping[str, Any]) -> str:
    rows = int(entry.get("rows") or 0)
    return f"{rows:,} row{'' if rows == 1 else 's'}"


def _columns(names: Mapping[str, str], entry: Mapping[str, Any]) -> str:
    """Say of the worst columns what changed and how much."""
    known = {str(each["name"]): each for each in entry.get("columns") or ()}
    ranked = _ranked(names, entry)
    told = []
    for name in ranked[:SHOWN_COLUMNS]:
        column = known.get(name, {})
        distance, allowed = column.get("distance"), column.get("threshold")
        moved = distance is not None and allowed is not None and distance > allowed
        much = f", distance {figure(distance)} where {figure(allowed)} is allowed" if moved else ""
        told.append(f"{column.get('sentence') or name}{much}")
    more = len(ranked) - SHOWN_COLUMNS
    return "; ".join([*told, *([f"and {more} more column{'s' if more > 1 else ''}"] if more > 0 else [])])


def _effects(item: Item, entry: Mapping[str, Any]) -> str:
    """Say whether the predictions suffered, and where the rows lie."""
    told = []
    if item.question == DRIFT:
        if _is_known(entry):
            told.append(_by_truth(entry))
        elif entry.get("predictions"):
            told.append(str(entry["predictions"]))
    places = [str(each) for each in entry.get("rows_at") or ()]
    if places:
        more = f" and {len(places) - SHOWN_FILES} more files" if len(places) > SHOWN_FILES else ""
        told.append(f"the rows are in {', '.join(places[:SHOWN_FILES])}{more}")
    return "".join(f"; {each}" for each in told)


def _is_known(entry: Mapping[str, Any]) -> bool:
    return bool(((entry.get("answers") or {}).get("quality") or {}).get("known"))


def _by_truth(entry: Mapping[str, Any]) -> str:
    quality = entry.get("quality") or {}
    bias = quality.get("bias")
    said = str(quality.get("sentence") or "truth says so")
    # Below a tenth of a percent nobody would look.
    if isinstance(bias, int | float) and abs(bias) >= 0.001:
        said += f"; predictions are {abs(bias):.1%} too {'high' if bias > 0 else 'low'} in the mean"
    return said


def tell_retrain(model: str, run: str, what: str, reason: str) -> Notification:
    """Write the notification about a retraining by itself.

    Parameters
    ----------
    what : str
        ``wanted``, ``started`` or ``withdrawn``.
    reason : str
        Why, and what it waits for.
    """
    subjects = {
        "wanted": "retraining is wanted",
        "started": "retraining has started",
        "withdrawn": "no retraining is wanted any more",
    }
    texts = {
        "wanted": f"After the check {run} a retraining is {reason}.\n\nIt starts when that has come; "
        "`tidegate models` shows how it stands.",
        "started": f"After the check {run} a retraining has started: {reason}. You will hear how it ends.",
        "withdrawn": f"The retraining that was wanted since the check {run} was not started: {reason}.",
    }
    subject = f"{model}: {subjects[what]}"[:SUBJECT_MAX]
    return Notification(f"retrain-{what}", model, run, subject, texts[what])
