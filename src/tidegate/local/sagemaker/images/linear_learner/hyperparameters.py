"""What a training job of Linear Learner was asked to do, checked as AWS's image checks it."""

from __future__ import annotations

from collections.abc import Mapping

from tidegate.core import linear_hyperparameters
from tidegate.core.hyperparameters import BadHyperparameter
from tidegate.core.linear_hyperparameters import PARAMETERS, Hyperparameters
from tidegate.local.sagemaker.images.container import ClientError

__all__ = ["PARAMETERS", "Hyperparameters", "read_hyperparameters"]


def read_hyperparameters(raw: Mapping[str, object]) -> Hyperparameters:
    """Check the strings of ``hyperparameters.json``.

    Raises
    ------
    ClientError
        With one sentence that names the hyperparameter, its value and what is accepted.
    """
    try:
        return linear_hyperparameters.read_hyperparameters(raw)
    except BadHyperparameter as wrong:
        raise ClientError(str(wrong)) from wrong
