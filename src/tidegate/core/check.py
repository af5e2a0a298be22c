"""One check of one algorithm put together: its verdict, what is shown of it, and what the next one must know.

Pure: the parts were measured by functions, and their results are plain JSON.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from tidegate.core.estimates import record_of
from tidegate.core.monitor import quiet_days
from tidegate.core.questions import answers_of, is_spoilt, predictions_of
from tidegate.core.sentences import Sentence, joined, masked, say, told
from tidegate.core.trend import trend
from tidegate.core.windows import TRUTH_DAYS, Manifest

HISTORY = 90  # checks that the trend shows
MOST_WINDOWS = 5_000
SHOWN = 10
MOST_COLUMNS = 200
TREND = 30  # checks that say whether a column drifts more and more


def combined(data: str | None, quality: str | None) -> str:
    """Join what the data say and what the truth says.

    Bad data is none of the model's doing: where the quality has fallen too, that is told.

    >>> combined("ok", "drift"), combined("ok", "insufficient"), combined("insufficient", "ok")
    ('drift', 'ok', 'insufficient')
    >>> combined("bad data", "ok"), combined("bad data", "drift")
    ('bad data', 'drift')
    """
    if "drift" in (data, quality):
        return "drift"
    return data or "insufficient"


def evaluate(
    manifest: Manifest,
    state: Mapping[str, Any],
    read: Mapping[str, Any],
    comparison: Mapping[str, Any],
    matched: Mapping[str, Any] | None,
    at: str,
) -> dict[str, Any]:
    """Conclude a check of one algorithm.

    Parameters
    ----------
    manifest : Manifest
        The window.
    state : mapping
        What the window before left; empty for the first.
    read : mapping
        What `profile_window` read.
    comparison : mapping
        What `compare_window` found.
    matched : mapping or None
        What `match_truth` found, where labels came.
    at : str
        When the check was made.

    Returns
    -------
    dict
        Everything that the report shows of the algorithm, `verdict` among it; its sentences (``reason`` and
        those of ``columns``) in the form in which values go on being values, for `plainly` or `masked`.
    """
    same = state.get("champion") == manifest.champion
    # A window of labels alone says nothing of the data: what was found before stands.
    data = comparison["verdict"] if read["rows"] else (state.get("data") if same else None)
    quality = (matched or {}).get("quality")
    quality_verdict = quality["verdict"] if quality else (state.get("quality") if same else None)
    seen = _columns_seen(state.get("drifting", {}) if same else {}, comparison, at, bool(read["rows"]))
    history = state.get("history", []) if same else []
    columns = _drifting(comparison, seen, history) if read["rows"] else []
    verdict = combined(data, quality_verdict)
    totals = state.get("totals", {})
    labels = (matched or {}).get("labels") or {}
    return {
        "algorithm": manifest.algorithm,
        "window": manifest.window,
        "run": manifest.run,
        "at": at,
        "champion": manifest.champion,
        "replaced": manifest.replaced,
        "endpoint": manifest.endpoint,
        "metrics": manifest.metrics,
        "verdict": verdict,
        "data": data,
        "quality_verdict": quality_verdict,
        "answers": answers_of(comparison, quality_verdict, quality, bool(read["rows"])),
        "predictions": predictions_of(comparison, manifest) if read["rows"] else None,
        "spoilt": verdict == "drift" and quality_verdict != "drift" and is_spoilt(comparison),
        "quiet_days": quiet_days(manifest.every),
        "reason": (
            _reason(
                verdict,
                data,
                comparison,
                quality or quality_verdict,
                bool(read["rows"]),
                lost_truth(labels, manifest.identity),
            )
            + _not_read(read)
        ).to_dict(),
        "rows": comparison["rows"],
        "new_rows": read["rows"],
        "read": dict(read),
        "left": manifest.left,
        "columns": columns,
        "drifting": seen,
        "comparison": dict(comparison),
        "quality": quality,
        "labels": labels,
        "files": (matched or {}).get("files", {}),
        "so_far": (matched or {}).get("so_far"),
        "estimate": comparison.get("estimate") if read["rows"] else None,
        "estimated": (matched or {}).get("estimated"),
        "record": record_of([*state.get("history", []), matched or {}]),
        "known": (matched or {}).get("known", state.get("known")),
        "pool": (matched or {}).get("pool", state.get("truth_pool", [])),
        "totals": {
            "rows": totals.get("rows", 0) + read["rows"],
            "objects": totals.get("objects", 0) + len(manifest.objects),
            "labels": totals.get("labels", 0) + labels.get("matched", 0),
        },
    }


def summary_of(check: Mapping[str, Any], report: str) -> dict[str, Any]:
    """Give what the machine carries of a check, and what is remembered of it in short.

    Parameters
    ----------
    check : mapping
        As `evaluate` gave it, with ``rows_at``: where its rows lie, with what each is unlike in.
    report : str
        Where the page about it lies.
    """
    quality = check["quality"]
    shown = ("rows", "verdict", "sentence", "metrics", "bias")
    summary: dict[str, Any] = {
        "algorithm": check["algorithm"],
        "status": "SUCCEEDED",
        "window": check["window"],
        "at": check["at"],
        "first": check["read"].get("first"),
        "champion": check["champion"],
        "replaced": check["replaced"],
        "verdict": check["verdict"],
        "reason": check["reason"],
        "answers": {question: _few(answer) for question, answer in check["answers"].items()},
        "spoilt": check["spoilt"],
        "quiet_days": check["quiet_days"],
        "rows": check["rows"],
        "new_rows": check["new_rows"],
        "columns": check["columns"][:SHOWN],
        "predictions": check["predictions"],
        "rows_at": list(check.get("rows_at") or ()),
        "quality": {key: quality.get(key) for key in shown} if quality else None,
        "labels": check["labels"],
        "so_far": check["so_far"],
        "estimate": check["estimate"],
        "estimated": check["estimated"],
        "record": check["record"],
        "unreadable": len(check["read"]["unreadable"]),
        "skipped": check["read"].get("skipped", 0),
        "repeated": check["read"]["repeated"],
        "left": check["left"],
        "totals": check["totals"],
        "report": report,
    }
    # It goes on to the machine, the record, the bus and the notification, where no value may be.
    return dict(masked(summary))


def _few(answer: Mapping[str, Any]) -> dict[str, Any]:
    """Keep the worst of very many columns: a state of the machine holds 256 KB."""
    return {
        key: value[:MOST_COLUMNS] if key in ("columns", "act") else value for key, value in answer.items()
    }


def state_after(manifest: Manifest, state: Mapping[str, Any], check: Mapping[str, Any]) -> dict[str, Any]:
    """Give what the next window must know of this one and of those before it."""
    oldest = (date.fromisoformat(check["at"][:10]) - timedelta(days=TRUTH_DAYS)).isoformat()
    windows = [each for each in state.get("windows", []) if each["at"] >= oldest]
    labels = check["labels"]
    windows.append(
        {
            "window": manifest.window,
            "home": manifest.home,
            "at": check["at"],
            "champion": manifest.champion,
            "rows": check["new_rows"],
            "labels": labels.get("matched", 0) + labels.get("corrected", 0),
        }
    )
    waiting = f"{manifest.home}/waiting.csv" if labels.get("waiting") else None
    enough = bool(check["quality"]) and check["quality"]["verdict"] != "insufficient"
    denied = enough and bool(check["quality"].get("denied"))
    concluded = bool(check["new_rows"]) and check["comparison"]["verdict"] != "insufficient"
    return {
        "window": manifest.window,
        "champion": manifest.champion,
        "data": check["data"],
        "quality": check["quality_verdict"],
        "seen": manifest.seen,
        "newest": manifest.newest,
        "waiting": waiting if labels else manifest.waiting,
        "known": check["known"],
        "truth_pool": [] if enough else check["pool"],
        # What truths before these showed, these deny: from now on only what came with them counts.
        "truths_since": check["quality"]["since"] if denied else state.get("truths_since", ""),
        "carried": check["comparison"].get("carried", []),
        "recent": check["comparison"].get("recent"),
        "season": check["comparison"].get("season"),
        # What may alarm falsely is saved up from here on. Truth that nobody waited for has saved up nothing.
        "data_at": check["at"] if concluded or not state.get("data_at") else state["data_at"],
        "quality_at": check["at"] if enough or not state.get("quality_at") else state["quality_at"],
        "drifting": check["drifting"],
        "windows": windows[-MOST_WINDOWS:],
        "history": [*state.get("history", []), _point(check)][-HISTORY:],
        "totals": check["totals"],
    }


def _point(check: Mapping[str, Any]) -> dict[str, Any]:
    metrics = (check["quality"] or {}).get("metrics") or {}
    estimate = check["estimate"] or {}
    distances = {each["name"]: each.get("distance") for each in check["comparison"].get("columns", [])}
    return {
        "window": check["window"],
        "at": check["at"],
        "rows": check["rows"],
        "verdict": check["verdict"],
        "distances": distances if check["new_rows"] else {},
        "quality": {name: each.get("value") for name, each in metrics.items()},
        "estimate": {name: each["value"] for name, each in estimate.get("metrics", {}).items()},
        "estimated": check["estimated"],
    }


def _columns_seen(
    before: Mapping[str, Any], comparison: Mapping[str, Any], at: str, any_rows: bool
) -> dict[str, dict[str, str]]:
    """Say since when and until when each drifting column has drifted without a break."""
    if not any_rows or comparison["verdict"] == "insufficient":
        return {name: dict(each) for name, each in before.items()}
    names = comparison.get("worst", [])
    return {name: {"first": before.get(name, {}).get("first", at), "last": at} for name in names}


def _drifting(
    comparison: Mapping[str, Any],
    seen: Mapping[str, Mapping[str, str]],
    history: Sequence[Mapping[str, Any]],
) -> list[dict[str, Any]]:
    if comparison["verdict"] not in ("drift", "bad data"):
        return []
    known = {each["name"]: each for each in comparison.get("columns", [])}
    found = []
    for name in comparison["worst"]:
        entry = known.get(name, {})
        words = [Sentence.from_dict(each) for each in entry.get("words") or []]
        sentence = say(
            "{name}: {words}{behind}",
            name=told(name),
            words=joined(words or [say("the column is not what it was")], "; "),
            behind=_behind(entry.get("share")),
        )
        found.append(
            {
                "name": name,
                "sentence": sentence.to_dict(),
                "distance": entry.get("distance"),
                "threshold": entry.get("threshold"),
                "q_value": entry.get("q_value"),
                "share": entry.get("share"),
                "checks": entry.get("violated", []),
                "severity": entry.get("severity"),
                "trend": trend([*_distances(history, name), entry.get("distance")]),
                "importance": entry.get("importance"),
                **seen.get(name, {}),
            }
        )
    return found


def _distances(history: Sequence[Mapping[str, Any]], name: str) -> list[float | None]:
    """Give a column's distances in the newest checks that had rows, the oldest first."""
    checks = [each["distances"] for each in history if each.get("distances")]
    return [each.get(name) for each in checks[1 - TREND :]]


