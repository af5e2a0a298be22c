"""A sketch of how numbers are distributed: a few thousand of them, each standing for a power of two.

The KLL sketch (Karnin, Lang and Liberty, Optimal Quantile Approximation in Streams, FOCS 2016): level h holds
numbers that stand for 2^h each; a level that is too full is sorted, and every second number moves up. Lower
levels are smaller by the factor c. It is written as Model Monitor writes it: the numbers by level.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from tidegate.table.columns import Floats
from tidegate.table.hashing import mixed

K = 2048
C = 0.64


@dataclass(frozen=True)
class Sketch:
    """A KLL sketch; up to `K` numbers it holds them all, in the order in which they came.

    Attributes
    ----------
    levels : tuple of arrays
        The numbers of level 0, 1, …
    compactions : int
        How often a level moved up; seeds the coin that says which half moves.
    """

    levels: tuple[Floats, ...] = (np.empty(0),)
    compactions: int = 0

    @classmethod
    def of(cls, values: Floats) -> Sketch:
        """Sketch finite numbers."""
        return cls((values,))._compressed()

    def __add__(self, other: Sketch) -> Sketch:
        """Sketch what both stand for."""
        low, high = sorted((self.levels, other.levels), key=len)
        joined = [np.concatenate([a, b]) for a, b in zip(self.levels, other.levels, strict=False)]
        return Sketch((*joined, *high[len(low) :]), self.compactions + other.compactions)._compressed()

    @property
    def count(self) -> int:
        """How many numbers it stands for."""
        return sum(len(level) << height for height, level in enumerate(self.levels))

    def counts(self, edges: list[float]) -> list[float]:
        """Estimate how many numbers lie between neighbouring edges: the lower edge belongs, and the last."""
        inner = np.array(edges[1:-1])
        total = np.zeros(len(edges) - 1)
        for height, level in enumerate(self.levels):
            places = np.searchsorted(inner, level, side="right")
            total += np.bincount(places, minlength=len(total)) * float(1 << height)
        return [float(value) for value in total]

    def _compressed(self) -> Sketch:
        levels, compactions = list(self.levels), self.compactions
        while sum(map(len, levels)) > sum(_capacity(h, len(levels)) for h in range(len(levels))):
            height = next(h for h, level in enumerate(levels) if len(level) > _capacity(h, len(levels)))
            level = levels[height]
            pairs = len(level) // 2 * 2
            ordered = np.sort(level[:pairs])  # an odd one out stays where it is, so that no weight is lost
            if height + 1 == len(levels):
                levels.append(np.empty(0))
            levels[height + 1] = np.concatenate([levels[height + 1], ordered[_coin(compactions) :: 2]])
            levels[height] = level[pairs:]
            compactions += 1
        return Sketch(tuple(levels), compactions)


def _capacity(height: int, levels: int) -> int:
    return max(2, math.ceil(K * C ** (levels - 1 - height)))


def _coin(toss: int) -> int:
    """Toss a coin that falls the same way each time it is asked the same toss."""
    return int(mixed(np.array([toss + 1], dtype=np.uint64))[0] & np.uint64(1))
