"""The sentences about a cell: for CSV, where a row has a line, and for Parquet, where it has a number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tidegate.core.errors import BadDrop
from tidegate.core.grammar import POINT_WANTED, wants_a_point
from tidegate.core.sentences import Sentence, joined, of_the_data, say, shortened, told
from tidegate.table.read.convert import BadCells
from tidegate.table.read.values import WANTED, is_missing

SHOWN_TEXT = 40
SHOWN_FAULTS = 8  # columns of one file that are told each with its first wrong cell


def shown(text: str) -> Sentence:
    """Quote a cell, shortened, line breaks made visible, marked as a value of the data."""
    flat = text.replace("\r", "\\r").replace("\n", "\\n")
    return say("'{cell}'", cell=shortened(of_the_data(flat), SHOWN_TEXT))


@dataclass(frozen=True)
class Fault:
    """A column of a file that does not fit.

    Attributes
    ----------
    bad : BadCells or None
        Its wrong cells; None where the column is stored in a type that cannot become the wanted one.
    row : int
        The first of them as a person counts, or 0.
    stored : str
        The type that it is stored in, where that is what does not fit.
    """

    column: str
    kind: str
    bad: BadCells | None = None
    row: int = 0
    stored: str = ""


def bad_columns(name: str, faults: Sequence[Fault], target: str, where: str) -> BadDrop:
    """Say of every column that does not fit where and how, once, so that a file is mended in one go.

    The column whose wrong cell comes first in the file is told in full, the others in short.

    Parameters
    ----------
    target : str
        The column that is to be predicted.
    where : str
        What rows are counted by: ``line`` or ``row``.
    """
    ordered = sorted(faults, key=lambda fault: fault.row)
    first, others = ordered[0], ordered[1:]
    said = _in_full(name, first, where, target=first.column == target)
    if others:
        more = len(others) - SHOWN_FAULTS
        said += say(
            "; {columns} not fit either: {others}{more}",
            columns=told("these columns do" if len(others) > 1 else "this column does"),
            others=joined((_in_short(fault, where) for fault in others[:SHOWN_FAULTS]), ", "),
            more=say(" and {more} more", more=more) if more > 0 else Sentence(),
        )
    return BadDrop(said, row=first.row or None, column=first.column)


def _in_full(name: str, fault: Fault, where: str, *, target: bool) -> Sentence:
    if fault.bad is None:
        return say(
            "{file}: column '{column}' is stored as {stored}, and {kind} is expected; store it as numbers "
            "or text, or change the column's type in model.yaml",
            file=told(name),
            column=told(fault.column),
            stored=told(fault.stored),
            kind=told(fault.kind),
        )
    place = say("{where} {row}", where=told(where), row=fault.row)
    return _bad_cell(name, fault.column, fault.kind, fault.bad, place, target=target)


def _in_short(fault: Fault, where: str) -> Sentence:
    if fault.bad is None:
        return say(
            "'{column}' (stored as {stored}, not {kind})",
            column=told(fault.column),
            stored=told(fault.stored),
            kind=told(fault.kind),
        )
    return say(
        "'{column}' ({where} {row}: {cell} is not {wanted})",
        column=told(fault.column),
        where=told(where),
        row=fault.row,
        cell=shown(fault.bad.text),
        wanted=told(WANTED[fault.kind]),
    )


def point_hint(text: str, kind: str) -> Sentence:
    """Say how numbers are written, where a text is one in the manner of some country."""
    if kind not in ("numeric", "integer") or not wants_a_point(text):
        return Sentence()
    return say(" ({hint})", hint=told(POINT_WANTED))


def _bad_cell(name: str, column: str, kind: str, bad: BadCells, place: Sentence, *, target: bool) -> Sentence:
    """Say which cell does not fit and what to do about it; the target may have no gaps."""
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
            "the target '{column}' holds {cell}{more}, which is not a finite number{hint}; correct it or "
            "take the row out",
            hint=point_hint(bad.text, kind),
            column=told(column),
            cell=shown(bad.text),
            more=more,
        )
    else:
        sentence = say(
            "column '{column}' holds {cell}{more}, which is not {wanted}{hint}; correct it, leave it empty, "
            "or change the column's type, {kind}, in model.yaml",
            hint=point_hint(bad.text, kind),
            column=told(column),
            cell=shown(bad.text),
            more=more,
            wanted=told(WANTED[kind]),
            kind=told(kind),
        )
    return head + sentence
