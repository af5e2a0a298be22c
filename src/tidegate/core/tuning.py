"""Tuning as a model file asks for it: what is varied, how often, what it is judged by."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from tidegate.core import checks

STRATEGIES = ("bayesian", "random", "grid")
SCALES = ("auto", "linear", "log", "reverse_log")
GOALS = ("minimize", "maximize")
MOST_JOBS = 750
MOST_PARALLEL = 100

_SCALES_ON_AWS = dict(zip(SCALES, ("Auto", "Linear", "Logarithmic", "ReverseLogarithmic"), strict=True))
# Of the metrics that the built-in algorithms document, those of which more is better.
_MORE_IS_BETTER = frozenset(
    ("accuracy", "auc", "aucpr", "beta", "dcg", "f1", "map", "ndcg", "precision", "r2", "recall", "score")
)


@dataclass(frozen=True)
class Range:
    """What one hyperparameter may be: numbers from least to most, or one of a list."""

    least: float | None = None
    most: float | None = None
    scale: str = "auto"
    values: tuple[str, ...] = ()

    @property
    def whole(self) -> bool:
        """Whether its numbers are whole ones."""
        return isinstance(self.least, int) and isinstance(self.most, int)


@dataclass(frozen=True)
class Tuning:
    """How an algorithm's hyperparameters are looked for before it is trained."""

    max_jobs: int
    ranges: dict[str, Range]
    metric: str
    goal: str
    parallel: int = 2
    strategy: str = "bayesian"
    early_stopping: bool = True


def read_tuning(raw: object, metric: str, path: tuple[str, ...]) -> Tuning | None:
    """Check ``algorithms.<name>.tuning`` and complete it; None where nothing is to be tuned.

    Parameters
    ----------
    raw : object
        What the file says.
    metric : str
        What the algorithm is judged by unless the file says otherwise.
    path : tuple of str
        Where it says so.
    """
    if raw is None:
        return None
    entry = checks.mapping(raw, path)
    checks.no_other_keys(entry, Tuning.__dataclass_fields__, path)
    listed = checks.mapping(checks.required(entry, "ranges", path), (*path, "ranges"))
    if not listed:
        checks.refuse("no range is given; name at least one hyperparameter", (*path, "ranges"))
    ranges = {
        checks.text(str(name), path): _read_range(each, (*path, "ranges", str(name)))
        for name, each in listed.items()
    }
    strategy = checks.one_of(entry.get("strategy", "bayesian"), STRATEGIES, (*path, "strategy"))
    count = 1
    for name, each in ranges.items():
        count *= len(each.values)
        if strategy == "grid" and not each.values:
            checks.refuse(f"a grid takes lists of values, and {name} is a range", (*path, "ranges", name))
    given = entry.get("max_jobs", count if strategy == "grid" else None)
    max_jobs = checks.whole(
        checks.required({"max_jobs": given}, "max_jobs", path), 1, MOST_JOBS, (*path, "max_jobs")
    )
    if strategy == "grid" and max_jobs != count:
        checks.refuse(f"the grid has {count} combinations; leave max_jobs out", (*path, "max_jobs"))
    judged = checks.text(entry.get("metric", metric), (*path, "metric"))
    usual = "maximize" if _MORE_IS_BETTER.intersection(re.split(r"[-:_@]", judged)) else "minimize"
    return Tuning(
        max_jobs=max_jobs,
        ranges=ranges,
        metric=judged,
        goal=checks.one_of(entry.get("goal", usual), GOALS, (*path, "goal")),
        parallel=checks.whole(
            entry.get("parallel", min(2, max_jobs)), 1, min(max_jobs, MOST_PARALLEL), (*path, "parallel")
        ),
        strategy=strategy,
        early_stopping=checks.flag(entry.get("early_stopping", True), (*path, "early_stopping")),
    )


def tuning_request(tuning: Tuning, hyperparameters: Mapping[str, str]) -> dict[str, Any]:
    """Return SageMaker's ``HyperParameterTuningJobConfig``, and the hyperparameters that stay as they are."""
    numbers = {name: each for name, each in tuning.ranges.items() if not each.values}
    ranges: dict[str, list[dict[str, Any]]] = {
        kind: [
            {
                "Name": name,
                "MinValue": str(each.least),
                "MaxValue": str(each.most),
                "ScalingType": _SCALES_ON_AWS[each.scale],
            }
            for name, each in numbers.items()
            if each.whole == whole
        ]
        for kind, whole in (("IntegerParameterRanges", True), ("ContinuousParameterRanges", False))
    }
    ranges["CategoricalParameterRanges"] = [
        {"Name": name, "Values": list(each.values)} for name, each in tuning.ranges.items() if each.values
    ]
    limits: dict[str, Any] = {
        "MaxNumberOfTrainingJobs": tuning.max_jobs,
        "MaxParallelTrainingJobs": tuning.parallel,
    }
    return {
        "config": {
            "Strategy": tuning.strategy.capitalize(),
            "HyperParameterTuningJobObjective": {
                "Type": tuning.goal.capitalize(),
                "MetricName": tuning.metric,
            },
            "ResourceLimits": limits,
            "ParameterRanges": {kind: listed for kind, listed in ranges.items() if listed},
            "TrainingJobEarlyStoppingType": "Auto" if tuning.early_stopping else "Off",
        },
        "static": {name: value for name, value in hyperparameters.items() if name not in tuning.ranges},
    }


def plain_tuning(tuning: Tuning) -> dict[str, Any]:
    """Return the canonical form, as `read_tuning` reads it."""
    ranges = {
        name: list(each.values)
        if each.values
        else {"least": each.least, "most": each.most, "scale": each.scale}
        for name, each in tuning.ranges.items()
    }
    return {**asdict(tuning), "ranges": ranges}


def _read_range(raw: object, path: tuple[str, ...]) -> Range:
    if isinstance(raw, list | tuple):
        return _read_values(list(raw), path)
    entry = checks.mapping(raw, path)
    checks.no_other_keys(entry, ("least", "most", "scale"), path)
    bounds = [checks.required(entry, side, path) for side in ("least", "most")]
    for side, bound in zip(("least", "most"), bounds, strict=True):
        checks.number(bound, None, None, (*path, side))
    least, most = bounds
    if least >= most:
        checks.refuse(f"least, {least:g}, is not less than most, {most:g}", path)
    scale = checks.one_of(entry.get("scale", "auto"), SCALES, (*path, "scale"))
    if scale == "log" and least <= 0:
        checks.refuse("a log scale needs numbers greater than 0", (*path, "scale"))
    if scale == "reverse_log" and not 0 <= least < most < 1:
        checks.refuse("a reverse_log scale needs numbers from 0 up to, not including, 1", (*path, "scale"))
    return Range(least, most, scale)


def _read_values(raw: object, path: tuple[str, ...]) -> Range:
    if not isinstance(raw, list | tuple) or not raw:
        checks.refuse("expected least and most, or a list of values", path)
    return Range(values=tuple(checks.scalar(each, path) for each in raw))
