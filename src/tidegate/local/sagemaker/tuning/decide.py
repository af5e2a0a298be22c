"""What a tuning job decides on its way: which job is best, which is hopeless, and whether to go on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, median
from typing import Any

_NO_METRIC_AFTER = 5


@dataclass(frozen=True)
class Trial:
    """A training job of a tuning job that has ended: its status, and its objective if it gave one."""

    status: str
    objective: float | None


def is_better(one: float, other: float, maximize: bool) -> bool:
    """Tell whether an objective beats another."""
    return one > other if maximize else one < other


def best_of(objectives: Iterable[float | None], maximize: bool) -> float | None:
    """Return the best of the objectives that there are."""
    known = [each for each in objectives if each is not None]
    return (max(known) if maximize else min(known)) if known else None


def is_hopeless(values: Sequence[float], earlier: Iterable[Sequence[float]], maximize: bool) -> bool:
    """Tell whether early stopping ends a running job: the median rule.

    AWS: its objective is compared, at each epoch, with the median of the running averages that earlier jobs
    had up to the same epoch; it stops when it is worse
    (docs.aws.amazon.com/sagemaker/latest/dg/automatic-model-tuning-early-stopping.html).

    >>> is_hopeless([5.0], [[1.0, 0.5], [3.0, 2.0]], maximize=False)
    True
    >>> is_hopeless([1.5], [[1.0, 0.5], [3.0, 2.0]], maximize=False)
    False
    """
    averages = [fmean(each[: len(values)]) for each in earlier if len(each) >= len(values) > 0]
    return bool(averages) and is_better(median(averages), values[-1], maximize)


def reason_to_end(trials: Sequence[Trial], criteria: Mapping[str, Any], maximize: bool) -> str | None:
    """Return why no further job is to be started, by ``TuningJobCompletionCriteria``; None to go on."""
    best = best_of((trial.objective for trial in trials), maximize)
    target = criteria.get("TargetObjectiveMetricValue")
    if target is not None and best is not None and not is_better(target, best, maximize):
        return f"the objective reached {best:g}, and {target:g} was asked for"
    patience = criteria.get("BestObjectiveNotImproving", {}).get("MaxNumberOfTrainingJobsNotImproving")
    if patience is not None and not_improving(trials, maximize) >= patience:
        return f"{patience} jobs in a row did not improve the objective"
    return None


def not_improving(trials: Sequence[Trial], maximize: bool) -> int:
    """Count the jobs since the last one that was better than all before it."""
    count, best = 0, None
    for trial in trials:
        if trial.objective is not None and (best is None or is_better(trial.objective, best, maximize)):
            best, count = trial.objective, 0
        else:
            count += 1
    return count


def hopeless_reason(trials: Sequence[Trial], over: bool) -> str | None:
    """Return why a tuning job fails, in AWS's words; None while there is hope.

    Parameters
    ----------
    trials
        The jobs that have ended.
    over
        Whether no other is running or to come.
    """
    if any(trial.objective is not None for trial in trials):
        return None
    if over and trials and all(trial.status == "Failed" for trial in trials):
        return (
            "All training jobs failed. Please take a look at the training jobs failures to get more details."
        )
    completed = sum(trial.status == "Completed" for trial in trials)
    if completed >= _NO_METRIC_AFTER or (over and completed):
        return (
            f"No objective metrics found after running {completed} training jobs. Please ensure that the "
            "custom algorithm is emitting the objective metric as defined by the regular expression provided."
        )
    return None
