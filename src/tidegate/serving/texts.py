"""The one text of a value, however it was written: what makes two cells the same category, or the same id.

Training, batch scoring, the API, endpoints, the monitor and ground truth all ask here. Standard library only:
this travels inside every endpoint, whose Python may be 3.8.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from typing import Any

# What stands for a missing number, truth value or date, in any case; in a text each of them may be a word.
MARKERS = frozenset(("", "na", "n/a", "nan", "null", "none", "?"))
_ROUND = re.compile(r"-?(?:0|[1-9][0-9]*)\.0+")
_LARGE = re.compile(r"-?[1-9](?:\.[0-9]+)?e\+[0-9]{2,3}")


def category_text(cell: Any) -> str:
    """Give the text of a category: the same for every way in which writers put one value; empty for none.

    A whole number is its digits, also where it is written 3.0, as data frames write a column with a gap; true
    and false are lower case; every other text is itself, without the blanks around it.

    >>> [category_text(cell) for cell in (3, 3.0, "3.0", True, "True", "007", " NA ", None)]
    ['3', '3', '3', 'true', 'true', '007', 'NA', '']
    """
    if not isinstance(cell, str):
        return identity_text(cell)
    text = cell.strip()
    if text[-1:] == "0" or "e+" in text:
        return whole_text(text) or text
    if len(text) in (4, 5) and text.lower() in ("true", "false"):
        return text.lower()
    return text


def identity_text(cell: Any) -> str:
    """Give the text of an id: to the last digit, and a text as it is, without the blanks around it.

    >>> [identity_text(cell) for cell in (2**64 - 1, 101.0, "101.0", "007", None)]
    ['18446744073709551615', '101', '101.0', '007', '']
    """
    if isinstance(cell, str):
        return cell.strip()
    if cell is None or cell != cell:
        return ""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() else repr(cell)
    return str(cell)


def whole_text(text: str) -> str:
    """Give the digits of a whole number that is written like a fraction or a large one; else nothing.

    >>> whole_text("101.0"), whole_text("1e+16"), whole_text("101"), whole_text("007.0"), whole_text("-0")
    ('101', '10000000000000000', '', '', '0')
    """
    if _ROUND.fullmatch(text):
        digits = text[: text.index(".")]
        return "0" if digits == "-0" else digits
    if _LARGE.fullmatch(text):
        value = float(text)
        return str(int(value)) if math.isfinite(value) and value.is_integer() else ""
    return "0" if text == "-0" else ""


def joining_key(identity: str) -> str:
    """Give what two ids have in common that are one number: 101 and 101.0, but not 007 and 7.

    >>> joining_key("101.0") == joining_key("101"), joining_key("007") == joining_key("7")
    (True, False)
    """
    return whole_text(identity) or identity


def declared_missing(words: Iterable[Any]) -> frozenset[str]:
    """Give the texts that a model file says are missing in a column, ready to be looked up."""
    return frozenset(category_text(word) for word in words)
