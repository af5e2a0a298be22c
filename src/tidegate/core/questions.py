"""What a check answers: whether the data are bad, whether they have drifted, whether quality has fallen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tidegate.core.fall import fall_of
from tidegate.core.own_names import prediction_beside
from tidegate.core.sentences import Sentence, joined, say
from tidegate.core.windows import Manifest


def answers_of(
    comparison: Mapping[str, Any],
    quality_verdict: str | None,
    quality: Mapping[str, Any] | None,
    any_rows: bool,
) -> dict[str, Any]:
    """Answer three questions, each by itself: are the data bad, have they drifted, has the quality fallen.

    ``known`` says whether this check had enough to answer by; of the quality, what was known before stands.
    """
    known = any_rows and comparison["verdict"] != "insufficient"
    fallen = quality_verdict == "drift"
    fall = fall_of((quality or {}).get("metrics") or {})
    return {
        "bad_data": _answer(comparison, "bad_data", known, any_rows),
        "drift": _answer(comparison, "drift", known, any_rows),
        "quality": {
            "severity": "act" if fallen else "none",
            "verdict": quality_verdict,
            "known": bool(quality) and (quality or {})["verdict"] != "insufficient",
            "extent": fall.extent if fallen else None,
            "surely": fall.surely if fallen else None,
        },
    }


def _answer(comparison: Mapping[str, Any], question: str, known: bool, any_rows: bool) -> dict[str, Any]:
    found = (comparison.get("answers") or {}).get(question) if any_rows else None
    answer = {"severity": "none", "columns": [], **(found or {})}
    columns = {each["name"]: each for each in comparison.get("columns", [])}
    severities = {name: (columns.get(name, {}).get("severities") or {}) for name in answer["columns"]}
    distances = [columns.get(name, {}).get("distance") for name in answer["columns"]]
    return {
        **answer,
        "act": [name for name, each in severities.items() if each.get(question) == "act"],
        "extent": max((each for each in distances if each is not None), default=None),
        "known": known,
    }


def predictions_of(comparison: Mapping[str, Any], manifest: Manifest) -> Sentence | None:
    """Say whether what the model predicts has drifted; None where nobody knows what it predicted before."""
    own = prediction_beside(manifest.columns)
    entry = next((each for each in comparison.get("columns", []) if each["name"] == own), None)
    if entry is None or comparison["verdict"] == "insufficient":
        return None
    if own not in ((comparison.get("answers") or {}).get("drift") or {}).get("columns", []):
        return say("the predictions are distributed as at training")
    words = [Sentence.from_dict(each) for each in entry.get("words") or []]
    return say("the predictions have drifted, too: {words}", words=joined(words, "; "))


def is_spoilt(comparison: Mapping[str, Any]) -> bool:
    """Tell whether every column that drifts holds bad data: then there is nothing to learn from it."""
    answers = comparison.get("answers") or {}
    drifting = set((answers.get("drift") or {}).get("columns", []))
    bad = {
        each["name"]
        for each in comparison.get("columns", [])
        if (each.get("severities") or {}).get("bad_data") == "act"
    }
    return bool(drifting) and drifting <= bad
