"""The evaluation metrics that the image adds to the library's: accuracy, F1, precision, recall, MSE, R².

They follow scikit-learn's definitions (what is undefined counts as 0), without scikit-learn.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from tidegate.local.sagemaker.images.container import ContainerError

_Array = npt.NDArray[Any]


class _Counts:
    """Per class: how often predicted, how often true, how often both."""

    def __init__(self, truth: _Array, guess: _Array) -> None:
        self.classes, codes = np.unique(np.concatenate([truth, guess]), return_inverse=True)
        size = len(self.classes)
        self.true = np.bincount(codes[: len(truth)], minlength=size)
        self.predicted = np.bincount(codes[len(truth) :], minlength=size)
        hits = codes[: len(truth)][codes[: len(truth)] == codes[len(truth) :]]
        self.both = np.bincount(hits, minlength=size)

    def precision(self) -> _Array:
        return _ratio(self.both, self.predicted)

    def recall(self) -> _Array:
        return _ratio(self.both, self.true)

    def f1(self) -> _Array:
        return _ratio(2 * self.both, self.predicted + self.true)

    def of_class_one(self, scores: _Array, name: str) -> float:
        if not set(self.classes.tolist()) <= {0.0, 1.0}:
            raise ContainerError(
                f"Hyperparameter eval_metric: {name} is for two classes; "
                f"with more, use {name.split('_')[0]}_macro."
            )
        return float(scores[self.classes == 1].sum())

    def micro(self) -> float:
        return float(self.both.sum() / max(self.true.sum(), 1))


def _ratio(part: _Array, whole: _Array) -> _Array:
    return np.divide(part, whole, out=np.zeros(len(part)), where=whole != 0)


def _recall_of_true_classes(counts: _Counts) -> float:
    return float(counts.recall()[counts.true > 0].mean())


_CLASSIFICATION: dict[str, Callable[[_Counts], float]] = {
    "accuracy": _Counts.micro,
    "balanced_accuracy": _recall_of_true_classes,
    "f1": lambda counts: float(counts.f1().mean()),
    "f1_macro": lambda counts: float(counts.f1().mean()),
    "f1_binary": lambda counts: counts.of_class_one(counts.f1(), "f1_binary"),
    "precision": lambda counts: counts.of_class_one(counts.precision(), "precision"),
    "precision_macro": lambda counts: float(counts.precision().mean()),
    "precision_micro": _Counts.micro,
    "recall": lambda counts: counts.of_class_one(counts.recall(), "recall"),
    "recall_macro": lambda counts: float(counts.recall().mean()),
    "recall_micro": _Counts.micro,
}


def _mse(truth: _Array, guess: _Array) -> float:
    return float(np.mean((truth - guess) ** 2))


def _r2(truth: _Array, guess: _Array) -> float:
    spread = float(np.sum((truth - truth.mean()) ** 2))
    error = float(np.sum((truth - guess) ** 2))
    if spread == 0:
        return 1.0 if error == 0 else 0.0
    return 1 - error / spread


_REGRESSION: dict[str, Callable[[_Array, _Array], float]] = {"mse": _mse, "r2": _r2}
OWN_METRICS = frozenset({*_CLASSIFICATION, *_REGRESSION})


def evaluator(
    metrics: Sequence[str], objective: str
) -> Callable[[_Array, Any], list[tuple[str, float]]] | None:
    """The function for `xgboost.train(custom_metric=…)` that computes those of `metrics` which are ours."""
    own = [metric for metric in metrics if metric in OWN_METRICS]
    if not own:
        return None

    def evaluate(predictions: _Array, matrix: Any) -> list[tuple[str, float]]:
        truth = matrix.get_label().astype(np.float64)
        counts = None
        scores = []
        for metric in own:
            if metric in _REGRESSION:
                scores.append((metric, _REGRESSION[metric](truth, predictions.astype(np.float64))))
            else:
                counts = counts or _Counts(truth, _labels(predictions, objective))
                scores.append((metric, _CLASSIFICATION[metric](counts)))
        return scores

    return evaluate


def _labels(predictions: _Array, objective: str) -> _Array:
    """The class that a prediction stands for; the library hands over what `predict` would answer."""
    if predictions.ndim == 2:
        return np.asarray(np.argmax(predictions, axis=1), np.float64)
    if objective in ("multi:softmax", "binary:hinge"):
        return np.asarray(predictions, np.float64)
    threshold = 0.0 if objective == "binary:logitraw" else 0.5
    return np.asarray(predictions > threshold, np.float64)
