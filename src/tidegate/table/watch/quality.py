"""A model against what really happened: its metrics with intervals, and whether they fell since training."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from tidegate.table.columns import Floats
from tidegate.table.evaluate import evaluate
from tidegate.table.quality.regression import OPERATORS, RegressionErrors, model_quality
from tidegate.table.watch.matching import TRUTH
from tidegate.table.watch.rows import PREDICTION

METRICS = ("rmse", "mae", "r2")
MOST_RESAMPLED = 20_000  # the interval of more rows is narrow enough


def judge(
    pairs: Mapping[str, Floats], baseline: Mapping[str, Any], constraints: Mapping[str, Any], least_rows: int
) -> dict[str, Any]:
    """Judge predictions whose truth is known.

    A metric has fallen when its whole 95 % interval lies on the worse side of what the baseline found,
    the baseline's own uncertainty of two standard deviations added.

    Parameters
    ----------
    pairs : mapping
        ``target`` and ``prediction``, arrays of one length.
    baseline, constraints : mapping
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
    before = baseline.get("regression_metrics", {})
    metrics: dict[str, Any] = {}
    violations, words = [], []
    for name in METRICS:
        found = measured[name]
        rule = rules.get(name)
        metrics[name] = {**found, "value": _plain(values[name]), "threshold": (rule or {}).get("threshold")}
        if rule is None or found["low"] is None:
            continue
        slack = _deviation(before.get(name, {}))
        higher_is_worse = OPERATORS[name] == "GreaterThanThreshold"
        worse = (
            found["low"] > rule["threshold"] + slack
            if higher_is_worse
            else found["high"] < rule["threshold"] - slack
        )
        if worse:
            violations.append(_violation(name, values[name], found, rule))
            words.append(
                f"{name.upper()} is {values[name]:,.4g}, and was {rule['threshold']:,.4g} at training"
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


def _deviation(entry: Mapping[str, Any]) -> float:
    value = entry.get("standard_deviation")
    return 2 * float(value) if isinstance(value, int | float) and math.isfinite(value) else 0.0


def _plain(value: float) -> float | None:
    return value if math.isfinite(value) else None
