"""From what pyarrow hands over to checked columns; a cell that does not fit its type is told by its row."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tidegate.serving.texts import category_text, declared_missing, identity_text
from tidegate.table.columns import Categories, Codes, Flags, Floats, Indices, codes_of
from tidegate.table.read.values import PARSERS, exact_integer, is_number, parse_date

EXACT_DOUBLES = 2.0**53  # up to here doubles hold every whole number
LEAST_WHOLE, MOST_WHOLE = -(2**63), 2**63 - 1
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


def categories(codes: Codes, cells: Sequence[Any], missing: Sequence[str] = ()) -> Categories:
    """Build a text column of categories: every way of writing a value is one level (`category_text`).

    Parameters
    ----------
    cells : sequence
        The different cells, texts or plain values.
    missing : sequence of str
        The words that are gaps, beside an empty cell.
    """
    return _texts(codes, cells, category_text, declared_missing(missing))


def identities(codes: Codes, cells: Sequence[Any], missing: Sequence[str] = ()) -> Categories:
    """Build a text column of ids: each as it is, to the last digit; only an empty cell is none."""
    return _texts(codes, cells, identity_text, declared_missing(missing))


def _texts(
    codes: Codes, cells: Sequence[Any], text_of: Callable[[Any], str], missing: frozenset[str]
) -> Categories:
    used = np.unique(codes[codes >= 0]).tolist()
    found = {code: text_of(cells[code]) for code in used}
    if missing:
        found = {code: "" if category_text(text) in missing else text for code, text in found.items()}
    names = sorted(set(found.values()) - {""})
    places = {name: place for place, name in enumerate(names)}
    renumber = np.full(len(cells) + 1, -1, dtype=np.int32)  # the last entry answers for the code -1
    for code, text in found.items():
        renumber[code] = places.get(text, -1)
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
    whole : array of int64, optional
        Whole numbers to the last digit, where some have more digits than a double holds.
    too_large : array of bool, optional
        Which of them 64 bits do not hold.
    """

    values: Floats
    wrong: Flags
    text: Callable[[int], str]
    whole: Indices | None = None
    too_large: Flags | None = None

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


def read_texts(codes: Codes, texts: Sequence[str], kind: str, missing: Sequence[str] = ()) -> Cells:
    """Read the texts of a numeric, integer, boolean or date column; `missing` are words that are gaps too."""
    parse, gaps = PARSERS[kind], declared_missing(missing)
    values = np.full(len(texts) + 1, np.nan)
    bad = np.zeros(len(texts) + 1, dtype=bool)
    for code in np.unique(codes[codes >= 0]).tolist():
        try:
            if not (gaps and category_text(texts[code]) in gaps):
                values[code] = parse(texts[code])
        except ValueError:
            bad[code] = True
    cells = Cells(values[codes], bad[codes], lambda row: texts[int(codes[row])])
    if kind == "integer" and beyond_doubles(values):
        exact = [0 if value != value else exact_integer(texts[at]) for at, value in enumerate(values)]
        whole, too_large = fitting(exact)
        return replace(cells, whole=whole[codes], too_large=too_large[codes])
    return cells


def read_numbers(
    values: Floats, kind: str, missing: Sequence[str] = (), exact: Sequence[int | None] | None = None
) -> Cells:
    """Check numbers that were numbers already: finite, and whole, 0 or 1, or days of the calendar by type.

    Parameters
    ----------
    missing : sequence of str
        The numbers that are gaps, as the model file says.
    exact : sequence of int or None, optional
        The same numbers to the last digit, where doubles do not hold them.
    """
    for word in missing:
        if is_number(word):
            values = np.where(values == float(word), np.nan, values)
    wrong = np.isinf(values)
    whole, too_large = None, None
    if kind == "integer":
        wrong |= ~np.isnan(values) & (values != np.floor(values))
        if beyond_doubles(values):
            told = values.tolist() if exact is None else exact
            right = (~np.isnan(values) & ~wrong).tolist()
            whole, too_large = fitting(
                [int(each or 0) if fine else 0 for each, fine in zip(told, right, strict=True)]
            )
    elif kind == "date":
        wrong |= (values < FIRST_DAY) | (values > LAST_DAY)
    elif kind == "boolean":
        wrong |= ~np.isnan(values) & (values != 0) & (values != 1)

    def text(row: int) -> str:
        return repr(float(values[row])) if exact is None else str(exact[row])

    return Cells(values, wrong, text, whole, too_large)


def beyond_doubles(values: Floats) -> bool:
    """Tell whether some whole number may have more digits than a double holds."""
    return bool((np.abs(values) >= EXACT_DOUBLES).any())


def fitting(exact: Sequence[int]) -> tuple[Indices, Flags]:
    """Put whole numbers into 64 bits; gives also which of them do not fit, and are 0."""
    too_large = np.array([not LEAST_WHOLE <= each <= MOST_WHOLE for each in exact], dtype=np.bool_)
    held = [0 if out else each for each, out in zip(exact, too_large.tolist(), strict=True)]
    return np.array(held, dtype=np.int64), too_large


def parsed(codes: Codes, texts: Sequence[str], kind: str, missing: Sequence[str] = ()) -> Floats:
    """Read texts that must all be of a kind; raises BadCells for the first row whose text is not."""
    return read_texts(codes, texts, kind, missing).all_right()


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
