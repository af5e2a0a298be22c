"""The trained model on disk and in memory.

Amazon's artifact is an MXNet archive; this one is our own and open: ``model.json`` (what the model is) beside
``weights.npy`` and ``bias.npy`` (raw feature units, one column a class), read with pickling refused. The two
cannot be exchanged.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

_FORMAT = "tidegate-linear-learner"
_VERSION = 1


class ModelUnreadable(Exception):
    """The model folder does not hold a model of ours; the message says what is missing or wrong."""


@dataclass(frozen=True)
class LinearModel:
    """A linear model in raw feature units.

    Attributes
    ----------
    weights, bias
        Shapes (features, outputs) and (outputs,): one output, or one for each class.
    threshold
        The score from which a binary classifier says 1.
    probability
        Whether scores are probabilities (logistic, softmax) rather than margins (hinge).
    """

    predictor_type: str
    weights: Floats
    bias: Floats
    threshold: float = 0.5
    probability: bool = True
    about: dict[str, Any] | None = None

    @property
    def features(self) -> int:
        """How many features a row must have."""
        return int(self.weights.shape[0])

    def scores(self, x: Floats) -> Floats:
        """Return one number a row, or one probability for each class.

        Examples
        --------
        >>> model = LinearModel("regressor", np.array([[2.0], [0.5]]), np.array([1.0]))
        >>> model.scores(np.array([[1.0, 4.0]])).tolist()
        [5.0]
        """
        return self.scores_of(x @ self.weights + self.bias)

    def scores_of(self, raw: Floats) -> Floats:
        """Return the scores that raw outputs (rows, outputs) stand for."""
        if self.predictor_type == "multiclass_classifier":
            chance = np.exp(raw - raw.max(axis=1, keepdims=True))
            normal: Floats = chance / chance.sum(axis=1, keepdims=True)
            return normal
        column: Floats = raw[:, 0]
        if self.predictor_type == "binary_classifier" and self.probability:
            return sigmoid(column)
        return column

    def labels(self, scores: Floats) -> npt.NDArray[np.int64] | None:
        """Return the predicted labels of a classifier's scores; None for a regressor."""
        if self.predictor_type == "regressor":
            return None
        if self.predictor_type == "binary_classifier":
            return (scores >= self.threshold).astype(np.int64)
        highest: npt.NDArray[np.int64] = scores.argmax(axis=1)
        return highest

    def save(self, folder: Path) -> None:
        """Write the model's files into ``folder``."""
        folder.mkdir(parents=True, exist_ok=True)
        np.save(folder / "weights.npy", self.weights)
        np.save(folder / "bias.npy", self.bias)
        description = {
            "format": _FORMAT,
            "version": _VERSION,
            "predictor_type": self.predictor_type,
            "features": self.features,
            "threshold": self.threshold,
            "probability": self.probability,
            "about": self.about or {},
        }
        (folder / "model.json").write_text(json.dumps(description, indent=1) + "\n")

    @classmethod
    def load(cls, folder: Path) -> LinearModel:
        """Read a model back.

        Raises
        ------
        ModelUnreadable
            With one sentence on what is wrong with the folder.
        """
        try:
            told = json.loads((folder / "model.json").read_text())
            weights = np.load(folder / "weights.npy", allow_pickle=False)
            bias = np.load(folder / "bias.npy", allow_pickle=False)
            if told["format"] != _FORMAT or told["version"] != _VERSION:
                raise ModelUnreadable(
                    f"{folder} holds {told['format']!r} version {told['version']!r}; this image reads "
                    f"{_FORMAT!r} version {_VERSION}. Train the model again with this image."
                )
            if weights.ndim != 2 or bias.shape != weights.shape[1:] or len(weights) != told["features"]:
                raise ModelUnreadable(f"{folder}: weights.npy, bias.npy and model.json do not fit together.")
            return cls(
                told["predictor_type"], weights, bias, told["threshold"], told["probability"], told["about"]
            )
        except FileNotFoundError as error:
            raise ModelUnreadable(
                f"{folder} has no {Path(str(error.filename)).name}: it is not a model that the local Linear "
                "Learner wrote (Amazon's own artifact has another format)."
            ) from error
        except (ValueError, KeyError, TypeError) as error:
            raise ModelUnreadable(f"{folder} holds a damaged model: {error}.") from error


def sigmoid(margin: Floats) -> Floats:
    """Return ``1 / (1 + exp(-margin))`` without overflow."""
    small = np.exp(-np.abs(margin))
    chance: Floats = np.where(margin >= 0, 1 / (1 + small), small / (1 + small))
    return chance
