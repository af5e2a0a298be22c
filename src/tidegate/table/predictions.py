"""Reading what batch transform answers: a number a line, or a JSON document a line with scores in it."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tidegate.core.errors import BadPredictions
from tidegate.core.sentences import Told, Value, joined, of_the_data, say, told
from tidegate.table.columns import Floats, Indices

# What stands for a number and is none says nothing of the data.
NO_NUMBERS = ("none", "nan", "inf", "-inf", "infinity", "-infinity", "")


def read_truth(source: Path | bytes) -> Floats:
    """Read the targets of `id,target`.

    Raises
    ------
    BadPredictions
        If there is no such column, no row, or a target that is not a finite number.
    """
    body = source.read_bytes() if isinstance(source, Path) else source
    rows = csv.DictReader(io.StringIO(body.decode("utf-8-sig"), newline=""))
    if "target" not in (rows.fieldnames or ()):
        raise BadPredictions(
            say(
                "the truth has the columns {columns}; expected id,target",
                columns=joined(map(of_the_data, rows.fieldnames or [])),
            )
        )
    values = [_finite(row["target"], f"the truth, line {rows.line_num}") for row in rows]
    if not values:
        raise BadPredictions(say("the truth holds no rows; there is nothing to judge the model by"))
    return np.array(values)


def read_predictions(body: bytes, what: str, expected: int) -> Floats:
    """Read one prediction for each expected row.

    Parameters
    ----------
    body : bytes
        Numbers, ``{"score": …}`` or ``{"predictions": [{"score": …}, …]}``, one a line.
    what : str
        Whose predictions they are, for sentences.
    expected : int
        How many rows were asked.

    Raises
    ------
    BadPredictions
        If the count differs, or a prediction is not a finite number.
    """
    values: list[float] = []
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadPredictions(
            say("{what} are not text (byte {at})", what=told(what), at=error.start + 1)
        ) from None
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            values += _scores(line.strip(), f"{what}, line {number}")
    if len(values) != expected:
        raise BadPredictions(
            say(
                "{what} number {found}, and {expected} rows were asked; see the log of the transform job",
                what=told(what),
                found=len(values),
                expected=expected,
            )
        )
    return np.array(values)


def _scores(line: str, where: str) -> list[float]:
    if not line.startswith(("{", "[")):
        return [_finite(cell, where) for cell in line.split(",")]
    try:
        content = json.loads(line)
    except ValueError as error:
        raise BadPredictions(
            say("{where} is not JSON: {error}", where=told(where), error=told(error))
        ) from None
    if isinstance(content, dict) and isinstance(content.get("predictions"), list):
        content = content["predictions"]
    each = content if isinstance(content, list) else [content]
    return [_finite(item.get("score") if isinstance(item, dict) else item, where) for item in each]


def read_scores(outputs: Sequence[Any], what: str, rows: Sequence[int] | Indices) -> Floats:
    """Read one prediction of each answer: a number, or an object with a ``score``.

    Raises
    ------
    BadPredictions
        If one is not a finite number; `rows` are the numbers of the rows, for the sentence.
    """
    scores = [each.get("score") if isinstance(each, dict) else each for each in outputs]
    if set(map(type, scores)) <= {float}:
        values = np.array(scores, dtype=np.float64)
        if np.isfinite(values).all():
            return values
    return np.array([_finite(each, f"{what}, row {row}") for each, row in zip(scores, rows, strict=True)])


def _finite(value: Any, where: str) -> float:
    try:
        number = math.nan if value is None or isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        number = math.nan
    if not math.isfinite(number):
        raise BadPredictions(
            say(
                "{where} holds {found!r}, which is not a finite number",
                where=told(where),
                found=_found(value),
            )
        )
    return number


def _found(value: Any) -> Value | Told:
    text = str(value)[:40]
    return told(text) if text.strip().lower() in NO_NUMBERS else of_the_data(text)
