"""A trained XGBoost model as the server needs it: loaded once, asked with rows, one or an ensemble."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np

from tidegate.local.sagemaker.images.container import ContainerError
from tidegate.local.sagemaker.images.server import Refused
from tidegate.local.sagemaker.images.xgboost.channels import reason
from tidegate.local.sagemaker.images.xgboost.library import check_model, xgboost


class Model:
    """One booster, or several whose answers are averaged (or put to the vote, where they are classes)."""

    def __init__(self, boosters: list[Any]) -> None:
        self._boosters = boosters
        first = boosters[0]
        learner = json.loads(first.save_config())["learner"]
        self.objective: str = learner["objective"]["name"]
        self.classes = int(learner["learner_model_param"].get("num_class", 0))
        self.columns = int(first.num_features())
        # The linear booster has no in-place prediction.
        self._in_place = learner["gradient_booster"]["name"] != "gblinear"

    @classmethod
    def load(cls, folder: Path) -> Model:
        """Load every model file in the folder (hidden files and folders are passed over).

        Raises
        ------
        ContainerError
            When there is no model file, or one that XGBoost cannot read.
        """
        files = []
        if folder.is_dir():
            files = [path for path in sorted(folder.iterdir()) if path.is_file() and path.name[0] != "."]
        if os.environ.get("SAGEMAKER_INFERENCE_ENSEMBLE", "true") != "true":
            files = files[:1]
        if not files:
            raise ContainerError(
                f"{folder} holds no model: model.tar.gz must have the file xgboost-model at its top."
            )
        return cls([_booster(path) for path in files])

    def predict(self, rows: Any) -> Any:
        """Predict from what `payload.parse` returned; columns that are not there at the end are missing.

        Raises
        ------
        Refused
            400, when the rows have more columns than the model was trained on.
        """
        dense = isinstance(rows, np.ndarray)
        if rows.shape[1] > self.columns:
            raise Refused(
                400,
                f"The model was trained on {self.columns} columns and the request has {rows.shape[1]}; "
                "send the features alone, in the order of the training data.",
            )
        if dense and rows.shape[1] < self.columns:
            lacking = np.full((len(rows), self.columns - rows.shape[1]), np.nan)
            rows = np.hstack([rows, lacking])
        try:
            answers = [self._ask(booster, rows, dense) for booster in self._boosters]
        except xgboost.core.XGBoostError as error:
            raise Refused(400, f"The rows cannot be predicted: {reason(error)}") from error
        if len(answers) == 1:
            return answers[0]
        if self.objective in ("multi:softmax", "binary:hinge"):
            return np.apply_along_axis(
                lambda votes: np.bincount(votes.astype(int)).argmax(), 0, np.array(answers)
            )
        return np.mean(answers, axis=0)

    def _ask(self, booster: Any, rows: Any, dense: bool) -> Any:
        if dense and self._in_place:
            return booster.inplace_predict(rows, validate_features=False)
        return booster.predict(xgboost.DMatrix(rows), validate_features=False)


def _booster(path: Path) -> Any:
    booster, content = xgboost.Booster(), path.read_bytes()
    check_model(path.name, content)
    try:
        # Given as bytes, since the library tells a file's format by its name, which here has none.
        booster.load_model(bytearray(content))
    except xgboost.core.XGBoostError as error:
        raise ContainerError(
            f"{path.name} is not a model that XGBoost {xgboost.__version__} can load: {reason(error)} "
            "Save it with Booster.save_model (pickles are not loaded)."
        ) from error
    booster.set_param({"nthread": 1})  # waking threads costs more than the few rows of a request
    return booster
