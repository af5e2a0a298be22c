"""The answers of endpoints, read as numbers: one prediction a record, however they are written."""

from __future__ import annotations

import json
import math
from typing import Any

from tidegate.core.errors import BadPredictions
from tidegate.core.sentences import of_the_data, say


def read_answer(text: str, content_type: str, count: int) -> list[float]:
    """Read the predictions of an answer: numbers apart from each other, JSON, or JSON Lines.

    Parameters
    ----------
    text, content_type : str
        The answer and its type.
    count : int
        How many records were asked.

    Raises
    ------
    BadPredictions
        When it cannot be read, or holds another number of predictions, or one that is not finite.

    Examples
    --------
    >>> read_answer('{"predictions": [{"score": 0.5}]}', "application/json", 1)
    [0.5]
    >>> read_answer("1.5\\n2.5\\n", "text/csv", 2)
    [1.5, 2.5]
    """
    try:
        values = _values(text, content_type)
    except (ValueError, TypeError, KeyError) as error:
        raise BadPredictions(
            say(
                "{count} records were answered with {text!r}, which is no answer",
                count=count,
                text=of_the_data(text[:80]),
            )
        ) from error
    if len(values) != count or not all(map(math.isfinite, values)):
        raise BadPredictions(
            say(
                "{count} records were answered with {found} predictions: {text!r}",
                count=count,
                found=len(values),
                text=of_the_data(text[:80]),
            )
        )
    return values


def _values(text: str, content_type: str) -> list[float]:
    if "json" in content_type or text.lstrip()[:1] in ("{", "["):
        try:
            return [_score(each) for each in _records(json.loads(text))]
        except ValueError:
            return [_score(json.loads(line)) for line in text.splitlines() if line.strip()]
    return [float(each) for each in text.replace(",", " ").split()]


def _records(found: Any) -> list[Any]:
    if isinstance(found, dict):
        found = found.get("predictions", [found])
    return found if isinstance(found, list) else [found]


def _score(record: Any) -> float:
    return float(record["score"] if isinstance(record, dict) else record)
