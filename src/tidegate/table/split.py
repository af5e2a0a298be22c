"""Which rows train, validate and test: decided by a hash of each row, whatever the other rows are.

A row stays in its part when the file is re-ordered, appended to or stored in another format, and equal rows
go to the same part.
"""

from __future__ import annotations

import numpy as np

from tidegate.core.errors import BadDrop
from tidegate.core.sentences import say, told
from tidegate.core.spec import Split
from tidegate.table.columns import Categories, Column, Indices, Numbers, Table
from tidegate.table.hashing import GAP, Hashes, mixed, number_bits, text_hash

PARTS = ("train", "validation", "test")


def split(table: Table, shares: Split) -> dict[str, Table]:
    """Divide a table into train, validation and test.

    Parameters
    ----------
    table : Table
        A checked drop.
    shares : Split
        The shares of the parts; they add up to 1.

    Raises
    ------
    BadDrop
        If a part gets no row.
    """
    parts = {part: table.take(rows) for part, rows in assign(table, shares).items()}
    for part, got in parts.items():
        if got.rows == 0:
            raise BadDrop(
                say(
                    "{file}: of its {rows} rows none fell into the {part} part, which gets {share} "
                    "of the distinct rows; add rows, or take a larger share in model.yaml",
                    file=told(table.name),
                    rows=table.rows,
                    part=told(part),
                    share=told(format(getattr(shares, part), ".0%")),
                )
            )
    return parts


def assign(table: Table, shares: Split) -> dict[str, Indices]:
    """Say which rows belong to which part, in the order of the file."""
    # The upper 53 bits as a double in [0, 1)
    at = (row_hashes(table) >> np.uint64(11)).astype(np.float64) * 2.0**-53
    trains = at < shares.train
    validates = ~trains & (at < shares.train + shares.validation)
    return {
        "train": np.flatnonzero(trains),
        "validation": np.flatnonzero(validates),
        "test": np.flatnonzero(~trains & ~validates),
    }


def shuffled(table: Table) -> Indices:
    """Order rows as if by chance, decided by what each row holds: a file in another order gives the same.

    Rows that hold the same are told apart by counting them, so that they do not come one after the other.
    """
    found = _content_hashes(table)
    by_hash = np.argsort(found, kind="stable")
    ordered = found[by_hash]
    starts = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]])[: table.rows])
    counted = np.empty(table.rows, np.uint64)
    counted[by_hash] = np.arange(table.rows) - np.repeat(starts, np.diff(np.append(starts, table.rows)))
    # Another mixture than the one that chose the part, which holds only a range of its values.
    order: Indices = np.argsort(mixed(found ^ mixed(counted + _salt("order"))), kind="stable")
    return order


def row_hashes(table: Table) -> Hashes:
    """Hash each row: by its id where it has one, else by every column of the model that the row holds."""
    if table.ids is None:
        return _content_hashes(table)
    hashes = mixed(_column_hashes(table.ids) ^ _salt("id"))
    if (table.ids.codes < 0).any():
        hashes = np.where(table.ids.codes < 0, _content_hashes(table), hashes)
    return hashes


def _content_hashes(table: Table) -> Hashes:
    total = mixed(_column_hashes(Numbers(table.target)) ^ _salt("target"))
    for name, column in table.columns.items():
        # A sum does not depend on the order in which the model lists its columns.
        total = total + mixed(_column_hashes(column) ^ _salt(f"feature {name}"))
    return mixed(total)


def _column_hashes(column: Column) -> Hashes:
    if isinstance(column, Categories):
        return np.array([*map(text_hash, column.levels), GAP], dtype=np.uint64)[column.codes]
    return number_bits(column.values)


def _salt(text: str) -> np.uint64:
    return np.uint64(text_hash(text))
