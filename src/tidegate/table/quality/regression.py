"""The model-quality baseline of a regression: metrics and constraints as Model Monitor writes them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tidegate.core.errors import BadPredictions
from tidegate.table.columns import Floats
from tidegate.table.predictions import read_predictions, read_truth
from tidegate.table.profile.moments import Moments

LEAST_ROWS_FOR_DEVIATION = 200
SAMPLES = 5
SAMPLE_SHARE = 0.8
OPERATORS = {
    "mae": "GreaterThanThreshold",
    "mse": "GreaterThanThreshold",
    "rmse": "GreaterThanThreshold",
    "r2": "LessThanThreshold",
}


@dataclass(frozen=True)
class RegressionErrors:
    """What a regression's errors sum up to, as a state that adds."""

    absolute: float
    squared: float
    truth: Moments

    @classmethod
    def of(cls, truth: Floats, predictions: Floats) -> RegressionErrors:
        """Sum up the errors of predictions."""
        errors = predictions - truth
        return cls(float(np.abs(errors).sum()), float((errors**2).sum()), Moments.of(truth))

    def __add__(self, other: RegressionErrors) -> RegressionErrors:
        """Sum up the errors of both."""
        return RegressionErrors(
            self.absolute + other.absolute, self.squared + other.squared, self.truth + other.truth
        )

    def metrics(self) -> dict[str, float]:
        """Give mae, mse, rmse and r2; r2 is NaN where the truth never varies."""
        mse = self.squared / self.truth.count
        return {
            "mae": self.absolute / self.truth.count,
            "mse": mse,
            "rmse": math.sqrt(mse),
            "r2": 1 - self.squared / self.truth.m2 if self.truth.m2 > 0 else math.nan,
        }


def model_quality(
    truth: Path | bytes | Floats, predictions: bytes | Floats, problem_type: str = "Regression"
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Measure predictions against the truth and derive what later predictions must keep to.

    The standard deviation of a metric is that of five random samples of 80 % of the rows, and "NaN" below
    200 rows, as the guide to Model Monitor says under "Model quality metrics"; the samples are seeded, so
    that the same rows give the same files.

    Parameters
    ----------
    truth : Path, bytes or array
        The CSV `id,target`, or the targets.
    predictions : bytes or array
        What batch transform answered, or the predictions.
    problem_type : str
        ``Regression``, the one kind that Tidegate trains.

    Returns
    -------
    tuple of dict
        The contents of `statistics.json` and `constraints.json`.

    Raises
    ------
    BadPredictions
        If the predictions do not fit the rows.
    """
    if problem_type != "Regression":
        raise ValueError(f"problem type {problem_type!r} has no baseline here; only 'Regression' has")
    target = truth if isinstance(truth, np.ndarray) else read_truth(truth)
    found = predictions if isinstance(predictions, np.ndarray) else _read(predictions, len(target))
    if len(found) != len(target) or not len(target):
        raise BadPredictions(f"there are {len(found)} predictions for {len(target)} rows; both are needed")
    values = RegressionErrors.of(target, found).metrics()
    deviations = _deviations(target, found)
    statistics = {
        "version": 0.0,
        "dataset": {"item_count": len(target)},
        "regression_metrics": {
            metric: {"value": _number(value), "standard_deviation": _number(deviations[metric])}
            for metric, value in values.items()
        },
    }
    constraints = {
        "version": 0.0,
        "regression_constraints": {
            metric: {"threshold": value, "comparison_operator": OPERATORS[metric]}
            for metric, value in values.items()
            if math.isfinite(value)
        },
    }
    return statistics, constraints


def _read(predictions: bytes, rows: int) -> Floats:
    return read_predictions(predictions, "the predictions", rows)


def _deviations(target: Floats, predictions: Floats) -> dict[str, float]:
    if len(target) < LEAST_ROWS_FOR_DEVIATION:
        return dict.fromkeys(OPERATORS, math.nan)
    rng = np.random.default_rng(len(target))
    size = int(SAMPLE_SHARE * len(target))
    samples = []
    for _ in range(SAMPLES):
        rows = rng.permutation(len(target))[:size]
        samples.append(RegressionErrors.of(target[rows], predictions[rows]).metrics())
    return {metric: float(np.std([sample[metric] for sample in samples], ddof=1)) for metric in OPERATORS}


def _number(value: float) -> float | str:
    return value if math.isfinite(value) else "NaN"
