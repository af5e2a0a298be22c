"""Choosing the cut of a binary classifier: the threshold that is best by the documented criterion."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from .hyperparameters import Hyperparameters

Matrix = npt.NDArray[Any]


def best_cut(scores: Matrix, labels: Matrix, settings: Hyperparameters) -> tuple[Matrix, Matrix]:
    """Return for each column of ``scores`` the best criterion value and the threshold that reaches it.

    Examples
    --------
    >>> from .hyperparameters import read_hyperparameters
    >>> job = read_hyperparameters({"predictor_type": "binary_classifier"})
    >>> value, cut = best_cut(np.array([[0.1], [0.2], [0.9]]), np.array([0, 0, 1]), job)
    >>> float(value[0]), 0.2 < float(cut[0]) <= 0.9
    (1.0, True)
    """
    order = np.argsort(-scores, axis=0, kind="stable")
    ranked = np.take_along_axis(scores, order, axis=0)
    truth = labels[order].astype(np.float64)
    rows, columns = scores.shape
    # Row k: what holds when the k highest scores are called positive.
    hits = np.vstack([np.zeros((1, columns)), np.cumsum(truth, axis=0)])
    called = np.arange(rows + 1)[:, None]
    positives = hits[-1:]
    recall = hits / np.maximum(positives, 1)
    precision = np.where(called > 0, hits / np.maximum(called, 1), 1.0)
    value = _criterion(settings, hits, called, positives, precision, recall, rows)
    # A cut cannot fall between two equal scores.
    inside = np.zeros((1, columns), dtype=bool)
    value[np.vstack([inside, ranked[1:] == ranked[:-1], inside])] = -np.inf
    best = np.argmax(value, axis=0)
    column = np.arange(columns)
    above = ranked[np.maximum(best - 1, 0), column]
    below = ranked[np.minimum(best, rows - 1), column]
    cut = np.where(best == 0, ranked[0] + 1e-6, np.where(best == rows, ranked[-1], (above + below) / 2))
    return value[best, column], cut


def _criterion(
    settings: Hyperparameters,
    hits: Matrix,
    called: Matrix,
    positives: Matrix,
    precision: Matrix,
    recall: Matrix,
    rows: int,
) -> Matrix:
    name = settings.text("binary_classifier_model_selection_criteria")
    if name == "f_beta":
        return f_beta(precision, recall, settings.number("f_beta"))
    # Where the target is out of reach, being nearest to it is best (and always worse than reaching it).
    if name == "precision_at_target_recall":
        target = settings.number("target_recall")
        return np.where(recall >= target, precision, recall - target - 1)
    if name == "recall_at_target_precision":
        target = settings.number("target_precision")
        return np.where((precision >= target) & (called > 0), recall, precision - target - 1)
    accuracy: Matrix = (hits + (rows - positives) - (called - hits)) / rows
    return accuracy


def f_beta(precision: Matrix, recall: Matrix, beta: float) -> Matrix:
    """Return the F-beta score, zero where precision and recall both are."""
    weight = beta * beta
    below: Matrix = weight * precision + recall
    return np.where(below > 0, (1 + weight) * precision * recall / np.where(below > 0, below, 1), 0.0)
