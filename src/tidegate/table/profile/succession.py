"""How much alike consecutive values are, as a state that adds: rows that repeat each other tell less.

Of the first values of a block it is asked whether each is above their median, or is the most frequent
category, or is missing. How these answers go together with those some rows later adds up over blocks; the
sums give the integrated autocorrelation time, which says how many such rows tell as much as one independent
row. Lags are added up as far as three such times, beyond which is only noise (Sokal, Monte Carlo Methods in
Statistical Mechanics, 1996), and what a block's own mean takes off is put back, so that many short windows
tell as much as a long one. What may be an accident of values in no order counts as none.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from tidegate.table.columns import Floats

LOOKED_AT = 1024  # values of a block
LEAST = 16
LAGS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512)  # where sums end
TIMES = 3
SURE = 2.5  # standard errors above 1
LEAST_LEFT = 0.3  # of the sum, beside what the blocks' own means take off
_STARTS = np.array([0, 1, *(lag + 1 for lag in LAGS)])
_WIDTHS = np.diff((0, *LAGS))
_MIDDLES = np.array([(low + 1 + high) / 2 for low, high in pairwise((0, *LAGS))])


@dataclass(frozen=True)
class Succession:
    """Values that were looked at in their order.

    Attributes
    ----------
    values, blocks : float
        How many values, of how many blocks.
    together : tuple of float
        The sum of the squares of the answers, less their block's mean, and the sums of their products with
        those so many rows later, for the spans of `LAGS`.
    """

    values: float = 0.0
    blocks: float = 0.0
    together: tuple[float, ...] = ()

    @classmethod
    def of(cls, values: Floats) -> Succession:
        """Look at numbers in the order in which they came; ordered ones were sorted, which tells nothing."""
        some = values[:LOOKED_AT]
        if len(some) < LEAST:
            return cls()
        steps = np.diff(some)
        if not (steps < 0).any() or not (steps > 0).any():
            return cls()
        high = some > np.median(some)
        # Where more than half are the greatest, it is they that tell.
        return cls._of_answers(high if high.any() else some == some.max())

    @classmethod
    def of_all(cls, values: Floats) -> Succession:
        """Look at all numbers, block by block."""
        return cls.sum_of(cls.of(values[at : at + LOOKED_AT]) for at in range(0, len(values), LOOKED_AT))

    @classmethod
    def of_codes(cls, codes: npt.NDArray[Any]) -> Succession:
        """Look at categories by their codes."""
        some = codes[:LOOKED_AT]
        if len(some) < LEAST:
            return cls()
        kinds, places, counts = np.unique(some, return_inverse=True, return_counts=True)
        if int((places[1:] != places[:-1]).sum()) < len(kinds):  # each in one run: the rows were sorted by it
            return cls()
        return cls._of_answers(places == counts.argmax())

    @classmethod
    def of_marks(cls, marks: npt.NDArray[np.bool_]) -> Succession:
        """Look at rows that are marked, such as those with a gap; a single run of them tells nothing."""
        some = marks[:LOOKED_AT]
        if len(some) < LEAST or int((some[1:] > some[:-1]).sum()) + bool(some[0]) < 2:
            return cls()
        return cls._of_answers(some)

    @classmethod
    def _of_answers(cls, answers: npt.NDArray[np.bool_]) -> Succession:
        apart = answers - answers.mean()
        size = 1 << (2 * len(apart) - 1).bit_length()
        spectrum = np.fft.rfft(apart, size)
        found = np.zeros(_STARTS[-1] + 1)
        products = np.fft.irfft(np.square(np.abs(spectrum)), size)[: min(len(apart), _STARTS[-1])]
        found[: len(products)] = products
        if not found[0] > 0:
            return cls()
        return cls(float(len(apart)), 1.0, tuple(np.add.reduceat(found, _STARTS)[:-1].tolist()))

    @classmethod
    def read(cls, kept: Sequence[float]) -> Succession:
        """Read what `kept` gave; of a file of before these sums were kept there is nothing."""
        return cls(kept[0], kept[1], tuple(kept[2:])) if len(kept) == 3 + len(LAGS) else cls()

    @property
    def kept(self) -> list[float]:
        """It as plain numbers."""
        return [self.values, self.blocks, *self.together] if self.together else []

    @classmethod
    def sum_of(cls, parts: Iterable[Succession]) -> Succession:
        """Count the values of all."""
        found = [part for part in parts if part.together]
        if len(found) < 2:
            return found[0] if found else cls()
        return cls(
            sum(part.values for part in found),
            sum(part.blocks for part in found),
            tuple(map(sum, zip(*(part.together for part in found), strict=True))),
        )

    def __add__(self, other: Succession) -> Succession:
        """Count the values of both."""
        return Succession.sum_of((self, other))

    def at_most(self, values: float) -> Succession:
        """Let it weigh no more than so many values, so that what comes after them tells, too."""
        if self.values <= values:
            return self
        part = values / self.values
        return replace(
            self,
            values=values,
            blocks=self.blocks * part,
            together=tuple(each * part for each in self.together),
        )

    @property
    def rows_for_one(self) -> float:
        """How many such rows tell as much as one independent row does.

        >>> walk = np.repeat(np.random.default_rng(0).random(1000) < 0.5, 8)
        >>> parts = [Succession.of_marks(walk[at : at + 400]) for at in range(0, 8000, 400)]
        >>> round(Succession.sum_of(parts).rows_for_one)
        8
        """
        return self._time[0] if self.beyond(1.0) else 1.0

    def beyond(self, known: float) -> bool:
        """Tell whether it is more than so many rows that tell as much as one, and that no accident."""
        if not self.values:
            return False
        chance = math.sqrt(2 * (2 * TIMES * known + 1) / self.values)
        return self._time[0] > known * (1 + SURE * chance)

    @property
    def freedom(self) -> float:
        """How well that is known: as well as a variance of which so many squares are known."""
        _, lags = self._time
        return self.values / (2 * lags + 1) if self.rows_for_one > 1 else math.inf

    @cached_property
    def _time(self) -> tuple[float, int]:
        """Give the time, and up to which lag products were added up for it."""
        if not self.together:
            return 1.0, 0
        each, part = self.values / self.blocks, self.blocks / self.values
        pairs = self.values - _MIDDLES * self.blocks
        sums = np.cumsum(np.array(self.together[1:]) * _WIDTHS / np.where(pairs > 0, pairs * _WIDTHS, np.inf))
        found, lag = 1.0, 0
        for at, upto in enumerate(LAGS):
            if 2 * upto > each:
                break
            raw = 1 + 2 * float(sums[at]) * self.values / self.together[0]
            # Less each block's own mean, every product is smaller by the time over the block's length.
            left = 1 - (2 * upto + 1) * part + raw * part
            if left < LEAST_LEFT:
                break
            lag, found = upto, max(0.0, raw) / left
            if lag >= TIMES * found:
                break
        return found, lag
