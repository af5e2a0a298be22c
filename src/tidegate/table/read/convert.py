"""From what pyarrow hands over to checked columns; a cell that does not fit its type is told by its row."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tidegate.table.columns import Categories, Codes, Flags, Floats, codes_of
from tidegate.table.read.values import PARSERS, is_missing, parse_date

FIRST_DAY, LAST_DAY = parse_date("0001-01-01"), parse_date("9999-12-31")


class BadCells(Exception):
    """Cells that do not fit their column's type.

    Attributes
    ----------
    row : int
        The first of them, counted from 0.
    text : str
        What it holds.
    count : int
        How many rows of the column are wrong.
    """

    def __init__(self, row: int, text: str, count: int) -> None:
        super().__init__(f"row {row} holds {text!r}")
        self.row, self.text, self.count = row, text, count


def split_dictionary(column: Any) -> tuple[Codes, list[str]]:
    """Give the codes and the distinct texts of a dictionary-encoded pyarrow column."""
    merged = column.unify_dictionaries() if hasattr(column, "unify_dictionaries") else column
    chunks = merged.chunks if hasattr(merged, "chunks") else [merged]
    if not chunks:
        return np.empty(0, dtype=np.int32), []
    codes = np.concatenate([codes_of(chunk.indices) for chunk in chunks])
    return codes, chunks[0].dictionary.to_pylist()


def categories(codes: Codes, texts: Sequence[str]) -> Categories:
    """Build a text column: spaces around a text do not count, and every spelling of a gap is one gap."""
    used = np.unique(codes[codes >= 0]).tolist()
    names = sorted({texts[code].strip() for code in used if not is_missing(texts[code])})
    places = {name: place for place, name in enumerate(names)}
    renumber = np.full(len(texts) + 1, -1, dtype=np.int32)  # the last entry answers for the code -1
    for code in used:
        renumber[code] = places.get(texts[code].strip(), -1)
    return Categories(renumber[codes], tuple(names))


@dataclass(frozen=True)
class Cells:
    """A column of numbers as it was read, and which of its cells do not fit the column's type.

    Attributes
    ----------
    values : array of float64
        The numbers; NaN marks a gap, and also stands where a cell is wrong.
    wrong : array of bool
        Which cells are wrong.
    text : callable
        Gives what the cell of a row holds, for a sentence.
    """

    values: Floats
    wrong: Flags
    text: Callable[[int], str]

    def all_right(self) -> Floats:
        """Give the numbers if every cell fits.

        Raises
        ------
        BadCells
            For the first row whose cell does not.
        """
        rows = np.flatnonzero(self.wrong)
        if len(rows):
            raise BadCells(int(rows[0]), self.text(int(rows[0])), len(rows))
        return self.values


def read_texts(codes: Codes, texts: Sequence[str], kind: str) -> Cells:
    """Read the texts of a numeric, integer, boolean or date column."""
    parse = PARSERS[kind]
    values = np.full(len(texts) + 1, np.nan)
    bad = np.zeros(len(texts) + 1, dtype=bool)
    for code in np.unique(codes[codes >= 0]).tolist():
        try:
            values[code] = parse(texts[code])
        except ValueError:
            bad[code] = True
    return Cells(values[codes], bad[codes], lambda row: texts[int(codes[row])])


def read_numbers(values: Floats, kind: str) -> Cells:
    """Check numbers that were numbers already: finite, and whole, 0 or 1, or days of the calendar by type."""
    wrong = np.isinf(values)
    if kind == "integer":
        wrong |= ~np.isnan(values) & (values != np.floor(values))
    elif kind == "date":
        wrong |= (values < FIRST_DAY) | (values > LAST_DAY)
    elif kind == "boolean":
        wrong |= ~np.isnan(values) & (values != 0) & (values != 1)
    return Cells(values, wrong, lambda row: repr(float(values[row])))


def parsed(codes: Codes, texts: Sequence[str], kind: str) -> Floats:
    """Read texts that must all be of a kind; raises BadCells for the first row whose text is not."""
    return read_texts(codes, texts, kind).all_right()


def checked(values: Floats, kind: str) -> Floats:
    """Check numbers that must all be of a kind; raises BadCells for the first row whose number is not."""
    return read_numbers(values, kind).all_right()


def present(target: Floats) -> Floats:
    """Check that every row has a target.

    Raises
    ------
    BadCells
        For the first row without one, its text empty.
    """
    gaps = np.flatnonzero(np.isnan(target))
    if len(gaps):
        raise BadCells(int(gaps[0]), "", len(gaps))
    return target
