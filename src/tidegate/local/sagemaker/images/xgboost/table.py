"""Rows with labels, as every reader of training data returns them, and how to put several files together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tidegate.local.sagemaker.images.container import ContainerError

Floats = npt.NDArray[np.float32]


@dataclass
class Table:
    """Features with their labels; `features` is a dense array (NaN is missing) or a scipy CSR matrix."""

    features: Any
    labels: Floats
    weights: Floats | None = None
    groups: npt.NDArray[np.int64] | None = None

    @property
    def dense(self) -> bool:
        """True when every row gives every column, so that two tables must have the same ones."""
        return isinstance(self.features, np.ndarray)

    @property
    def columns(self) -> int:
        """How many features a row has."""
        return int(self.features.shape[1])


def join(tables: Sequence[tuple[Path, Table]]) -> Table:
    """Put the files of one channel one under the other.

    Raises
    ------
    ContainerError
        When two files differ in their number of columns or in whether they have weights or groups.
    """
    first_path, first = tables[0]
    if len(tables) == 1:
        return first
    for path, table in tables[1:]:
        if first.dense and table.columns != first.columns:
            raise ContainerError(
                f"{path.name} has {table.columns} feature columns and {first_path.name} has {first.columns}: "
                "all files of a channel need the same columns."
            )
        for part in ("weights", "groups"):
            if (getattr(table, part) is None) != (getattr(first, part) is None):
                raise ContainerError(
                    f"{path.name} and {first_path.name} differ: only one of them has {part}."
                )
    return Table(
        _stack([table.features for _, table in tables], first.dense),
        np.concatenate([table.labels for _, table in tables]),
        None
        if first.weights is None
        else np.concatenate([t.weights for _, t in tables if t.weights is not None]),
        None
        if first.groups is None
        else np.concatenate([t.groups for _, t in tables if t.groups is not None]),
    )


def _stack(parts: list[Any], dense: bool) -> Any:
    if dense:
        return np.concatenate(parts)
    from scipy.sparse import vstack

    width = max(part.shape[1] for part in parts)
    for part in parts:
        part.resize(
            part.shape[0], width
        )  # a column that a sparse file never names is missing in all its rows
    return vstack(parts, format="csr")
