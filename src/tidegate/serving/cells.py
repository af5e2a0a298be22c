"""What a cell of a request means, and the numbers that each kind of column makes of it.

The training side reads cells by the same rules (`tidegate.table.read.values`); standard library only.
"""

from __future__ import annotations

import datetime
import json
import math
import re
from collections.abc import Iterable
from typing import Any, Callable

if __package__:
    from tidegate.serving.texts import MARKERS, category_text, declared_missing
else:  # inside a container the files of this folder lie side by side
    from texts import MARKERS, category_text, declared_missing  # type: ignore[import-not-found,no-redef]

TRUE = frozenset(("true", "t", "yes", "y", "1", "1.0"))
FALSE = frozenset(("false", "f", "no", "n", "0", "0.0"))
_DATE = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})"
    r"(?:[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]+)?)? ?(?:Z|[+-][0-9]{2}:?[0-9]{2})?)?"
)


class BadCell(Exception):
    """One cell cannot be read; the text says what was expected."""


class _Number:
    """A numeric, integer or boolean column: one number, and whether it was missing if training saw gaps."""

    def __init__(self, column: dict[str, Any]) -> None:
        self._read = reader_of(column["type"], column.get("missing", ()))
        self._impute = float(column["impute"])
        self._indicator = bool(column["indicator"])
        scale = column.get("scale") or {"mean": 0.0, "std": 1.0}
        self._scaled = column.get("scale") is not None
        self._mean, self._std = float(scale["mean"]), float(scale["std"])
        self._present = ",0" if self._indicator else ""
        self._missing = repr(self._shift(self._impute)) + (",1" if self._indicator else "")

    def floats(self, cell: Any) -> list[float]:
        value = self._read(cell)
        gap = value != value
        number = self._shift(self._impute if gap else value)
        return [number, 1.0 if gap else 0.0] if self._indicator else [number]

    def text(self, cell: Any) -> str:
        value = self._read(cell)
        if value != value:
            return self._missing
        return repr(self._shift(value)) + self._present

    def _shift(self, value: float) -> float:
        return (value - self._mean) / self._std if self._scaled else value


class _Category:
    """A categorical column: a one for its level, or for the last place when nobody knows the level."""

    def __init__(self, column: dict[str, Any]) -> None:
        self._read = reader_of("categorical", column.get("missing", ()))
        self._places = {level: place for place, level in enumerate(column["levels"])}
        self._other = len(self._places)
        self._zeros = ",".join(["0"] * (self._other + 1))

    def floats(self, cell: Any) -> list[float]:
        row = [0.0] * (self._other + 1)
        row[self._places.get(self._read(cell), self._other)] = 1.0
        return row

    def text(self, cell: Any) -> str:
        at = 2 * self._places.get(self._read(cell), self._other)
        return self._zeros[:at] + "1" + self._zeros[at + 1 :]


class _Date:
    """A date column: its parts as numbers, and whether it was missing if training saw gaps."""

    def __init__(self, column: dict[str, Any]) -> None:
        self._read = reader_of("date", column.get("missing", ()))
        self._parts = column["parts"]
        self._impute = [float(value) for value in column["impute"]]
        self._indicator = bool(column["indicator"])
        self._scale = column.get("scale")

    def floats(self, cell: Any) -> list[float]:
        day = self._read(cell)
        if day is None:
            values = self._impute
        else:
            known = {"year": day.year, "month": day.month, "day": day.day, "weekday": day.weekday()}
            values = [float(known[part]) for part in self._parts]
        if self._scale is not None:
            values = [(v - s["mean"]) / s["std"] for v, s in zip(values, self._scale)]
        return [*values, 1.0 if day is None else 0.0] if self._indicator else list(values)

    def text(self, cell: Any) -> str:
        return ",".join(map(repr, self.floats(cell)))


def encoder_of(column: dict[str, Any]) -> _Number | _Category | _Date:
    if column["type"] == "categorical":
        return _Category(column)
    return _Date(column) if column["type"] == "date" else _Number(column)


