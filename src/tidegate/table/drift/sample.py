"""What a profile knows of a column's distribution, in the two forms that the measures take."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from tidegate.table.columns import Floats
from tidegate.table.profile import ColumnProfile
from tidegate.table.profile.kll import RANK_ERROR


@dataclass(frozen=True)
class Numbers:
    """How numbers are distributed.

    Attributes
    ----------
    values : array
        Some of the numbers, in order.
    weights : array
        How many of the rows each stands for.
    distinct : int
        How many different numbers there are.
    rank_error : float
        By how much a rank may be wrong, as a share; 0 where every number is known.
    """

    values: Floats
    weights: Floats
    distinct: int
    rank_error: float = 0.0

    @classmethod
    def of(cls, column: ColumnProfile) -> Numbers:
        """Read a column's numbers off its profile: exactly while they are few, by the sketch beyond."""
        counts = column.numerals.counts
        if counts and sum(counts.values()) == column.moments.count:
            values = np.array([float(text) for text in counts])
            weights = np.array(list(counts.values()), dtype=np.float64)
            order = np.argsort(values)
            return cls(values[order], weights[order], len(np.unique(values)))
        values, weights = column.sketch.weighted()
        exact = len(column.sketch.levels) == 1
        return cls(values, weights, column.distinct.count, 0.0 if exact else RANK_ERROR)

    @classmethod
    def sampled(cls, values: list[float]) -> Numbers:
        """Take every number of a short list: for examples and tests."""
        ordered = np.sort(np.array(values, dtype=np.float64))
        return cls(ordered, np.ones(len(ordered)), len(np.unique(ordered)))

    @cached_property
    def rows(self) -> float:
        """How many numbers there are."""
        return float(self.weights.sum())

    @cached_property
    def _sums(self) -> Floats:
        return np.concatenate([[0.0], np.cumsum(self.weights)])

    def below_or_at(self, points: Floats) -> Floats:
        """Give the share of the numbers up to each point: the distribution function."""
        return np.asarray(self._sums[np.searchsorted(self.values, points, side="right")] / self.rows)

    def below(self, points: Floats) -> Floats:
        """Give the share of the numbers that are less than each point."""
        return np.asarray(self._sums[np.searchsorted(self.values, points, side="left")] / self.rows)

    def quantiles(self, shares: Floats) -> Floats:
        """Give the smallest number up to which each share lies."""
        sums = self._sums[1:] / self.rows
        return np.asarray(self.values[np.minimum(np.searchsorted(sums, shares - 1e-12), len(sums) - 1)])


@dataclass(frozen=True)
class Categories:
    """How texts are distributed.

    Attributes
    ----------
    counts : mapping
        Rows by text; where there are many texts, of the most frequent.
    rows : float
        How many there are in all.
    lost : int
        The most that a count may be too low by.
    """

    counts: Mapping[str, int]
    rows: float
    lost: int = 0

    @classmethod
    def of(cls, column: ColumnProfile) -> Categories:
        """Read a column's texts off its profile, numbers by the way they are written."""
        counts = {**column.texts.counts, **(column.numerals.counts or {})}
        unknown = column.types.numbers if column.numerals.counts is None else 0
        return cls(counts, float(column.types.present), column.frequencies.lost + unknown)

    @classmethod
    def of_numbers(cls, numbers: Numbers) -> Categories:
        """Take few different numbers as categories, by their value however they were written."""
        values, places = np.unique(numbers.values, return_inverse=True)
        counts = np.bincount(places, numbers.weights)
        named = {repr(value): round(count) for value, count in zip(values.tolist(), counts, strict=True)}
        return cls(named, numbers.rows, math.ceil(numbers.rank_error * numbers.rows))

    def shares(self, names: list[str]) -> Floats:
        """Give the share of the rows that each text has."""
        return np.array([self.counts.get(name, 0) for name in names]) / self.rows


def all_names(baseline: Categories, window: Categories) -> list[str]:
    """List the texts of either, the baseline's first."""
    return list(dict.fromkeys([*baseline.counts, *window.counts]))
