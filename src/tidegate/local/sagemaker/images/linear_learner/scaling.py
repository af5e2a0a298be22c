"""Normalization of features and of a regression label, and the way back to raw units."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .dataset import Dataset
from .hyperparameters import Hyperparameters

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Scaling:
    """What is subtracted and divided: ``(x - shift) / scale`` and ``(y - label_shift) / label_scale``."""

    shift: Floats
    scale: Floats
    label_shift: float
    label_scale: float

    def apply(self, data: Dataset) -> None:
        """Normalize the features in place (the labels stay in their own units)."""
        # A difference in 32 bits: the stored values are already distances from the origin.
        data.x[:, 1:] -= (self.shift - data.origin).astype(np.float32)
        data.x[:, 1:] /= self.scale.astype(np.float32)

    def normal_label(self, y: Floats) -> Floats:
        """Return labels as the training sees them."""
        return (y - self.label_shift) / self.label_scale

    def raw_weights(self, weights: Floats) -> tuple[Floats, Floats]:
        """Return (weights, bias) for raw features and scores, from normalized ones with the bias first."""
        raw = weights[1:] / self.scale[:, None] * self.label_scale
        bias = weights[0] * self.label_scale + self.label_shift - self.shift @ raw
        return raw, bias


def fit_scaling(train: Dataset, settings: Hyperparameters, regression: bool, seed: int) -> Scaling:
    """Measure the training data as ``normalize_*`` and ``unbias_*`` ask.

    ``num_point_for_scaler`` rows are measured; a fixed random choice of them does not mind a sorted file.
    """
    points = min(train.rows, settings.whole("num_point_for_scaler"))
    chosen = np.sort(np.random.default_rng(seed).permutation(train.rows)[:points])
    sample = train.x[chosen, 1:].astype(np.float64)
    use_bias = settings.flag("use_bias")
    width = train.features
    # Without a bias term nothing may be centred: it would bring one in through the back door.
    unbias = settings.flag("unbias_data") and use_bias
    shift = train.origin + sample.mean(axis=0) if unbias else np.zeros(width)
    spread = sample.std(axis=0)
    tiny = 1e-7 * np.maximum(1.0, np.abs(sample).max(axis=0, initial=0.0))
    scale = np.where(spread > tiny, spread, 1.0) if settings.flag("normalize_data") else np.ones(width)
    labels = train.y[chosen]
    centre = regression and use_bias and settings.flag("unbias_label")
    label_spread = float(labels.std()) if regression and settings.flag("normalize_label") else 1.0
    return Scaling(shift, scale, float(labels.mean()) if centre else 0.0, label_spread or 1.0)
