"""A sketch of how numbers are distributed: a few thousand of them, each standing for a power of two.

The KLL sketch (Karnin, Lang and Liberty, Optimal Quantile Approximation in Streams, FOCS 2016): level h holds
numbers that stand for 2^h each; a level that is too full is sorted, and every second number moves up. Lower
levels are smaller by the factor c. A large batch is sorted whole and every 2^h-th of it taken, which costs
less and errs less than h such moves. It is written as Model Monitor writes it: the numbers by level.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import zip_longest

import numpy as np

from tidegate.table.columns import Floats
from tidegate.table.hashing import mixed
from tidegate.table.sorting import sorted_numbers

K = 2048
C = 0.64
RANK_ERROR = 0.0024  # of 99 % of such sketches: DataSketches' 2.296 / K^0.9021 for either end of an interval


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
        height = max(0, math.ceil(math.log2(len(values) / K))) if len(values) else 0
        if not height:
            return cls((values.copy(),))
        rest = len(values) % (1 << height)
        # The seed is of the data, so that two blocks do not fall into step; the same data gives the same.
        toss = int(values[len(values) // 2].view(np.uint64)) ^ len(values)
        ordered = sorted_numbers(values[rest:])
        taken = ordered[_coin(toss, 1 << height) :: 1 << height]
        return cls((values[:rest].copy(), *(np.empty(0) for _ in range(height - 1)), taken.copy()))

    @classmethod
    def sum_of(cls, parts: Iterable[Sketch]) -> Sketch:
        """Sketch what all of them stand for."""
        found = [part for part in parts if part.count]
        if len(found) < 2:
            return found[0] if found else cls()
        by_height = zip_longest(*(part.levels for part in found), fillvalue=np.empty(0))
        levels = [np.concatenate(same) for same in by_height]
        return _compressed(levels, sum(part.compactions for part in found))

    def __add__(self, other: Sketch) -> Sketch:
        """Sketch what both stand for."""
        return Sketch.sum_of((self, other))

    @property
    def count(self) -> int:
        """How many numbers it stands for."""
        return sum(len(level) << height for height, level in enumerate(self.levels))

    def weighted(self) -> tuple[Floats, Floats]:
        """Give its numbers in order, and how many each stands for."""
        values = np.concatenate(self.levels)
        weights = np.repeat(2.0 ** np.arange(len(self.levels)), [len(level) for level in self.levels])
        order = np.argsort(values, kind="stable")
        return values[order], weights[order]

    def counts(self, edges: Sequence[float]) -> list[float]:
        """Estimate how many numbers lie between neighbouring edges: the lower edge belongs, and the last."""
        inner = np.array(edges[1:-1])
        total = np.zeros(len(edges) - 1)
        for height, level in enumerate(self.levels):
            places = np.searchsorted(inner, level, side="right")
            total += np.bincount(places, minlength=len(total)) * float(1 << height)
        return [float(value) for value in total]


def _compressed(levels: list[Floats], compactions: int) -> Sketch:
    room = [_capacity(height, len(levels)) for height in range(len(levels))]
    while sum(map(len, levels)) > sum(room):
        height = next(h for h, level in enumerate(levels) if len(level) > room[h])
        level = levels[height]
        pairs = len(level) // 2 * 2
        ordered = sorted_numbers(level[:pairs])  # an odd one out stays where it is, so that no weight is lost
        if height + 1 == len(levels):
            levels.append(np.empty(0))
            room = [_capacity(each, len(levels)) for each in range(len(levels))]
        levels[height + 1] = np.concatenate([levels[height + 1], ordered[_coin(compactions, 2) :: 2]])
        levels[height] = level[pairs:]
        compactions += 1
    return Sketch(tuple(levels), compactions)


def _capacity(height: int, levels: int) -> int:
    return max(2, math.ceil(K * C ** (levels - 1 - height)))


def _coin(toss: int, sides: int) -> int:
    """Toss a coin that falls the same way each time it is asked the same toss; sides is a power of two."""
    seed = np.array([(toss + 1) & ((1 << 64) - 1)], dtype=np.uint64)
    return int(mixed(seed)[0]) & (sides - 1)
