"""How often each text occurs, as states that add: exact while there are few, the heavy hitters beyond.

Beyond `MOST_TEXTS` different texts it is the summary of Misra and Gries (Finding Repeated Elements, Science
of Computer Programming 2, 1982), which adds (Agarwal et al., Mergeable Summaries, PODS 2012): what is not
kept, and what a kept count lacks, is at most `lost`, and that at most 1 / (MOST_TEXTS + 1) of all.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from tidegate.serving.texts import category_text
from tidegate.table.sorting import sorted_unsigned

MOST_TEXTS = 1024
MOST_NUMERALS = 120  # a column of more different numbers is no list of codes; Deequ's profiler says the same


@dataclass(frozen=True)
class Frequencies:
    """The counts by text.

    Attributes
    ----------
    lost : int
        The most that any count may be too low by; 0 while all is exact.
    """

    counts: Mapping[str, int] = field(default_factory=dict)
    lost: int = 0

    @classmethod
    def of(cls, counts: Mapping[str, int], lost: int = 0) -> Frequencies:
        """Keep the counts, of the most frequent only if they are many."""
        if len(counts) <= MOST_TEXTS:
            return cls(counts, lost)
        cut = cut_of(np.fromiter(counts.values(), np.int64, len(counts)))
        return cls({text: count - cut for text, count in counts.items() if count > cut}, lost + cut)

    @classmethod
    def sum_of(cls, parts: Iterable[Frequencies]) -> Frequencies:
        """Count the texts of all."""
        found = [part for part in parts if part.counts or part.lost]
        if len(found) < 2:
            return found[0] if found else cls()
        total: Counter[str] = Counter()
        for part in found:
            total.update(part.counts)
        return cls.of(total, sum(part.lost for part in found))

    def __add__(self, other: Frequencies) -> Frequencies:
        """Count the texts of both."""
        return Frequencies.sum_of((self, other))

    def ranked(self) -> list[tuple[str, int]]:
        """List texts with counts, the most frequent first, ties by text."""
        return sorted(self.counts.items(), key=lambda item: (-item[1], item[0]))


def one_text_each(counts: Mapping[str, int]) -> dict[str, int]:
    """Count numbers by the one text of each: 4.0 is 4."""
    found: Counter[str] = Counter()
    for text, count in counts.items():
        found[category_text(text)] += count
    return dict(found)


def cut_of(counts: npt.NDArray[np.int64]) -> int:
    """Give what is taken off each of too many counts, so that at most `MOST_TEXTS` are left."""
    if len(counts) <= MOST_TEXTS:
        return 0
    return int(sorted_unsigned(counts.astype(np.uint64))[len(counts) - MOST_TEXTS - 1])


@dataclass(frozen=True)
class Numerals:
    """The counts of numbers by how they are written; None once there are more than `MOST_NUMERALS`."""

    counts: Mapping[str, int] | None = field(default_factory=dict)

    @classmethod
    def sum_of(cls, parts: Iterable[Numerals]) -> Numerals:
        """Count the numbers of all; one that was given up is given up for good."""
        total: Counter[str] = Counter()
        for part in parts:
            if part.counts is None:
                return cls(None)
            total.update(part.counts)
            if len(total) > MOST_NUMERALS:
                return cls(None)
        return cls(dict(total))

    def __add__(self, other: Numerals) -> Numerals:
        """Count the numbers of both."""
        return Numerals.sum_of((self, other))
