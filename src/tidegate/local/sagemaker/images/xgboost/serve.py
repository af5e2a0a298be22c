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

# A form's fields are no body to the container's web framework, and nothing is asked of the model.
_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")


class Predictor:
    """Answers `/invocations` with a model, under the settings of the container's environment."""

    def __init__(self, model: Model, environment: Mapping[str, str]) -> None:
        self._model = model
        self._most_bytes = most_bytes(environment)
        self._batch = bool(environment.get("SAGEMAKER_BATCH"))
        self._default_accept = environment.get("SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT") or CSV
        selected = environment.get("SAGEMAKER_INFERENCE_OUTPUT")
        self._selected = None if selected is None else selected.replace(" ", "").lower().split(",")

    def __call__(self, body: bytes, content_type: str, accept: str) -> Answer:
        """Parse, predict, answer: in this order, so that the first thing wrong is the one reported."""
        if len(body) > self._most_bytes:
            raise Refused(
                413,
                f"The body has {len(body)} bytes, and this container takes {self._most_bytes} "
                "(its variable MAX_CONTENT_LENGTH): send the rows in smaller parts.",
            )
        if not body or content_type.lower().startswith(_FORMS):
            return Answer(b"", status=204)
        predictions = self._model.predict(parse(body, content_type))
        media_type = accepted_type(accept, self._default_accept)
        if self._selected is None:
            text = write(predictions, media_type, self._batch)
        else:
            text = self._select(predictions, self._selected, media_type)
        # As the container's web framework writes it.
        is_text = media_type.startswith("text/") and "charset" not in media_type
        return Answer(text, f"{media_type}; charset=utf-8" if is_text else media_type)

    def _select(self, predictions: object, keys: list[str], media_type: str) -> bytes:
        objective = self._model.objective
        if not objective.startswith(("reg:", "binary:", "multi:")):
            raise Refused(500, f"Objective {objective} is unsupported for selectable inference predictions.")
        return write_selected(predictions, keys, objective, self._model.classes, media_type, self._batch)


def most_bytes(environment: Mapping[str, str]) -> int:
    """How large a body the container takes: 6 MiB unless `MAX_CONTENT_LENGTH` says otherwise."""
    return int(environment.get("MAX_CONTENT_LENGTH") or 6 * 1024**2)


def main() -> None:
    """Serve the model in `/opt/ml/model`."""
    try:
        model = Model.load(ml_root() / "model")
    except ContainerError as error:
        sys.exit(f"[ERROR] {error}")
    print(f"[INFO] Serving a model of objective {model.objective} with {model.columns} columns.", flush=True)
    payload_mb = most_bytes(os.environ) // 1024**2
    serve(lambda: True, Predictor(model, os.environ), parameters(payload_mb))
