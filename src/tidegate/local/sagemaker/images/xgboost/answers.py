"""Writes predictions as the XGBoost image does, plain or selected: CSV, JSON, JSON Lines or RecordIO."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tidegate.local.sagemaker.images.server import Refused

CSV, JSON, JSON_LINES = "text/csv", "application/json", "application/jsonlines"
NPY = "application/x-npy"
RECORDIO = "application/x-recordio-protobuf"
ACCEPTED = (JSON, JSON_LINES, RECORDIO, CSV)


def accepted_type(accept: str, default: str) -> str:
    """The media type to answer in, from the Accept header or, without one, from the model's default.

    The default is taken as it stands: whether the image can write it shows only when it writes.

    Raises
    ------
    Refused
        406 when the image does not know the Accept header's type.
    """
    wanted = accept.partition(";")[0].strip()
    if not wanted or wanted == "*/*":
        return default
    if wanted.lower() not in ACCEPTED:
        raise Refused(406, f"Accept type {wanted} is not supported; ask for one of {', '.join(ACCEPTED)}.")
    return wanted.lower()


def write(predictions: Any, media_type: str, batch: bool) -> bytes:
    """Write one score a row. In batch transform the rows are plain lines, whatever the Accept says.

    Raises
    ------
    Refused
        500 for what the image accepts and cannot write: JSON Lines and RecordIO, in real time.
    """
    scores = predictions.tolist()
    if batch:
        return ("\n".join(map(str, scores)) + "\n").encode()
    if media_type == JSON:
        return json.dumps({"predictions": [{"score": score} for score in scores]}).encode()
    if media_type == CSV:
        rows = (",".join(map(str, row)) if isinstance(row, list) else str(row) for row in scores)
        return "".join(f"{row}\n" for row in rows).encode()
    if media_type == NPY:
        out = io.BytesIO()
        np.save(out, predictions.astype(np.float64))
        return out.getvalue()
    raise Refused(
        500,
        f"The image cannot write plain predictions as {media_type}, though it accepts the type; "
        f"ask for {CSV} or {JSON}.",
    )


def write_selected(
    predictions: Any, keys: Sequence[str], objective: str, classes: int, media_type: str, batch: bool = False
) -> bytes:
    """Write what `SAGEMAKER_INFERENCE_OUTPUT` asks for, one entry a row; what an objective lacks is NaN.

    Raises
    ------
    Refused
        500 for a media type that the image cannot write.
    """
    readers: list[tuple[str, _Reader]] = [(key, _SELECTED.get(key, _nothing)) for key in keys]
    entries: list[dict[str, Any]] = [
        {key: read(np.asarray(row), objective, classes) for key, read in readers} for row in predictions
    ]
    if media_type == CSV:
        rows = [",".join(_csv_cell(entry[key]) for key in keys) for entry in entries]
        return ("\n".join(rows) + "\n" * batch).encode()
    if media_type == JSON:
        return json.dumps({"predictions": entries}).encode()
    if media_type == JSON_LINES:
        return "".join(json.dumps(entry) + "\n" for entry in entries).encode()
    if media_type == RECORDIO:
        return _records(entries)
    raise Refused(500, f"The image cannot write selected predictions as {media_type}.")


def _records(entries: list[dict[str, Any]]) -> bytes:
    """Write RecordIO as the container does: it never empties its buffer, so each record repeats all before.

    A protobuf reader takes the last value of a label that comes twice, and so still finds each row's own.
    """
    from tidegate.local.sagemaker.images.recordio import write_frame, write_record

    written, out = b"", b""
    for entry in entries:
        written += write_record({}, {key: np.atleast_1d(value) for key, value in entry.items()})
        out += write_frame(written)
    return out


_Reader = Callable[[Any, str, int], Any]


def _csv_cell(value: Any) -> str:
    return f'"{value}"' if isinstance(value, list) else str(value)


def _nothing(_row: Any, _objective: str, _classes: int) -> float:
    return math.nan


def _label(row: Any, objective: str, _classes: int) -> Any:
    if objective == "multi:softprob":
        return int(np.argmax(row))
    if objective in ("binary:hinge", "multi:softmax"):
        return row.item()
    if objective in ("binary:logistic", "binary:logitraw"):
        return int(row > (0.5 if objective == "binary:logistic" else 0))
    return math.nan


def _labels(_row: Any, objective: str, classes: int) -> Any:
    if objective.startswith("binary:"):
        return [0, 1]
    return list(range(classes)) if objective.startswith("multi:") else math.nan


def _best(objectives: tuple[str, ...]) -> _Reader:
    def best(row: Any, objective: str, _classes: int) -> Any:
        if objective not in objectives:
            return math.nan
        return row.max().item() if objective == "multi:softprob" else row.item()

    return best


def _all(objectives: tuple[str, ...]) -> _Reader:
    def every(row: Any, objective: str, _classes: int) -> Any:
        if objective not in objectives:
            return math.nan
        return row.tolist() if objective == "multi:softprob" else [1.0 - row.item(), row.item()]

    return every


def _score(row: Any, objective: str, _classes: int) -> Any:
    return row.item() if objective.startswith("reg:") else math.nan


_WITH_PROBABILITY = ("multi:softprob", "binary:logistic")
_WITH_RAW_SCORE = (*_WITH_PROBABILITY, "binary:logitraw", "binary:hinge", "multi:softmax")
_SELECTED: dict[str, _Reader] = {
    "predicted_label": _label,
    "labels": _labels,
    "probability": _best(_WITH_PROBABILITY),
    "probabilities": _all(_WITH_PROBABILITY),
    "raw_score": _best(_WITH_RAW_SCORE),
    "raw_scores": _all(_WITH_RAW_SCORE),
    "predicted_score": _score,
}
