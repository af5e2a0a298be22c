"""Columns of any kind as a few bins each, so that something can be learned of them by counting."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tidegate.table.columns import Categories, Column, Floats, Numbers

MOST = 64  # bins of known values; one more is for gaps, and of texts another for all others
LEAST_COUNT = 5  # rows of a text that has a bin of its own

Codes = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Bins:
    """How one column is cut.

    Attributes
    ----------
    edges : array or None
        Of numbers: the upper ends of all bins but the last.
    levels : tuple of str
        Of texts: those that have a bin of their own.
    """

    name: str
    edges: Floats | None = None
    levels: tuple[str, ...] = ()

    @classmethod
    def of(cls, name: str, column: Column) -> Bins:
        """Cut a column of held-out rows: numbers in bins of alike many rows, texts the frequent ones."""
        if isinstance(column, Numbers):
            known = np.sort(column.values[np.isfinite(column.values)])
            distinct = np.unique(known)
            if len(distinct) <= MOST:
                return cls(name, distinct[1:] / 2 + distinct[:-1] / 2)
            # Finer towards the ends, where rows come that the model knows little of.
            shares = (1 - np.cos(np.pi * np.linspace(0, 1, MOST + 1)[1:-1])) / 2
            return cls(name, np.unique(np.quantile(known, shares)))
        counts = np.bincount(column.codes[column.codes >= 0], minlength=len(column.levels))
        frequent = [at for at in np.argsort(-counts, kind="stable")[:MOST] if counts[at] >= LEAST_COUNT]
        return cls(name, None, tuple(column.levels[at] for at in frequent))

    @property
    def count(self) -> int:
        """How many bins there are."""
        return (len(self.levels) + 1 if self.edges is None else len(self.edges) + 1) + 1

    @property
    def ordered(self) -> bool:
        """Whether the bins have an order, but for the last one, which is for gaps."""
        return self.edges is not None

    def codes(self, column: Column | None, rows: int) -> Codes:
        """Give the bin of each row; a column that is not there is a gap."""
        gap = self.count - 1
        if column is None:
            return np.full(rows, gap)
        if isinstance(column, Numbers):
            if self.edges is None:
                return np.full(rows, gap)
            found = np.searchsorted(self.edges, column.values, side="left")
            return np.where(np.isnan(column.values), gap, found).astype(np.int64)
        places = {level: at for at, level in enumerate(self.levels)}
        return np.array([*(places.get(level, gap - 1) for level in column.levels), gap])[column.codes]

    def to_dict(self) -> dict[str, Any]:
        """Give the JSON form."""
        edges = None if self.edges is None else self.edges.tolist()
        return {"name": self.name, "edges": edges, "levels": list(self.levels)}

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> Bins:
        """Read the JSON form."""
        edges = document["edges"]
        return cls(
            document["name"], None if edges is None else np.array(edges, float), tuple(document["levels"])
        )


def cut(columns: Mapping[str, Column]) -> list[Bins]:
    """Cut columns; one in which nothing differs is left out."""
    found = (Bins.of(name, column) for name, column in columns.items())
    return [bins for bins in found if _differs(bins, columns[bins.name])]


def coded(bins: Sequence[Bins], columns: Mapping[str, Column], rows: int) -> list[Codes]:
    """Give the bins of rows, column by column."""
    return [each.codes(columns.get(each.name), rows) for each in bins]


def _differs(bins: Bins, column: Column) -> bool:
    rows = len(column.codes) if isinstance(column, Categories) else len(column.values)
    return rows > 0 and len(np.unique(bins.codes(column, rows))) > 1