def sparse_text_of(column: dict[str, Any], at: int, last: int) -> tuple[Callable[[Any], str], int]:
    """Give what writes a cell as `place:value` entries, and how many outputs the column has.

    A category's zeros are left out, but for the first output and the last one: so every row says how wide it
    is, and no reader takes the places for counted from one.
    """
    if column["type"] != "categorical":
        encoder = encoder_of(column)

        def entries(cell: Any) -> str:
            return " ".join([f"{place}:{value!r}" for place, value in enumerate(encoder.floats(cell), at)])

        return entries, len(encoder.floats(None))
    levels = column["levels"]
    texts = [_one(at, place, len(levels) + 1, last) for place in range(len(levels) + 1)]
    known = dict(zip(levels, texts))
    return lambda cell: known.get(_category(cell), texts[-1]), len(texts)


def _one(at: int, place: int, width: int, last: int) -> str:
    first = "0:0 " if at == 0 and place != 0 else ""
    end = f" {last}:0" if at + width > last and at + place != last else ""
    return f"{first}{at + place}:1{end}"


def _number(cell: Any) -> float:
    if cell is None:
        return math.nan
    if isinstance(cell, str):
        text = cell.strip()
        try:
            value = float(text)
        except ValueError:
            value = math.inf
        if math.isfinite(value) and "_" not in text and text.isascii():
            return value
        if text.lower() in MARKERS:
            return math.nan
    elif isinstance(cell, (int, float)) and not isinstance(cell, bool) and _fits(cell):
        return float(cell)
    raise BadCell(f"expected a number, found {_shown(cell)}")


def _integer(cell: Any) -> float:
    value = _number(cell)
    if value == value and not value.is_integer():
        raise BadCell(f"expected a whole number, found {_shown(cell)}")
    return value


def _boolean(cell: Any) -> float:
    if cell is None:
        return math.nan
    if isinstance(cell, (bool, int, float)) and cell in (0, 1):
        return float(cell)
    if isinstance(cell, str):
        word = cell.strip().lower()
        if word in TRUE:
            return 1.0
        if word in FALSE:
            return 0.0
        if word in MARKERS:
            return math.nan
    raise BadCell(f"expected true or false, found {_shown(cell)}")


def _category(cell: Any) -> str:
    if is_plain(cell):
        return category_text(cell)
    raise BadCell(f"expected a text, found {_shown(cell)}")


def _date(cell: Any) -> datetime.date | None:
    if cell is None:
        return None
    if isinstance(cell, str):
        text = cell.strip()
        if text.lower() in MARKERS:
            return None
        match = _DATE.fullmatch(text)
        if match:
            try:
                return datetime.date(int(match[1]), int(match[2]), int(match[3]))
            except ValueError:
                pass  # a day that no calendar has is told below, like any other text
    raise BadCell(f"expected a date such as 2024-05-31, found {_shown(cell)}")


_READERS: dict[str, Callable[[Any], Any]] = {
    "numeric": _number,
    "integer": _integer,
    "boolean": _boolean,
    "categorical": _category,
    "date": _date,
}


def _fits(value: int | float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:  # an integer beyond the largest double
        return False


def is_plain(cell: Any) -> bool:
    """Tell whether a cell is one value: no list, no object."""
    return cell is None or isinstance(cell, (str, int, float))


def _shown(cell: Any) -> str:
    text = cell if isinstance(cell, str) else json.dumps(cell)
    return f"'{text[:40]}…'" if len(text) > 40 else f"'{text}'"


def reader_of(kind: str, missing: Iterable[str] = ()) -> Callable[[Any], Any]:
    """Give the function that reads a cell of a column's type, or raises BadCell.

    Parameters
    ----------
    missing : iterable of str
        The words that stand for a missing value in this column, beside those that always do.
    """
    read: Callable[[Any], Any] = _READERS[kind]
    words = declared_missing(missing)
    if not words:
        return read
    gap = read(None)

    def read_or_gap(cell: Any) -> Any:
        return gap if is_plain(cell) and category_text(cell) in words else read(cell)

    return read_or_gap
