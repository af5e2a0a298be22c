"""A model against what really happened: its metrics with intervals, and whether they fell since training."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from tidegate.core.figures import figure
from tidegate.table.columns import Floats
from tidegate.table.evaluate import evaluate
from tidegate.table.quality.regression import OPERATORS, RegressionErrors, model_quality
from tidegate.table.watch.matching import TRUTH
from tidegate.table.watch.rows import PREDICTION

METRICS = ("rmse", "mae", "r2")
SURE = 2.58  # three metrics are looked at, and together they should not cry wolf in one check of a hundred
MOST_RESAMPLED = 20_000  # the interval of more rows is narrow enough


def judge(
    pairs: Mapping[str, Floats],
    evaluation: Mapping[str, Any],
    constraints: Mapping[str, Any],
    least_rows: int,
) -> dict[str, Any]:
    """Judge predictions whose truth is known.

    A metric has fallen when it is worse than at training by more than chance explains: the difference over
    its standard error, which holds the uncertainty of both, is above `SURE`.

    Parameters
    ----------
    pairs : mapping
        ``target`` and ``prediction``, arrays of one length.
    evaluation : mapping
        How the champion did on its held-out rows: each metric with ``value``, ``low`` and ``high``.
    constraints : mapping
        The model quality baseline of the champion's run.
    least_rows : int
        Fewer rows give no verdict.

    Returns
    -------
    dict
        ``rows``, ``verdict``, ``metrics`` (value, low, high, threshold), ``statistics`` and ``violations``
        in Model Monitor's schema, and ``sentence``.
    """
    target, prediction = pairs[TRUTH], pairs[PREDICTION]
    rows = len(target)
    statistics, _ = model_quality(target, prediction)
    if rows < least_rows:
        sentence = f"{rows:,} predictions have their truth, and {least_rows:,} are needed to tell the quality"
        return {
            "rows": rows,
            "verdict": "insufficient",
            "metrics": {},
            "statistics": statistics,
            "violations": [],
            "sentence": sentence,
        }
    measured = _measured(target[:MOST_RESAMPLED], prediction[:MOST_RESAMPLED])
    values = RegressionErrors.of(target, prediction).metrics()
    rules = constraints.get("regression_constraints", {})
    metrics: dict[str, Any] = {}
    violations, words = [], []
    for name in METRICS:
        found = measured[name]
        rule = rules.get(name)
        metrics[name] = {**found, "value": _plain(values[name]), "threshold": (rule or {}).get("threshold")}
        if rule is None or found["low"] is None:
            continue
        spread = math.hypot(_standard_error(found), _standard_error(evaluation.get(name) or {}))
        sign = 1 if OPERATORS[name] == "GreaterThanThreshold" else -1
        if sign * (values[name] - rule["threshold"]) > SURE * spread:
            violations.append(_violation(name, values[name], found, rule))
            words.append(
                f"{name.upper()} is {figure(values[name])}, and was {figure(rule['threshold'])} at training"
            )
    sentence = (
        f"by {rows:,} known truths " + "; ".join(words)
        if words
        else f"by {rows:,} known truths the model predicts as well as at training"
    )
    return {
        "rows": rows,
        "verdict": "drift" if violations else "ok",
        "metrics": metrics,
        "statistics": statistics,
        "violations": violations,
        "sentence": sentence,
    }


def _measured(target: Floats, prediction: Floats) -> dict[str, Any]:
    truth = "id,target\n" + "".join(f"{at},{value!r}\n" for at, value in enumerate(target.tolist()))
    answers = "\n".join(map(repr, prediction.tolist()))
    found: dict[str, Any] = evaluate(truth.encode(), answers.encode(), None, f"quality-{len(target)}")
    return dict(found["candidate"])


def _violation(name: str, value: float, found: Mapping[str, Any], rule: Mapping[str, Any]) -> dict[str, str]:
    spread = (found["high"] - found["low"]) / 2
    return {
        "constraint_check_type": str(rule["comparison_operator"]),
        "description": f"Metric {name} with {value} +/- {spread} was {rule['comparison_operator']} "
        f"'{rule['threshold']}'",
        "metric_name": name,
    }


def _standard_error(found: Mapping[str, Any]) -> float:
    """Read a standard error off an interval of 95 %; 0 where there is none."""
    if found.get("low") is None or found.get("high") is None:
        return 0.0
    return float(found["high"] - found["low"]) / (2 * 1.96)


def _plain(value: float) -> float | None:
    return value if math.isfinite(value) else None
