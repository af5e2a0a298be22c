"""Rows of a file to score: which are wanted, a block of good ones, and those set aside with their reason."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from tidegate.core.own_names import listed
from tidegate.core.sentences import Sentence, joined, say, told
from tidegate.table.columns import Categories, Column, Flags, Indices, Numbers
from tidegate.table.read.convert import Cells
from tidegate.table.read.sentences import point_hint, shown
from tidegate.table.read.values import WANTED


@dataclass(frozen=True)
class Wanted:
    """The columns that a file to score must have.

    Attributes
    ----------
    columns : mapping of str to str
        What the models read, each with its type.
    id : str or None
        The column that joins scores to what became true later.
    missing : mapping of str to sequence of str
        For some columns, the words that stand for a missing value beside an empty cell.
    learned : mapping of str to frozenset of str
        For some categorical columns, the values that every model learned.
    """

    columns: Mapping[str, str]
    id: str | None
    missing: Mapping[str, Sequence[str]] = field(default_factory=dict)
    learned: Mapping[str, frozenset[str]] = field(default_factory=dict)

    @property
    def names(self) -> list[str]:
        """Every column, each once."""
        return [*self.columns, *([self.id] if self.id and self.id not in self.columns else [])]


@dataclass(frozen=True)
class Reject:
    """A row set aside: its number as an editor shows it, the columns at fault, why, and the row itself."""

    row: int
    column: str
    reason: Sentence
    raw: str


@dataclass(frozen=True)
class Rows:
    """A block of a file: its good rows, typed, with their numbers, and its bad ones."""

    numbers: Indices
    columns: dict[str, Column]
    ids: Categories | None
    rejects: list[Reject]

    @property
    def count(self) -> int:
        """How many good rows there are."""
        return len(self.numbers)


def sort_out(
    numbers: Indices,
    columns: Mapping[str, Cells | Categories],
    ids: Categories | None,
    wanted: Wanted,
    raw: Callable[[int], str],
    others: list[Reject],
) -> Rows:
    """Divide a block into good rows and bad ones.

    Parameters
    ----------
    numbers : array of int64
        Each row's number.
    columns : mapping
        Each column as it was read; a text column is never wrong.
    ids : Categories or None
        The rows' ids.
    wanted : Wanted
        The columns' types, for the reasons.
    raw : callable
        Gives a row of the block as it is in the file.
    others : list of Reject
        Rows of the block that are no rows of the table at all, such as those of another width.
    """
    wrong = {name: _wrong(cells) for name, cells in columns.items() if isinstance(cells, Cells)}
    bad = np.zeros(len(numbers), dtype=bool)
    for flags in wrong.values():
        bad |= flags
    rejects = list(others)
    for row in np.flatnonzero(bad).tolist():
        faults = [name for name, flags in wrong.items() if flags[row]]
        reasons = [_reason(columns[name], row, wanted.columns[name]) for name in faults]
        rejects.append(Reject(int(numbers[row]), listed(faults, ", "), joined(reasons, "; "), raw(row)))
    good = np.flatnonzero(~bad)
    whole = len(good) == len(bad)
    plain = {
        name: Numbers(cells.values, cells.whole) if isinstance(cells, Cells) else cells
        for name, cells in columns.items()
    }
    return Rows(
        numbers if whole else numbers[good],
        plain if whole else {name: column.take(good) for name, column in plain.items()},
        ids if whole or ids is None else ids.take(good),
        sorted(rejects, key=lambda reject: reject.row),
    )


def _wrong(cells: Cells) -> Flags:
    return cells.wrong if cells.too_large is None else cells.wrong | cells.too_large


def _reason(cells: Cells | Categories, row: int, kind: str) -> Sentence:
    assert isinstance(cells, Cells)
    cell = shown(cells.text(row))
    if not cells.wrong[row]:  # then it is too large for the scores, which keep whole numbers in 64 bits
        return say("{cell} is too large: 64 bits hold -2**63 to 2**63 - 1", cell=cell)
    return say(
        "{cell} is not {wanted}{hint}",
        cell=cell,
        hint=point_hint(cells.text(row), kind),
        wanted=told(WANTED[kind]),
    )
