"""Estimates of a model's errors as they are told: what was expected, of what, and how past ones turned out.

An estimate is never a finding: it changes no verdict and starts no retraining. Only truth does.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from tidegate.core.figures import figure, metric_name
from tidegate.core.sentences import Sentence, say, told

EFFECT = 0.05  # as `table.quality.judge`: less is not worth a word
SHOWN = "rmse"
Metrics = Mapping[str, Mapping[str, float]]


def estimate_of(rows: int, metrics: Metrics, trained: Mapping[str, Any]) -> dict[str, Any] | None:
    """Put an estimate beside what held at training; None where nothing was estimated.

    Parameters
    ----------
    metrics : mapping
        ``mae`` and ``rmse``, each with ``value``, ``low`` and ``high``.
    trained : mapping
        The metrics of the held-out rows, each with a ``value``.

    Returns
    -------
    dict
        ``rows``; ``metrics``, each also with ``at_training``; ``worse`` where an interval lies wholly above
        what held at training, and more than `EFFECT`; ``sentence``, which says so.
    """
    if not metrics:
        return None
    found = {
        name: {**each, "at_training": (trained.get(name) or {}).get("value")}
        for name, each in metrics.items()
    }
    estimate = {"rows": rows, "metrics": found, "worse": any(map(_is_worse, found.values()))}
    return {**estimate, "sentence": in_words(estimate).to_dict()}


def _is_worse(metric: Mapping[str, Any]) -> bool:
    before = metric["at_training"]
    return before is not None and metric["low"] > before * (1 + EFFECT)


def held_against(rows: int, metrics: Metrics, true: Mapping[str, Any]) -> dict[str, Any] | None:
    """Hold an estimate against the truth about the very same rows."""
    found = {
        name: {**each, "true": true[name], "held": each["low"] <= true[name] <= each["high"]}
        for name, each in metrics.items()
        if true.get(name) is not None
    }
    return {"rows": rows, "metrics": found} if found else None


def record_of(history: Iterable[Mapping[str, Any]]) -> dict[str, Any] | None:
    """Sum up how past estimates turned out; None where truth has judged none yet.

    Parameters
    ----------
    history : iterable of mapping
        Past checks, in which ``estimated`` is what `held_against` gave.

    Returns
    -------
    dict
        ``estimates``: how many; ``held``: how many intervals held the truth; ``off``: by how much, in the
        mean, they were too high, as a share (below 0: too low); ``sentence``, which says so.
    """
    judged = [each["estimated"]["metrics"].get(SHOWN) for each in history if each.get("estimated")]
    known = [each for each in judged if each and each["true"] > 0 and each["value"] > 0]
    if not known:
        return None
    off = sum(math.log(each["value"] / each["true"]) for each in known) / len(known)
    record = {"estimates": len(known), "held": sum(each["held"] for each in known), "off": math.expm1(off)}
    return {**record, "sentence": record_in_words(record).to_dict()}


def in_words(estimate: Mapping[str, Any]) -> Sentence:
    """Say what is expected.

    >>> metric = {"value": 912.4, "low": 801.0, "high": 1039.2, "at_training": 750.0}
    >>> in_words({"rows": 300, "metrics": {"rmse": metric}, "worse": True}).plain
    'estimated, without truth: RMSE of 300 rows 912.4 (801 to 1039), and was 750 at training: worse'
    """
    metric = estimate["metrics"][SHOWN]
    before = metric["at_training"]
    return say(
        "estimated, without truth: {name} of {rows:,} rows {value} ({low} to {high}){before}{worse}",
        name=told(metric_name(SHOWN)),
        rows=estimate["rows"],
        value=told(figure(metric["value"])),
        low=told(figure(metric["low"])),
        high=told(figure(metric["high"])),
        before=Sentence()
        if before is None
        else say(", and was {before} at training", before=told(figure(before))),
        worse=say(": worse") if estimate["worse"] else Sentence(),
    )


def record_in_words(record: Mapping[str, Any]) -> Sentence:
    """Say how past estimates turned out.

    >>> record_in_words({"estimates": 9, "held": 8, "off": -0.031}).plain
    'truth has judged 9 estimates: 8 intervals held it, and in the mean they were 3.1 % too low'
    """
    one = record["estimates"] == 1
    return say(
        "truth has judged {count:,} {noun}: {held:,} {intervals} held it, and in the mean {they} {off} % "
        "{way}",
        count=record["estimates"],
        noun=told("estimate" if one else "estimates"),
        held=record["held"],
        intervals=told("interval" if record["held"] == 1 else "intervals"),
        they=told("it was" if one else "they were"),
        off=told(figure(abs(100 * record["off"]), 2)),
        way=told("too high" if record["off"] > 0 else "too low"),
    )
