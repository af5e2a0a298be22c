"""Write predictions in the documented answer formats.

``text/csv`` is not documented for the built-in algorithm; here it gives one line a row: the score (or all the
classes' scores), then the label where there is one.
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import numpy.typing as npt

from tidegate.local.sagemaker.images.recordio import write_records

from .artifact import LinearModel

Floats = npt.NDArray[np.float64]

FORMATS = ("application/json", "application/jsonlines", "application/x-recordio-protobuf", "text/csv")
"""What can be asked for with Accept; the first is the default."""


def render(model: LinearModel, rows: Floats, media: str) -> bytes:
    """Return the body that answers ``rows``.

    Examples
    --------
    >>> model = LinearModel("regressor", np.array([[2.0]]), np.array([0.5]))
    >>> render(model, np.array([[1.0], [3.0]]), "application/jsonlines").decode().splitlines()
    ['{"score": 2.5}', '{"score": 6.5}']
    """
    scores = model.scores(rows)
    labels = model.labels(scores)
    if media == "application/x-recordio-protobuf":
        return write_records(_tensors(scores, labels))
    if media == "text/csv":
        columns = scores if scores.ndim > 1 else scores[:, None]
        shown = [[repr(number) for number in row] for row in columns.tolist()]
        if labels is not None:
            shown = [[*row, str(label)] for row, label in zip(shown, labels.tolist(), strict=True)]
        return "".join(",".join(row) + "\n" for row in shown).encode()
    if media == "application/jsonlines" and labels is None and np.isfinite(scores).all():
        # What json.dumps writes, at a quarter of its cost: a batch has as many answers as rows.
        return "".join([f'{{"score": {score!r}}}\n' for score in scores.tolist()]).encode()
    predictions = _predictions(scores, labels)
    if media == "application/jsonlines":
        return "".join(json.dumps(one) + "\n" for one in predictions).encode()
    return json.dumps({"predictions": predictions}).encode()


def _predictions(scores: Floats, labels: npt.NDArray[np.int64] | None) -> list[dict[str, Any]]:
    if labels is None:
        return [{"score": score} for score in scores.tolist()]
    pairs = zip(scores.tolist(), labels.tolist(), strict=True)
    return [{"score": score, "predicted_label": label} for score, label in pairs]


def _tensors(scores: Floats, labels: npt.NDArray[np.int64] | None) -> list[dict[str, Floats]]:
    records = [{"score": np.atleast_1d(score)} for score in scores]
    if labels is not None:
        for record, label in zip(records, labels, strict=True):
            record["predicted_label"] = np.atleast_1d(np.float64(label))
    return records
