"""The sentences about a cell: for CSV, where a row has a line, and for Parquet, where it has a number."""

from __future__ import annotations

from tidegate.core.errors import BadDrop
from tidegate.core.sentences import Sentence, of_the_data, say, shortened, told
from tidegate.table.read.convert import BadCells
from tidegate.table.read.values import WANTED, is_missing

SHOWN_TEXT = 40


def shown(text: str) -> Sentence:
    """Quote a cell, shortened, line breaks made visible, marked as a value of the data."""
    flat = text.replace("\r", "\\r").replace("\n", "\\n")
    return say("'{cell}'", cell=shortened(of_the_data(flat), SHOWN_TEXT))


def bad_cell(
    name: str, column: str, kind: str, bad: BadCells, place: Sentence, row: int, *, target: bool
) -> BadDrop:
    """Say which cell does not fit and what to do about it.

    Parameters
    ----------
    place : Sentence
        The row in words, such as ``line 17``.
    row : int
        The same as a number.
    target : bool
        Whether the column is the target, which may have no gaps.
    """
    others = bad.count - 1
    more = Sentence()
    if others:
        more = say(
            " ({others} more {rows} like it)", others=others, rows=told("rows" if others > 1 else "row")
        )
    head = say("{file}, {place}: ", file=told(name), place=place)
    if target and is_missing(bad.text):
        held = say("is {cell}", cell=shown(bad.text)) if bad.text.strip() else say("is empty")
        sentence = say(
            "the target '{column}' {held}{more}; every training row needs a number there: fill it in or take "
            "the row out",
            column=told(column),
            held=held,
            more=more,
        )
    elif target:
        sentence = say(
            "the target '{column}' holds {cell}{more}, which is not a finite number; correct it or take the "
            "row out",
            column=told(column),
            cell=shown(bad.text),
            more=more,
        )
    else:
        sentence = say(
            "column '{column}' holds {cell}{more}, which is not {wanted}; correct it, leave it empty, or "
            "change the column's type, {kind}, in model.yaml",
            column=told(column),
            cell=shown(bad.text),
            more=more,
            wanted=told(WANTED[kind]),
            kind=told(kind),
        )
    return BadDrop(head + sentence, row=row, column=column)
