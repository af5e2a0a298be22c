"""Which columns a model's predictions hang on, whatever its algorithm, by what it said of held-out rows.

What the model makes of its columns is learned from its own predictions, as a sum of one small table a column
(a global surrogate; Molnar, Interpretable Machine Learning, 2022, 8.6). A column is as important as its part
of the prediction varies over the held-out rows: by how much predictions move when it does. No row is scored
again, and an algorithm is asked nothing but what it was asked anyway. What columns do only together is not
seen in it; `fidelity` says how much of the predictions the tables account for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tidegate.table.columns import Column, Floats
from tidegate.table.estimate.bins import coded, cut
from tidegate.table.estimate.boosting import Booster

ROUNDS = 150
MOST_ROWS = 6_000
LEAST_ROWS = 30


@dataclass(frozen=True)
class Importances:
    """How important columns are.

    Attributes
    ----------
    columns : mapping of str to float
        The share of each input; they add up to 1, unless the model always answers the same.
    fidelity : float
        The share of the predictions' variance that the columns account for one by one.
    rows : int
        The held-out rows it is from.
    """

    columns: Mapping[str, float] = field(default_factory=dict)
    fidelity: float = 0.0
    rows: int = 0

    def to_dict(self) -> dict[str, Any]:
        """Give the JSON form."""
        return {"columns": dict(self.columns), "fidelity": self.fidelity, "rows": self.rows}

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> Importances:
        """Read the JSON form."""
        return cls(document["columns"], document["fidelity"], document["rows"])


def importances(columns: Mapping[str, Column], predictions: Floats) -> Importances | None:
    """Say how much predictions hang on each column; None of too few rows."""
    rows = min(len(predictions), MOST_ROWS)
    if rows < LEAST_ROWS or not np.isfinite(predictions).all():
        return None
    chosen = np.sort(np.random.default_rng(len(predictions)).permutation(len(predictions))[:rows])
    answers = predictions[chosen] / (float(np.abs(predictions[chosen]).max()) or 1.0)
    some = {name: column.take(chosen) for name, column in columns.items()}
    bins = cut(some)
    codes = coded(bins, some, rows)
    booster = Booster(bins, codes, answers, np.ones(rows))
    for _ in range(ROUNDS):
        if booster.round() is None:
            break
    moved = {
        each.name: float(np.std(table[places]))
        for each, table, places in zip(bins, booster.tables, codes, strict=True)
    }
    total, varies = sum(moved.values()), float(np.var(answers))
    shares = {name: moved.get(name, 0.0) / total if total else 0.0 for name in columns}
    left = float(np.var(answers - booster.fitted))
    return Importances(shares, 1 - left / varies if varies else 0.0, rows)
