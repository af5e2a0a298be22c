"""What a run keeps so that checks can estimate: how errors depend on rows, and what columns are worth."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from tidegate.core.own_names import prediction_beside
from tidegate.table.estimate.direct_loss import learn
from tidegate.table.estimate.importance import importances
from tidegate.table.estimate.rows import held_out
from tidegate.table.predictions import read_predictions, read_truth


def estimates(
    truth: bytes, answers: bytes, rows: bytes, kinds: Mapping[str, str]
) -> tuple[dict[str, Any] | None, dict[str, Any] | None]:
    """Learn from the held-out rows; gives the documents of the estimator and of the importances.

    Either is None where there are too few rows to learn from.

    Parameters
    ----------
    truth, answers : bytes
        The CSV `id,target`, and what batch transform answered.
    rows : bytes
        The held-out rows, one JSON object a line, in the same order.
    kinds : mapping of str to str
        The model's inputs, each with its type.
    """
    target = read_truth(truth)
    predictions = read_predictions(answers, "the predictions", len(target))
    columns, chosen = held_out(rows, kinds, predictions)
    estimator = learn(columns, np.abs(predictions - target)[chosen])
    own = prediction_beside(kinds)
    inputs = {name: column for name, column in columns.items() if name != own}
    weighed = importances(inputs, predictions[chosen])
    return estimator.to_dict() if estimator else None, weighed.to_dict() if weighed else None
