"""What a cell's text means: gaps, numbers, booleans and dates.

The serving side reads such cells by the same rules (`tidegate.serving.cells`), written a second time because
it may use the standard library only. Categories and ids have one rule for all (`tidegate.serving.texts`).
"""

from __future__ import annotations

import datetime
import math
import re
from collections.abc import Callable

from tidegate.serving.texts import MARKERS

TRUE = frozenset({"true", "t", "yes", "y", "1", "1.0"})
FALSE = frozenset({"false", "f", "no", "n", "0", "0.0"})
ARROW_NULLS = sorted({form(token) for token in MARKERS for form in (str, str.upper, str.title)} | {"NaN"})
_DATE = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})"
    r"(?:[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]+)?)? ?(?:Z|[+-][0-9]{2}:?[0-9]{2})?)?"
)
_DAY_ZERO = datetime.date(1970, 1, 1).toordinal()


def is_missing(text: str) -> bool:
    """Tell whether a cell of a column that is no text is a gap."""
    return text.strip().lower() in MARKERS


def is_number(text: str) -> bool:
    """Tell whether a cell is a finite number."""
    try:
        return not math.isnan(parse_number(text))
    except ValueError:
        return False


def parse_number(text: str) -> float:
    """Read a finite number; a gap is NaN.

    Raises
    ------
    ValueError
        For anything else, the infinities among them.
    """
    text = text.strip()
    if text.lower() in MARKERS:
        return math.nan
    value = float(text)
    # float() also takes '1_000' and the digits of other scripts, which no other reader of CSV does.
    if not math.isfinite(value) or "_" in text or not text.isascii():
        raise ValueError(text)
    return value


def parse_integer(text: str) -> float:
    """Read a whole number, also when written 3.0; a gap is NaN."""
    value = parse_number(text)
    if not math.isnan(value) and not value.is_integer():
        raise ValueError(text)
    return value


def exact_integer(text: str) -> int:
    """Read a text that `parse_integer` took for a whole number, to its last digit."""
    text = text.strip()
    try:
        return int(text)
    except ValueError:  # 3.0, 1e3: their value is that of a double
        return int(float(text))


def parse_boolean(text: str) -> float:
    """Read true or false in its usual spellings as 1 or 0; a gap is NaN."""
    word = text.strip().lower()
    if word in TRUE:
        return 1.0
    if word in FALSE:
        return 0.0
    if word in MARKERS:
        return math.nan
    raise ValueError(text)


def parse_date(text: str) -> float:
    """Read an ISO 8601 date, with or without a time, as days since 1970-01-01; a gap is NaN."""
    text = text.strip()
    if text.lower() in MARKERS:
        return math.nan
    match = _DATE.fullmatch(text)
    if match is None:
        raise ValueError(text)
    return float(datetime.date.fromisoformat(match[1]).toordinal() - _DAY_ZERO)


def date_text(days: float) -> str:
    """Write days since 1970-01-01 as an ISO 8601 date."""
    return datetime.date.fromordinal(int(days) + _DAY_ZERO).isoformat()


PARSERS: dict[str, Callable[[str], float]] = {
    "numeric": parse_number,
    "integer": parse_integer,
    "boolean": parse_boolean,
    "date": parse_date,
}
WANTED = {
    "numeric": "a number",
    "integer": "a whole number",
    "boolean": "true or false",
    "date": "a date such as 2024-05-31",
}
