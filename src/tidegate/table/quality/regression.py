"""The model-quality baseline of a regression: metrics and constraints as Model Monitor writes them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from tidegate.core.errors import BadPredictions
from tidegate.core.sentences import say
from tidegate.table.columns import Floats
from tidegate.table.predictions import read_predictions, read_truth
from tidegate.table.quality.answers import Answers, quality_files
from tidegate.table.quality.errors import RegressionErrors

__all__ = ["RegressionErrors", "model_quality"]


def model_quality(
    truth: Path | bytes | Floats, predictions: bytes | Floats, problem_type: str = "Regression"
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Measure predictions against the truth and derive what later predictions must keep to.

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
        raise BadPredictions(
            say(
                "there are {found} predictions for {wanted} rows; both are needed",
                found=len(found),
                wanted=len(target),
            )
        )
    return quality_files(Answers("Regression", target, found))


def _read(predictions: bytes, rows: int) -> Floats:
    return read_predictions(predictions, "the predictions", rows)
