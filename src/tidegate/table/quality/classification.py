"""How good a classifier is: Model Monitor's metrics for two classes and for many.

Formulas are those of the guide to Model Monitor, "Model quality metrics and Amazon CloudWatch monitoring"
(https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-model-quality-metrics.html).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from tidegate.table.columns import Floats

Labels = npt.NDArray[np.str_]
BETAS = {"f1": 1.0, "f2": 2.0}
MOST_POINTS = 100  # of a curve in a file for people


def confusion(truth: Labels, answers: Labels, classes: Sequence[str]) -> Floats:
    """Count rows by true class (lines) and answered class (columns)."""
    places = np.array(classes)
    pairs = np.searchsorted(places, truth) * len(places) + np.searchsorted(places, answers)
    counts = np.bincount(pairs, minlength=len(places) ** 2).astype(np.float64)
    return counts.reshape(len(places), len(places))


def binary_metrics(
    truth: Labels, answers: Labels, positive: str, scores: Floats | None = None
) -> dict[str, float]:
    """Measure a classifier of two classes; NaN where a metric divides by nothing."""
    is_true, is_said = truth == positive, answers == positive
    tp, fn = float((is_true & is_said).sum()), float((is_true & ~is_said).sum())
    fp, tn = float((~is_true & is_said).sum()), float((~is_true & ~is_said).sum())
    found = binary_of_counts(tp, fp, fn, tn)
    if scores is not None:
        found["auc"] = auc(is_true, scores)
    return found


def binary_of_counts(tp: float, fp: float, fn: float, tn: float) -> dict[str, float]:
    """Measure a classifier of two classes by how often it was right and wrong, or is expected to be."""
    recall, precision = _ratio(tp, tp + fn), _ratio(tp, tp + fp)
    return {
        "recall": recall,
        "precision": precision,
        "accuracy": _ratio(tp + tn, tp + tn + fp + fn),
        "truePositiveRate": recall,
        "trueNegativeRate": _ratio(tn, tn + fp),
        "falsePositiveRate": _ratio(fp, tn + fp),
        "falseNegativeRate": _ratio(fn, tp + fn),
        **{name: _f(precision, recall, beta) for name, beta in BETAS.items()},
    }


def multiclass_metrics(truth: Labels, answers: Labels) -> dict[str, float]:
    """Measure a classifier of many classes, each class weighted by its true share."""
    classes = np.union1d(truth, answers).tolist()
    return multiclass_of_counts(confusion(truth, answers, classes))


def multiclass_of_counts(table: Floats) -> dict[str, float]:
    """Measure a classifier of many classes by its confusion matrix, true classes in lines."""
    hits, true, said = np.diag(table), table.sum(axis=1), table.sum(axis=0)
    weights = true / true.sum()
    with np.errstate(divide="ignore", invalid="ignore"):
        recall, precision = np.nan_to_num(hits / true), np.nan_to_num(hits / said)
        scores = {
            f"weighted{name.upper()}": np.nan_to_num(
                (1 + beta**2) * precision * recall / (beta**2 * precision + recall)
            )
            for name, beta in BETAS.items()
        }
    return {
        "accuracy": float(hits.sum() / true.sum()),
        "weightedRecall": float((weights * recall).sum()),
        "weightedPrecision": float((weights * precision).sum()),
        **{name: float((weights * each).sum()) for name, each in scores.items()},
    }


def auc(is_true: npt.NDArray[np.bool_], scores: Floats) -> float:
    """Give the area under the ROC curve: the chance that a true row scores above another; ties count half.

    Mann and Whitney, Annals of Mathematical Statistics 18, 1947; Hanley and McNeil, Radiology 143, 1982.
    """
    positives, negatives = float(is_true.sum()), float((~is_true).sum())
    if not positives or not negatives:
        return math.nan
    _, places, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = np.cumsum(counts) - (counts - 1) / 2
    return float((ranks[places][is_true].sum() - positives * (positives + 1) / 2) / (positives * negatives))


def curves(is_true: npt.NDArray[np.bool_], scores: Floats) -> dict[str, Any]:
    """Give the ROC and the precision-recall curve, at most so many points of each."""
    order = np.argsort(-scores, kind="stable")
    hits = np.cumsum(is_true[order])
    last = np.append(np.flatnonzero(np.diff(scores[order])), len(scores) - 1)
    kept = last[np.unique(np.linspace(0, len(last) - 1, MOST_POINTS).astype(int))]
    tp, said = hits[kept].astype(np.float64), kept + 1.0
    positives, negatives = float(is_true.sum()) or math.nan, float((~is_true).sum()) or math.nan
    return {
        "receiver_operating_characteristic_curve": {
            "false_positive_rates": [0.0, *_numbers((said - tp) / negatives)],
            "true_positive_rates": [0.0, *_numbers(tp / positives)],
        },
        "precision_recall_curve": {
            "precisions": [1.0, *(tp / said).tolist()],
            "recalls": [0.0, *_numbers(tp / positives)],
        },
    }


def _numbers(values: Floats) -> list[float | str]:
    """Write shares of rows of which there are none as Model Monitor writes what JSON has no number for."""
    return [value if math.isfinite(value) else "NaN" for value in values.tolist()]


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else math.nan


def _f(precision: float, recall: float, beta: float) -> float:
    return _ratio((1 + beta**2) * precision * recall, beta**2 * precision + recall)
