"""What goes to a model's endpoints, and what the caller gets back: predictions combined, as JSON or CSV."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tidegate.api.exchange import CSV, JSON, Answer
from tidegate.api.unseen import Unseen, count_of, warnings_of
from tidegate.core.combine import combine
from tidegate.core.own_names import listed


@dataclass(frozen=True)
class Predicted:
    """The predictions for the records of one request.

    Parameters
    ----------
    model, rule : str
        The model and how its algorithms' predictions became one.
    inference_id : str
        What the endpoints were told, and so what the captured requests carry.
    versions : mapping of str to str
        By algorithm, the SageMaker model that answered.
    by_algorithm : mapping of str to list of float
        The predictions, one a record.
    combined : list of float
        One a record.
    ids : list, optional
        What the records call themselves, where they do.
    failed : mapping of str to str
        By algorithm, why it did not answer.
    unseen : mapping
        By a record's place, its fields whose value no algorithm learned.
    """

    model: str
    rule: str
    inference_id: str
    versions: Mapping[str, str]
    by_algorithm: Mapping[str, Sequence[float]]
    combined: Sequence[float]
    ids: Sequence[Any] | None = None
    failed: Mapping[str, str] = field(default_factory=dict)
    unseen: Unseen = field(default_factory=dict)


def prediction_id(inference_id: str, index: int) -> str:
    """Name the prediction for one record of a request.

    The part before the slash is the inference id of the captured request, the part after it the place of the
    record in it, from 0: so a captured row and its ground truth meet.
    """
    return f"{inference_id}/{index}"


def rows_for(features: Iterable[str], records: Sequence[Mapping[str, Any]]) -> str:
    """Write records as the JSON that a recipe reads: by name, so that the order of columns cannot matter."""
    wanted = list(features)
    return json.dumps(
        [{name: record[name] for name in wanted if name in record} for record in records],
        ensure_ascii=False,
        separators=(",", ":"),
    )


def combined(
    rule: str, by_algorithm: Mapping[str, Sequence[float]], weights: Mapping[str, float]
) -> list[float]:
    """Combine the algorithms' predictions, record by record."""
    names = list(by_algorithm)
    return [
        combine(rule, dict(zip(names, values, strict=True)), weights)
        for values in zip(*by_algorithm.values(), strict=True)
    ]


def write(predicted: Predicted, kind: str) -> Answer:
    """Write the answer in the type that was asked for."""
    if kind == CSV:
        return Answer(_as_csv(predicted), CSV, headers=_told_in_headers(predicted))
    return Answer(json.dumps(_as_dict(predicted), ensure_ascii=False), JSON)


def _as_dict(predicted: Predicted) -> dict[str, Any]:
    names = list(predicted.by_algorithm)
    rows = zip(predicted.combined, zip(*predicted.by_algorithm.values(), strict=True), strict=True)
    predictions = [
        {
            "prediction_id": prediction_id(predicted.inference_id, index),
            "prediction": value,
            "by_algorithm": dict(zip(names, each, strict=True)),
        }
        for index, (value, each) in enumerate(rows)
    ]
    for entry, name in zip(predictions, predicted.ids or (), strict=False):
        entry["id"] = name
    document: dict[str, Any] = {
        "model": predicted.model,
        "combine": predicted.rule,
        "versions": dict(predicted.versions),
        "predictions": predictions,
    }
    if predicted.failed:
        document["failed"] = dict(predicted.failed)
    if predicted.unseen:
        document["warnings"] = warnings_of(predicted.unseen)
        if left := count_of(predicted.unseen) - len(document["warnings"]):
            document["warnings_left_out"] = left
    return document


def _as_csv(predicted: Predicted) -> str:
    out = io.StringIO()
    writer = csv.writer(out)
    named = ["id"] if predicted.ids is not None else []
    columns = [f"prediction_{name}" for name in predicted.by_algorithm]
    writer.writerow(["prediction_id", *named, "prediction", *columns, "unseen"])
    for index, value in enumerate(predicted.combined):
        name = [predicted.ids[index]] if predicted.ids is not None else []
        each = [values[index] for values in predicted.by_algorithm.values()]
        unseen = listed(predicted.unseen.get(index, ()))
        writer.writerow([prediction_id(predicted.inference_id, index), *name, value, *each, unseen])
    return out.getvalue()


def _told_in_headers(predicted: Predicted) -> dict[str, str]:
    told = {
        "tidegate-model": predicted.model,
        "tidegate-combine": predicted.rule,
        "tidegate-versions": ", ".join(f"{name}={version}" for name, version in predicted.versions.items()),
    }
    if predicted.unseen:
        told["tidegate-warnings"] = str(count_of(predicted.unseen))
    if predicted.failed:
        told["tidegate-failed"] = ", ".join(predicted.failed)
    return told