def _behind(share: float | None) -> Sentence:
    if share is None or share < 0.005:
        return Sentence()
    return say(" ({share} of the rows are behind it)", share=told(format(share, ".0%")))


def _not_read(read: Mapping[str, Any]) -> Sentence:
    """Say how much of the window could not be read, if any: a check that left rows out must say so."""
    skipped, objects = read.get("skipped", 0), len(read["unreadable"])
    if skipped:
        lines = told("line was" if skipped == 1 else "lines were")
        return say("; {skipped:,} captured {lines} left out as unreadable", skipped=skipped, lines=lines)
    if not objects:
        return Sentence()
    noun = told("object" if objects == 1 else "objects")
    return say("; {objects:,} {noun} could not be read", objects=objects, noun=noun)


def _reason(
    verdict: str,
    data: str | None,
    comparison: Mapping[str, Any],
    quality: Mapping[str, Any] | str | None,
    any_rows: bool,
    lost: Sentence,
) -> Sentence:
    """Say what the verdict rests on; `quality` is what was measured now, or else the word that stands."""
    parts = []
    if any_rows:
        parts.append(Sentence.from_dict(comparison["reason"]))
    elif data:
        parts.append(say("no new predictions; the data were {data} before", data=told(data)))
    if isinstance(quality, str):
        if quality == "drift":
            parts.append(say("the quality had fallen when truth last came, and none has come since"))
    elif quality and (quality["verdict"] == "drift" or verdict != "drift"):
        parts.append(say("{sentence}", sentence=told(quality["sentence"])))
    if not parts:
        parts.append(say("no prediction has been checked yet"))
    return joined([*parts, lost] if lost else parts, "; ")


def lost_truth(labels: Mapping[str, Any], identity: str) -> Sentence:
    """Say that no prediction has the id of any truth that came; nothing where some has, or none came."""
    found = any(labels.get(each) for each in ("matched", "corrected", "repeated"))
    if not labels.get("came") or found or not labels.get("waiting"):
        return Sentence()
    own = say("the prediction_id")
    return say(
        "no prediction has the id of any of the {came} rows of ground truth that came; they wait, and are "
        "looked for by {names}",
        came=labels["came"],
        names=say("{identity} and {own}", identity=told(identity), own=own) if identity else own,
    )
