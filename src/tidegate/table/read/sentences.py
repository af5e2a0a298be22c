"""The sentences about a cell: for CSV, where a row has a line, and for Parquet, where it has a number."""

from __future__ import annotations

from tidegate.core.errors import BadDrop, of_the_data
from tidegate.table.read.convert import BadCells
from tidegate.table.read.values import WANTED, is_missing

SHOWN_TEXT = 40


def shown(text: str) -> str:
    """Quote a cell, shortened, line breaks made visible, marked as a value of the data."""
    flat = text.replace("\r", "\\r").replace("\n", "\\n")
    return f"'{of_the_data(flat[:SHOWN_TEXT])}…'" if len(flat) > SHOWN_TEXT else f"'{of_the_data(flat)}'"


def bad_cell(
    name: str, column: str, kind: str, bad: BadCells, place: str, row: int, *, target: bool
) -> BadDrop:
    """Say which cell does not fit and what to do about it.

    Parameters
    ----------
    place : str
        The row in words, such as ``line 17``.
    row : int
        The same as a number.
    target : bool
        Whether the column is the target, which may have no gaps.
    """
    others = bad.count - 1
    more = f" ({others} more row{'s' if others > 1 else ''} like it)" if others else ""
    if target and is_missing(bad.text):
        held = f"is {shown(bad.text)}" if bad.text.strip() else "is empty"
        sentence = (
            f"{name}, {place}: the target '{column}' {held}{more}; every training row needs a number there: "
            "fill it in or take the row out"
        )
    elif target:
        sentence = (
            f"{name}, {place}: the target '{column}' holds {shown(bad.text)}{more}, which is not a finite "
            "number; correct it or take the row out"
        )
    else:
        sentence = (
            f"{name}, {place}: column '{column}' holds {shown(bad.text)}{more}, which is not "
            f"{WANTED[kind]}; correct it, leave it empty, or change the column's type, {kind}, in model.yaml"
        )
    return BadDrop(sentence, row=row, column=column)
