"""How much alike consecutive values are, as a state that adds: rows that repeat each other tell less.

Of the first values of a block it is asked whether each is above their median, or is the most frequent
category; how these answers repeat each other is their integrated autocorrelation time, which says how many
such rows tell as much as one independent row. Lags are added up as far as five such times, beyond which is
only noise (Sokal, Monte Carlo Methods in Statistical Mechanics, 1996). What may be an accident of values in
no order counts as none.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tidegate.table.columns import Floats

LOOKED_AT = 1024  # values of a block
LEAST = 16
LEAST_TIME = 0.5  # of values that alternate
TIMES = 5
SURE = 2.5  # standard errors above 1


@dataclass(frozen=True)
class Succession:
    """Values that were looked at in their order.

    Attributes
    ----------
    values : int
        How many.
    independent : float
        How many independent ones would tell as much.
    """

    values: int = 0
    independent: float = 0.0

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
    def _of_answers(cls, answers: npt.NDArray[np.bool_]) -> Succession:
        apart = answers - answers.mean()
        size = 1 << (2 * len(apart) - 1).bit_length()
        spectrum = np.fft.rfft(apart, size)
        together = np.fft.irfft(np.square(np.abs(spectrum)), size)[: len(apart)]
        if not together[0] > 0:
            return cls()
        times = 1 + 2 * np.cumsum(together[1:] / together[0])
        lags = np.arange(1, len(times) + 1)
        enough = lags >= TIMES * times
        last = int(enough.argmax()) if enough.any() else len(times) - 1
        return cls(len(apart), len(apart) / max(LEAST_TIME, float(times[last])))

    @classmethod
    def sum_of(cls, parts: Iterable[Succession]) -> Succession:
        """Count the values of all."""
        found = list(parts)
        return cls(sum(part.values for part in found), sum(part.independent for part in found))

    def __add__(self, other: Succession) -> Succession:
        """Count the values of both."""
        return Succession.sum_of((self, other))

    @property
    def rows_for_one(self) -> float:
        """How many such rows tell as much as one independent row does.

        >>> Succession(1000, 125.0).rows_for_one
        8.0
        """
        if not self.independent:
            return 1.0
        found = self.values / self.independent
        # Only all blocks together tell what is no accident: one of them alone is often too short.
        chance = 2 * math.sqrt(TIMES * max(found, 1.0) / self.values)
        return found if found > 1 + SURE * chance else 1.0
