"""A model against what really happened, as a check asks: matched predictions, judged by the one rule."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tidegate.core.monitor import QUALITY_FALSE_ALARMS
from tidegate.core.own_names import PREDICTION
from tidegate.table.columns import Floats
from tidegate.table.quality.answers import Answers, problem_of
from tidegate.table.quality.judge import judge as work
from tidegate.table.watch.matching import TRUTH


def judge(
    pairs: Mapping[str, Floats],
    evaluation: Mapping[str, Any],
    constraints: Mapping[str, Any],
    least_rows: int,
    statistics: Mapping[str, Any] | None = None,
    false_alarms: float = QUALITY_FALSE_ALARMS,
) -> dict[str, Any]:
    """Judge predictions whose truth is known, see `tidegate.table.quality.judge`.

    Parameters
    ----------
    pairs : mapping
        ``target`` and ``prediction``, arrays of one length.
    evaluation : mapping
        How the champion did on its held-out rows: each metric with ``value``, ``low`` and ``high``.
    constraints, statistics : mapping
        The model quality baseline of the champion's run.

    Returns
    -------
    dict
        ``rows``, ``verdict``, ``metrics`` (value, low, high, threshold), ``statistics`` and ``violations``
        in Model Monitor's schema, and ``sentence``.
    """
    given = Answers.of_numbers(problem_of(constraints), pairs[TRUTH], pairs[PREDICTION])
    found = work(given, constraints, statistics, evaluation, least_rows=least_rows, false_alarms=false_alarms)
    return found.to_dict()
