"""A captured cell read as the training data was written, so that the two can be compared.

The baseline is made of rows in a fixed form (`tidegate.table.raw`): a numeric column with a decimal point
throughout, a boolean as 0 or 1. People send cells in many forms; a cell that does not fit stays as it was
sent, because that is a finding.
"""

from __future__ import annotations

import math
from typing import Any

from tidegate.table.read.values import PARSERS, date_text, is_missing
from tidegate.table.scan.records import as_text

Cell = tuple[str | None, float | int | str | None]
_GAP: Cell = (None, None)
MOST_REMEMBERED = 100_000


class Reader:
    """Reads the cells of one column: each gives the text of the profile and the value of the table.

    Examples
    --------
    >>> read = Reader("boolean")
    >>> read("yes"), read("maybe"), read(None)
    (('1', 1), ('maybe', None), (None, None))
    """

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self._known: dict[Any, Cell] = {}

    def __call__(self, sent: Any) -> Cell:
        """Read a cell."""
        if isinstance(sent, list | dict):
            sent = as_text(sent)
        found = self._known.get(sent)
        # True and 1 are equal as keys and differ as cells.
        if found is None or isinstance(sent, bool):
            found = self._read(sent)
            if len(self._known) < MOST_REMEMBERED:
                self._known[sent] = found
        return found

    def _read(self, sent: Any) -> Cell:
        text = as_text(sent)
        if text is None or is_missing(text):
            return _GAP
        text = text.strip()
        if self._kind == "categorical":
            return text, text
        try:
            value = PARSERS[self._kind](text)
        except ValueError:
            return text, None
        return _GAP if math.isnan(value) else _written(value, self._kind)


def text_of(value: float, kind: str) -> str:
    """Write a number of a column as the training data has it."""
    if kind == "date":
        return date_text(value)
    return repr(value) if kind == "numeric" else str(int(value))


def _written(value: float, kind: str) -> Cell:
    text = text_of(value, kind)
    return text, text if kind == "date" else value if kind == "numeric" else int(value)


ARROW_TYPES = {
    "numeric": "float64",
    "integer": "int64",
    "boolean": "int64",
    "date": "string",
    "categorical": "string",
}
