"""Turn a request's body into a matrix of rows: CSV, JSON, JSON Lines, RecordIO-protobuf."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import numpy.typing as npt

from tidegate.local.sagemaker.images.container import ClientError
from tidegate.local.sagemaker.images.recordio import read_records

Floats = npt.NDArray[np.float64]

FORMATS = ("text/csv", "application/json", "application/jsonlines", "application/x-recordio-protobuf")


def parse(body: bytes, media: str, width: int) -> Floats:
    """Return the rows of a request.

    Parameters
    ----------
    media
        One of `FORMATS`.
    width
        How many features the model has.

    Raises
    ------
    ClientError
        With one sentence that names the row at fault.
    """
    if media == "application/x-recordio-protobuf":
        rows = _recordio(body, width)
    else:
        try:
            text = body.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise ClientError(
                f"The request is not UTF-8 text: {error.reason} at byte {error.start}."
            ) from error
        if media == "text/csv":
            rows = _csv(text, width)
        elif media == "application/json":
            rows = _json(text, width)
        else:
            rows = _jsonlines(text, width)
    if not len(rows):
        raise ClientError("The request has no rows.")
    if not np.isfinite(rows).all():
        row, column = np.argwhere(~np.isfinite(rows))[0]
        raise ClientError(
            f"Row {row + 1}, feature {column + 1} is {rows[row, column]}: Linear Learner takes no missing or "
            "infinite numbers. Impute them first."
        )
    return rows


def _csv(text: str, width: int) -> Floats:
    lines = [line for line in text.splitlines() if line and not line.isspace()]
    try:
        rows = np.array(list(map(float, ",".join(lines).split(","))))
    except ValueError:
        rows = np.empty(0)
    # Both faults are rare, so that the line at fault is looked for only when the whole does not fit.
    if len(rows) != len(lines) * width or any(line.count(",") != width - 1 for line in lines):
        _csv_fault(lines, width)
    return rows.reshape(-1, width)


def _csv_fault(lines: list[str], width: int) -> None:
    for number, line in enumerate(lines, 1):
        cells = line.split(",")
        if len(cells) != width:
            raise ClientError(_wrong_width(number, len(cells), width))
        for at, cell in enumerate(cells, 1):
            try:
                float(cell)
            except ValueError:
                found = f"{cell.strip()!r}, which is not a number" if cell.strip() else "empty"
                raise ClientError(f"Row {number}, feature {at} is {found}.") from None


def _json(text: str, width: int) -> Floats:
    content = _load(text, "The request")
    instances = content.get("instances") if isinstance(content, dict) else None
    if not isinstance(instances, list):
        raise ClientError('The JSON must have the form {"instances": [{"features": [1.5, 2.0]}]}.')
    return _rows(instances, width)


def _jsonlines(text: str, width: int) -> Floats:
    lines = [line for line in text.splitlines() if line.strip()]
    return _rows([_load(line, f"Line {number}") for number, line in enumerate(lines, 1)], width)


def _load(text: str, what: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ClientError(f"{what} is not valid JSON: {error}.") from error


def _rows(instances: list[Any], width: int) -> Floats:
    out = np.zeros((len(instances), width))
    for at, instance in enumerate(instances):
        _fill(out[at], instance, at + 1, width)
    return out


def _fill(row: Floats, instance: Any, number: int, width: int) -> None:
    """Read ``{"features": […]}`` or ``{"data": {"features": {"values": …, "keys": …, "shape": …}}}``."""
    content = instance.get("data", instance) if isinstance(instance, dict) else None
    features = content.get("features") if isinstance(content, dict) else None
    sparse = features if isinstance(features, dict) else {"values": features}
    values, keys = sparse.get("values"), sparse.get("keys")
    if not isinstance(values, list):
        raise ClientError(
            f'Row {number} has no features: write {{"features": [1.5, 2.0]}} or '
            '{"data": {"features": {"keys": [0], "values": [1.5], "shape": [2]}}}.'
        )
    for at, value in enumerate(values, 1):
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ClientError(f"Row {number}, feature {at} is {json.dumps(value)}, which is not a number.")
    if keys is None:
        if len(values) != width:
            raise ClientError(_wrong_width(number, len(values), width))
        row[:] = _finite(values, number)
        return
    shape = sparse.get("shape")
    if isinstance(shape, list) and shape and shape[-1] != width:
        raise ClientError(_wrong_width(number, shape[-1], width))
    if not isinstance(keys, list) or len(keys) != len(values):
        raise ClientError(f"Row {number} must have as many keys as values ({len(values)}).")
    for key in keys:
        if isinstance(key, bool) or not isinstance(key, int) or not 0 <= key < width:
            raise ClientError(f"Row {number} has the key {json.dumps(key)}; keys go from 0 to {width - 1}.")
    row[keys] = _finite(values, number)


def _finite(values: list[int | float], number: int) -> Floats:
    try:
        return np.asarray(values, np.float64)
    except OverflowError:
        raise ClientError(f"Row {number} has a number that is too large for 64 bits.") from None


def _recordio(body: bytes, width: int) -> Floats:
    rows = []
    for number, record in enumerate(read_records(body), 1):
        values = record.features.get("values")
        if values is None:
            raise ClientError(f"Row {number} has no features named 'values'.")
        rows.append(values.dense(width))
    return np.vstack(rows) if rows else np.empty((0, width))


def _wrong_width(number: int, found: object, width: int) -> str:
    return f"Row {number} has {found} features; the model was trained on {width}."
