"""How much alike consecutive values are, as a state that adds: rows that repeat each other tell less.

Of each block of a column the first values say whether they are above its median; neighbours that stand on
different sides are counted beside what is expected of values in no order. What is missing of that is the
correlation of neighbours, and rows so correlated tell as much as fewer independent ones would (Bayley and
Hammersley, The Effective Number of Independent Observations, Journal of the Royal Statistical Society B 8,
1946, for a first-order process).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from tidegate.table.columns import Floats

LOOKED_AT = 4096  # values of a block: as many as tell the correlation of neighbours well enough
SURE = 2.0  # standard errors above 0 that a correlation must have to count
MOST = 0.999


@dataclass(frozen=True)
class Succession:
    """Neighbours that were looked at.

    Attributes
    ----------
    pairs : int
        How many.
    apart : float
        How many of them differ.
    expected : float
        How many would, if the order meant nothing.
    """

    pairs: int = 0
    apart: float = 0.0
    expected: float = 0.0

    @classmethod
    def of(cls, values: Floats) -> Succession:
        """Look at numbers in the order in which they came; ordered ones were sorted, which tells nothing."""
        some = values[:LOOKED_AT]
        if len(some) < 3:
            return cls()
        steps = np.diff(some)
        if not (steps < 0).any() or not (steps > 0).any():
            return cls()
        high = some > np.median(some)
        if not high.any():  # more than half are the greatest
            high = some == some.max()
        return cls._counted(high)

    @classmethod
    def of_codes(cls, codes: Floats) -> Succession:
        """Look at categories by their codes."""
        some = codes[:LOOKED_AT]
        if len(some) < 3:
            return cls()
        _, places, counts = np.unique(some, return_inverse=True, return_counts=True)
        steps = places[1:] != places[:-1]
        if int(steps.sum()) < len(counts):  # each category in one run: the rows were sorted by it
            return cls()
        shares = counts / len(some)
        return cls(len(steps), float(steps.sum()), float((1 - (shares**2).sum()) * len(steps)))

    @classmethod
    def _counted(cls, high: np.ndarray) -> Succession:
        share = float(high.mean())
        pairs = len(high) - 1
        return cls(pairs, float((high[1:] != high[:-1]).sum()), 2 * share * (1 - share) * pairs)

    @classmethod
    def sum_of(cls, parts: Iterable[Succession]) -> Succession:
        """Count the neighbours of all; where two parts meet nothing is counted."""
        found = list(parts)
        return cls(
            sum(part.pairs for part in found),
            sum(part.apart for part in found),
            sum(part.expected for part in found),
        )

    def __add__(self, other: Succession) -> Succession:
        """Count the neighbours of both."""
        return Succession.sum_of((self, other))

    @property
    def correlation(self) -> float:
        """The correlation of neighbours, 0 where it may be an accident."""
        if not self.expected:
            return 0.0
        found = 1 - self.apart / self.expected
        return min(MOST, found) if found > SURE / math.sqrt(self.pairs) else 0.0

    @property
    def rows_for_one(self) -> float:
        """How many such rows tell as much as one independent row does.

        >>> Succession(1000, 100, 500).rows_for_one
        9.0
        """
        return (1 + self.correlation) / (1 - self.correlation)
