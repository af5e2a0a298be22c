"""The model server of the XGBoost image: loads the model, then answers predictions until SIGTERM."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping

from tidegate.local.sagemaker.images.container import ContainerError, ml_root
from tidegate.local.sagemaker.images.server import Answer, Refused, parameters, serve
from tidegate.local.sagemaker.images.xgboost.answers import CSV, accepted_type, write, write_selected
from tidegate.local.sagemaker.images.xgboost.model import Model
from tidegate.local.sagemaker.images.xgboost.payload import parse


class Predictor:
    """Answers `/invocations` with a model, under the settings of the container's environment."""

    def __init__(self, model: Model, environment: Mapping[str, str]) -> None:
        self._model = model
        self._batch = bool(environment.get("SAGEMAKER_BATCH"))
        self._default_accept = environment.get("SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT") or CSV
        selected = environment.get("SAGEMAKER_INFERENCE_OUTPUT", "").replace(" ", "").lower()
        self._selected = selected.split(",") if selected else []

    def __call__(self, body: bytes, content_type: str, accept: str) -> Answer:
        """Parse, predict, answer: in this order, so that the first thing wrong is the one reported."""
        if not body:
            return Answer(b"", status=204)
        predictions = self._model.predict(parse(body, content_type))
        media_type = accepted_type(accept, self._default_accept)
        if self._selected:
            return Answer(self._select(predictions, media_type), media_type)
        return Answer(write(predictions, media_type, self._batch), media_type)

    def _select(self, predictions: object, media_type: str) -> bytes:
        objective = self._model.objective
        if not objective.startswith(("reg:", "binary:", "multi:")):
            raise Refused(500, f"Objective {objective} is unsupported for selectable inference predictions.")
        return write_selected(predictions, self._selected, objective, self._model.classes, media_type)


def main() -> None:
    """Serve the model in `/opt/ml/model`."""
    try:
        model = Model.load(ml_root() / "model")
    except ContainerError as error:
        sys.exit(f"[ERROR] {error}")
    print(f"[INFO] Serving a model of objective {model.objective} with {model.columns} columns.", flush=True)
    payload_mb = int(os.environ.get("MAX_CONTENT_LENGTH") or 6 * 1024**2) // 1024**2
    serve(lambda: True, Predictor(model, os.environ), parameters(payload_mb))
