"""The documented losses: for each the mean objective of every candidate, and its slope by the score.

Scores are a matrix (rows, candidates), or (rows, classes, candidates) for softmax. Regression losses see
normalized labels, so that ``huber_delta`` and ``loss_insensitivity`` are in units of the normalized label
(with ``normalize_label`` false: in label units). The documentation does not say which; a default of 1.0 for
every data set only makes sense so.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .hyperparameters import Hyperparameters

Matrix = npt.NDArray[Any]
Evaluate = Callable[[Matrix, Matrix], tuple[Matrix, Matrix]]
"""(scores, labels as a column) -> (losses, slopes), each shaped like its scores (softmax: losses per row)."""


@dataclass(frozen=True)
class Loss:
    """One loss.

    Attributes
    ----------
    objective
        The name that log lines carry.
    evaluate
        Losses and slopes of a batch.
    curvature
        The largest second derivative by the score; zero for losses with corners.
    quadratic
        Whether the loss is (nearly everywhere) a parabola, so that few exact steps suffice.
    degree
        Losses in label units are ``label_scale ** degree`` times those in normalized units.
    """

    objective: str
    evaluate: Evaluate
    curvature: float
    quadratic: bool
    degree: int


def make_loss(settings: Hyperparameters) -> Loss:
    """Return the loss that the job asks for."""
    name = settings.text("loss")
    delta = settings.number("huber_delta")
    slack = settings.number("loss_insensitivity")
    table: dict[str, Callable[[], Loss]] = {
        "squared_loss": lambda: Loss("mse_objective", _squared(0.0), 2.0, True, 2),
        "eps_insensitive_squared_loss": lambda: Loss(
            "eps_insensitive_squared_loss_objective", _squared(slack), 2.0, True, 2
        ),
        "huber_loss": lambda: Loss("huber_loss_objective", _huber(delta), 1.0, True, 2),
        "absolute_loss": lambda: Loss("absolute_loss_objective", _pinball(0.5, 0.0, 2.0), 0.0, False, 1),
        "eps_insensitive_absolute_loss": lambda: Loss(
            "eps_insensitive_absolute_loss_objective", _pinball(0.5, slack, 2.0), 0.0, False, 1
        ),
        "quantile_loss": lambda: Loss(
            "quantile_loss_objective", _pinball(settings.number("quantile"), 0.0, 1.0), 0.0, False, 1
        ),
        "logistic": lambda: Loss("binary_classification_cross_entropy_objective", _logistic, 0.25, False, 0),
        "hinge_loss": lambda: Loss("hinge_loss_objective", _hinge(settings.number("margin")), 0.0, False, 0),
        "softmax_loss": lambda: Loss("multiclass_cross_entropy_objective", _softmax, 0.5, False, 0),
    }
    return table[name]()


def _squared(slack: float) -> Evaluate:
    def evaluate(scores: Matrix, labels: Matrix) -> tuple[Matrix, Matrix]:
        error = scores - labels
        if slack:
            error = np.sign(error) * np.maximum(np.abs(error) - slack, 0)
        return error * error, 2 * error

    return evaluate


def _huber(delta: float) -> Evaluate:
    def evaluate(scores: Matrix, labels: Matrix) -> tuple[Matrix, Matrix]:
        error = scores - labels
        near = np.clip(error, -delta, delta)
        return near * (error - near / 2), near

    return evaluate


def _pinball(quantile: float, slack: float, factor: float) -> Evaluate:
    def evaluate(scores: Matrix, labels: Matrix) -> tuple[Matrix, Matrix]:
        error = scores - labels
        slope = np.where(error > 0, factor * (1 - quantile), -factor * quantile)
        distance = np.maximum(np.abs(error) - slack, 0)
        slope = np.where(distance > 0, slope, 0).astype(scores.dtype)
        return np.abs(slope) * distance, slope

    return evaluate


def _logistic(scores: Matrix, labels: Matrix) -> tuple[Matrix, Matrix]:
    # log(1 + e^s) - y s without overflow.
    small = np.exp(-np.abs(scores))
    losses = np.maximum(scores, 0) - labels * scores + np.log1p(small)
    chance = np.where(scores >= 0, 1 / (1 + small), small / (1 + small))
    return losses, chance - labels


def _hinge(margin: float) -> Evaluate:
    def evaluate(scores: Matrix, labels: Matrix) -> tuple[Matrix, Matrix]:
        sign = 2 * labels - 1
        lack = margin - sign * scores
        return np.maximum(lack, 0), np.where(lack > 0, -sign, 0).astype(scores.dtype)

    return evaluate


def _softmax(scores: Matrix, labels: Matrix) -> tuple[Matrix, Matrix]:
    top = scores.max(axis=1, keepdims=True)
    chance = np.exp(scores - top)
    total = chance.sum(axis=1, keepdims=True)
    rows = np.arange(len(scores))
    truth = labels[:, 0].astype(np.intp)
    losses = np.log(total[:, 0]) + top[:, 0] - scores[rows, truth]
    chance /= total
    chance[rows, truth] -= 1
    return losses, chance
