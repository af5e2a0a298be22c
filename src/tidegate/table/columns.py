"""What a checked drop is in memory: typed columns of equal length, with gaps marked and nothing else open."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int32]
Indices = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Numbers:
    """A numeric, integer or boolean column, or a date as days since 1970-01-01; NaN marks a gap.

    Attributes
    ----------
    whole : array of int64, optional
        Whole numbers to the last digit, where some have more digits than a double holds.
    """

    values: Floats
    whole: Indices | None = None

    def take(self, rows: Indices) -> Numbers:
        """Keep some rows, in the order given."""
        return Numbers(self.values[rows], None if self.whole is None else self.whole[rows])


@dataclass(frozen=True)
class Categories:
    """A text column: each row's place in the list of levels; -1 marks a gap."""

    codes: Codes
    levels: tuple[str, ...]

    def take(self, rows: Indices) -> Categories:
        """Keep some rows, in the order given."""
        return Categories(self.codes[rows], self.levels)

    def texts(self) -> list[str | None]:
        """Give each row's text, None for a gap."""
        names: list[str | None] = [*self.levels, None]
        return [names[code] for code in self.codes.tolist()]


Column = Numbers | Categories


@dataclass(frozen=True)
class Table:
    """A checked drop, or some of its rows.

    Attributes
    ----------
    name : str
        The file's name, for sentences.
    columns : dict of str to Column
        The features, in the order of the model's declaration.
    target : array of float64
        What is to be predicted; finite throughout.
    ids : Categories or None
        The rows' ids, where the model names a column for them.
    numbers : array of int64
        Each row's number in the file, counted from 1.
    """

    name: str
    columns: dict[str, Column]
    target: Floats
    ids: Categories | None
    numbers: Indices

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return len(self.target)

    def take(self, rows: Indices) -> Table:
        """Keep some rows, in the order given."""
        return Table(
            self.name,
            {name: column.take(rows) for name, column in self.columns.items()},
            self.target[rows],
            None if self.ids is None else self.ids.take(rows),
            self.numbers[rows],
        )


def floats_of(array: Any) -> Floats:
    """Copy a pyarrow array of doubles into NumPy, gaps as NaN.

    `to_numpy` would import pandas where it is installed, which doubles a cold start.
    """
    import pyarrow.compute as pc

    parts = array.chunks if hasattr(array, "chunks") else [array]
    out = np.empty(sum(len(part) for part in parts), dtype=np.float64)
    _copy_parts(out, (pc.fill_null(part, np.nan) if part.null_count else part for part in parts))
    return out


def codes_of(array: Any) -> Codes:
    """Copy a pyarrow array of 32-bit integers into NumPy, gaps as -1."""
    import pyarrow.compute as pc

    parts = array.chunks if hasattr(array, "chunks") else [array]
    out = np.empty(sum(len(part) for part in parts), dtype=np.int32)
    _copy_parts(out, (pc.fill_null(part, -1) if part.null_count else part for part in parts))
    return out


def _copy_parts(out: npt.NDArray[Any], parts: Iterable[Any]) -> None:
    at = 0
    for part in parts:
        if len(part):
            offset = part.offset * out.itemsize
            out[at : at + len(part)] = np.frombuffer(part.buffers()[1], out.dtype, len(part), offset)
            at += len(part)
