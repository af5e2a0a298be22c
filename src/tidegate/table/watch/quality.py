"""A model against what really happened, as a check asks: matched predictions, judged by the one rule."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from tidegate.core.monitor import QUALITY_FALSE_ALARMS
from tidegate.core.own_names import PREDICTION
from tidegate.table.quality.answers import Answers, problem_of
from tidegate.table.quality.judge import judge as work
from tidegate.table.watch.matching import IN_ORDER, TRUTH


def judge(
    pairs: Mapping[str, Any],
    evaluation: Mapping[str, Any],
    constraints: Mapping[str, Any],
    least_rows: int,
    statistics: Mapping[str, Any] | None = None,
    false_alarms: float = QUALITY_FALSE_ALARMS,
    before: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Judge predictions whose truth is known, see `tidegate.table.quality.judge`.

    Parameters
    ----------
    pairs : mapping
        ``target`` and ``prediction``, arrays of one length, and whether their rows are ``in_order``.
    evaluation : mapping
        How the champion did on its held-out rows: each metric with ``value``, ``low`` and ``high``.
    constraints, statistics : mapping
        The model quality baseline of the champion's run.
    before : mapping, optional
        The pairs that came before these (`watch.known`).

    Returns
    -------
    dict
        ``rows``, ``verdict``, ``metrics`` (value, low, high, threshold), ``statistics`` and ``violations``
        in Model Monitor's schema, ``sentence``, and ``bias``: by what share of the mean truth predictions of
        numbers are too high.
    """
    problem, in_order = problem_of(constraints), bool(pairs.get(IN_ORDER, False))
    found = work(
        _answers(problem, pairs, in_order),
        constraints,
        statistics,
        evaluation,
        least_rows=least_rows,
        false_alarms=false_alarms,
        before=None if before is None else _answers(problem, before, in_order),
    )
    return {**found.to_dict(), "bias": _bias(problem, pairs)}


def _answers(problem: str, pairs: Mapping[str, Any], in_order: bool) -> Answers:
    return Answers.of_numbers(problem, pairs[TRUTH], pairs[PREDICTION], in_order=in_order)


def _bias(problem: str, pairs: Mapping[str, Any]) -> float | None:
    """Tell by what share of the mean truth predictions of numbers are too high; None of classes."""
    truth, predicted = pairs[TRUTH], pairs[PREDICTION]
    if problem != "Regression" or not len(truth):
        return None
    size = float(np.abs(truth).mean())
    bias = float((predicted - truth).mean()) / size if size else math.nan
    return bias if math.isfinite(bias) else None
