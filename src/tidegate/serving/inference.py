"""The four handlers of SageMaker's scikit-learn container, which turn raw rows into the algorithm's input.

What starts this: the container's model server, with `recipe.json` in the model folder. It answers in the
recipe's content type, text/csv or text/libsvm: the next container's request. Nothing but the standard library
is imported.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any, Tuple, Union

if __package__:
    from tidegate.serving.apply import BadRequest, Recipe, UnsupportedContent
else:  # inside a container the files of this folder lie side by side
    from apply import BadRequest, Recipe, UnsupportedContent  # type: ignore[import-not-found,no-redef]

Encoded = Union[Tuple[str, str], BadRequest, UnsupportedContent]


def model_fn(model_dir: str) -> Recipe:
    """Load the recipe from the model folder.

    A batch may hold columns that came after this model: a champion is judged on the rows of its successor,
    whose model file may list more. A request of the moment with an unknown field is more likely misspelt.
    """
    recipe = json.loads((Path(model_dir) / "recipe.json").read_text("utf-8"))
    return Recipe(recipe, strict=os.environ.get("SAGEMAKER_BATCH", "").lower() != "true")


def input_fn(input_data: str | bytes, content_type: str) -> tuple[str | bytes, str]:
    """Keep the request as it came; it is read together with the recipe."""
    return input_data, content_type


def predict_fn(input_data: tuple[str | bytes, str], model: Recipe) -> Encoded:
    """Encode the rows, with their content type, or give back the refusal for `output_fn` to answer."""
    try:
        return model.encode(*input_data), model.content_type
    except (BadRequest, UnsupportedContent) as refusal:
        return refusal


def output_fn(prediction: Encoded, accept: str) -> Any:  # noqa: ARG001
    """Answer the encoded rows in their own type, whatever the client accepts: the next container reads them.

    AWS's toolkit turns every exception of a handler into a bare 500, so a refusal is answered there as a
    response of Flask, on which that toolkit runs. Elsewhere it is raised, its `http_status` with it.
    """
    if isinstance(prediction, tuple):
        return prediction
    flask = sys.modules.get("flask")
    if flask is None:
        raise prediction
    return flask.Response(str(prediction), status=prediction.http_status, mimetype="text/plain")
