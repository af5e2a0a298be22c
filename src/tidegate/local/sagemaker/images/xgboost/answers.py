"""Writes predictions as the XGBoost image does, plain or selected: CSV, JSON, JSON Lines or RecordIO."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tidegate.local.sagemaker.images.server import Refused

CSV, JSON, JSON_LINES = "text/csv", "application/json", "application/jsonlines"
RECORDIO = "application/x-recordio-protobuf"
ACCEPTED = (JSON, JSON_LINES, RECORDIO, CSV)


def accepted_type(accept: str, default: str) -> str:
    """The media type to answer in, from the Accept header or, without one, from the model's default.

    Raises
    ------
    Refused
        406 when the image cannot write it.
    """
    wanted = accept.partition(";")[0].strip().lower()
    if not wanted or wanted == "*/*":
        wanted = default
    if wanted not in ACCEPTED:
        raise Refused(406, f"Accept type {wanted} is not supported; ask for one of {', '.join(ACCEPTED)}.")
    return wanted


def write(predictions: Any, media_type: str, batch: bool) -> bytes:
    """Write one score a row. In batch transform the rows are plain lines, whatever the Accept says."""
    scores = predictions.tolist()
    if batch:
        return ("\n".join(map(str, scores)) + "\n").encode()
    if media_type == CSV:
        if scores and isinstance(scores[0], list):
            return "".join(",".join(map(str, row)) + "\n" for row in scores).encode()
        return ("\n".join(map(str, scores)) + "\n").encode()
    return _encode([{"score": score} for score in scores], media_type)


def write_selected(
    predictions: Any, keys: Sequence[str], objective: str, classes: int, media_type: str
) -> bytes:
    """Write what `SAGEMAKER_INFERENCE_OUTPUT` asks for, one entry a row; what an objective lacks is NaN."""
    readers: list[tuple[str, _Reader]] = [(key, _SELECTED.get(key, _nothing)) for key in keys]
    entries: list[dict[str, Any]] = [
        {key: read(np.asarray(row), objective, classes) for key, read in readers} for row in predictions
    ]
    if media_type == CSV:
        return (
            "\n".join(",".join(_csv_cell(entry[key]) for key in keys) for entry in entries) + "\n"
        ).encode()
    return _encode(entries, media_type)


def _encode(entries: list[dict[str, Any]], media_type: str) -> bytes:
    if media_type == JSON:
        return json.dumps({"predictions": entries}).encode()
    if media_type == JSON_LINES:
        return "".join(json.dumps(entry) + "\n" for entry in entries).encode()
    from tidegate.local.sagemaker.images.recordio import write_records

    return write_records([{key: np.atleast_1d(value) for key, value in entry.items()} for entry in entries])


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
