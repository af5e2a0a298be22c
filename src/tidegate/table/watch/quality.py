"""A model against what really happened, as a check asks: matched predictions, judged by the one rule."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

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
        in Model Monitor's schema, and ``sentence``.
    """
    problem, in_order = problem_of(constraints), bool(pairs.get(IN_ORDER, False))
    return work(
        _answers(problem, pairs, in_order),
        constraints,
        statistics,
        evaluation,
        least_rows=least_rows,
        false_alarms=false_alarms,
        before=None if before is None else _answers(problem, before, in_order),
    ).to_dict()


def _answers(problem: str, pairs: Mapping[str, Any], in_order: bool) -> Answers:
    return Answers.of_numbers(problem, pairs[TRUTH], pairs[PREDICTION], in_order=in_order)
