"""Count, sum, mean, spread and range of numbers, as a state that adds."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import reduce

import numpy as np

from tidegate.table.columns import Floats


@dataclass(frozen=True)
class Moments:
    """What numbers sum up to.

    Attributes
    ----------
    m2 : float
        The sum of the squared distances from the mean.
    """

    count: int = 0
    total: float = 0.0
    m2: float = 0.0
    least: float = math.inf
    most: float = -math.inf

    @classmethod
    def of(cls, values: Floats) -> Moments:
        """Sum up finite numbers."""
        if not len(values):
            return cls()
        with np.errstate(over="ignore", invalid="ignore"):
            total = float(values.sum())
            apart = values - total / len(values)
            m2 = float(np.square(apart, out=apart).sum())
        return cls(len(values), total, m2, float(values.min()), float(values.max()))

    @classmethod
    def sum_of(cls, parts: Iterable[Moments]) -> Moments:
        """Add them in their order."""
        return reduce(cls.__add__, parts, cls())

    def __add__(self, other: Moments) -> Moments:
        """Add by Chan, Golub and LeVeque's pairwise update (The American Statistician 37, 1983)."""
        if not self.count or not other.count:
            return self if self.count else other
        count = self.count + other.count
        apart = other.mean - self.mean
        return Moments(
            count,
            self.total + other.total,
            self.m2 + other.m2 + apart * apart * self.count * other.count / count,
            min(self.least, other.least),
            max(self.most, other.most),
        )

    @property
    def mean(self) -> float:
        """The mean; NaN of nothing."""
        return self.total / self.count if self.count else math.nan

    @property
    def deviation(self) -> float:
        """The population's standard deviation; NaN of nothing."""
        return math.sqrt(self.m2 / self.count) if self.count else math.nan
