"""The documented metrics of a finished model on one channel, in its raw units."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from .artifact import LinearModel
from .binary import f_beta
from .hyperparameters import Hyperparameters

Floats = npt.NDArray[np.float64]
Metric = tuple[str, str, float]
"""Name, ``loss`` or ``score``, value."""


def final_metrics(
    channel: str, model: LinearModel, scores: Floats, y: Floats, settings: Hyperparameters
) -> Iterator[Metric]:
    """Yield the metrics of a channel; ``scores`` are the model's on it."""
    if model.predictor_type == "regressor":
        yield from _regression(channel, scores, y)
    elif model.predictor_type == "binary_classifier":
        yield from _binary(model, scores, y, settings)
    else:
        yield from _multiclass(scores, y, settings)


def _regression(channel: str, scores: Floats, y: Floats) -> Iterator[Metric]:
    error = scores - y
    mse = float(np.mean(error**2))
    yield "mse", "loss", mse
    yield "absolute_loss", "loss", float(np.mean(np.abs(error)))
    if channel != "test":  # documented: there is a validation:rmse and no test:rmse
        yield "rmse", "loss", mse**0.5
    spread = float(np.var(y))
    # A label that never varies has no variance to explain: a perfect answer is 1, any other 0.
    yield "r2", "score", 1 - mse / spread if spread > 0 else float(mse == 0)
    yield "mae", "loss", float(np.mean(np.abs(error)))


def _binary(model: LinearModel, scores: Floats, y: Floats, settings: Hyperparameters) -> Iterator[Metric]:
    truth, said = y == 1, scores >= model.threshold
    hits = int((truth & said).sum())
    precision = hits / max(1, int(said.sum()))
    recall = hits / max(1, int(truth.sum()))
    specificity = int((~truth & ~said).sum()) / max(1, int((~truth).sum()))
    beta = settings.number("f_beta")
    yield "binary_classification_accuracy", "score", float(np.mean(truth == said))
    yield f"binary_f_{beta:.3f}", "score", float(f_beta(np.asarray(precision), np.asarray(recall), beta))
    yield "precision", "score", precision
    yield "recall", "score", recall
    yield "roc_auc_score", "score", roc_auc(scores, truth)
    yield "binary_balanced_accuracy", "score", (recall + specificity) / 2
    if model.probability:
        chance = np.clip(scores, 1e-15, 1 - 1e-15)
        yield "binary_log_loss", "loss", float(-np.mean(np.where(truth, np.log(chance), np.log1p(-chance))))


def roc_auc(scores: Floats, truth: npt.NDArray[Any]) -> float:
    """Return the area under the ROC curve (Mann and Whitney's statistic); 0.5 when one class is absent.

    Examples
    --------
    >>> roc_auc(np.array([0.1, 0.4, 0.35, 0.8]), np.array([False, False, True, True]))
    0.75
    """
    positives = int(truth.sum())
    negatives = len(truth) - positives
    if not positives or not negatives:
        return 0.5
    _, inverse, counts = np.unique(scores, return_inverse=True, return_counts=True)
    mean_rank = np.cumsum(counts) - (counts - 1) / 2
    ranks = float(mean_rank[inverse][truth].sum())
    return (ranks - positives * (positives + 1) / 2) / (positives * negatives)


def _multiclass(scores: Floats, y: Floats, settings: Hyperparameters) -> Iterator[Metric]:
    truth, classes = y.astype(np.int64), scores.shape[1]
    said = scores.argmax(axis=1)
    rank = (scores > scores[np.arange(len(y)), truth][:, None]).sum(axis=1)
    top = settings.whole("accuracy_top_k")
    beta = settings.number("f_beta")
    hits = np.bincount(truth[said == truth], minlength=classes)
    seen, called = np.bincount(truth, minlength=classes), np.bincount(said, minlength=classes)
    # Classes that the channel lacks have no recall: they are left out of the means.
    there = seen > 0
    recall = hits[there] / seen[there]
    precision = hits[there] / np.maximum(called[there], 1)
    yield "multiclass_accuracy", "score", float(np.mean(said == truth))
    yield f"multiclass_top_k_accuracy_{top}", "score", float(np.mean(rank < top))
    yield "dcg", "score", float(np.mean(1 / np.log2(rank + 2)))
    yield "macro_recall", "score", float(recall.mean())
    yield "macro_precision", "score", float(precision.mean())
    yield f"macro_f_{beta:.3f}", "score", float(f_beta(precision, recall, beta).mean())
    yield "multiclass_balanced_accuracy", "score", float(recall.mean())
    chance = np.maximum(scores[np.arange(len(y)), truth], 1e-15)
    yield "multiclass_log_loss", "loss", float(-np.mean(np.log(chance)))
