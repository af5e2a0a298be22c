"""Values that a model never learned: it predicts such a record all the same, and the caller is told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tidegate.serving.texts import category_text

MOST_WARNINGS = 100
SENTENCE = "the model never learned this value; the record is predicted as one with an unknown value"

# By a record's place, from 0: its fields with the values that they hold.
Unseen = Mapping[int, Mapping[str, Any]]


def find_unseen(
    records: Sequence[Mapping[str, Any]],
    learned: Mapping[str, frozenset[str]],
    gaps: Mapping[str, frozenset[str]],
) -> Unseen:
    """Look for values that are not among those learned.

    Parameters
    ----------
    learned : mapping of str to frozenset of str
        Of each categorical field, the values that every algorithm learned.
    gaps : mapping of str to frozenset of str
        For some fields, the words that stand for a missing value, which is none.

    Examples
    --------
    >>> find_unseen([{"zone": 3}, {"zone": "9"}, {"zone": None}], {"zone": frozenset("123")}, {})
    {1: {'zone': '9'}}
    """
    found: dict[int, dict[str, Any]] = {}
    for name, levels in learned.items():
        missing = gaps.get(name, frozenset())
        for place, record in enumerate(records):
            cell = record.get(name)
            if cell is None or (type(cell) is str and cell in levels):
                continue
            text = category_text(cell)
            if text and text not in levels and text not in missing:
                found.setdefault(place, {})[name] = cell
    return dict(sorted(found.items()))


def warnings_of(unseen: Unseen) -> list[dict[str, Any]]:
    """Give the warnings of an answer, `MOST_WARNINGS` at most."""
    each = (
        {"record": place + 1, "field": name, "value": value, "problem": SENTENCE}
        for place, fields in unseen.items()
        for name, value in fields.items()
    )
    return [warning for warning, _ in zip(each, range(MOST_WARNINGS), strict=False)]


def count_of(unseen: Unseen) -> int:
    """Count them."""
    return sum(map(len, unseen.values()))
