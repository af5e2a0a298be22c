"""How often each text occurs while there are few different ones, as a state that adds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

MOST_TEXTS = 120  # Deequ's ColumnProfiler calls more than this a high cardinality


@dataclass(frozen=True)
class Frequencies:
    """The counts by text; None once there are more than `MOST_TEXTS`, which no window brings back."""

    counts: Mapping[str, int] | None

    @classmethod
    def of(cls, counts: Mapping[str, int]) -> Frequencies:
        """Keep counts if they are few."""
        return cls(counts if len(counts) <= MOST_TEXTS else None)

    def __add__(self, other: Frequencies) -> Frequencies:
        """Count the texts of both."""
        if self.counts is None or other.counts is None:
            return Frequencies(None)
        return Frequencies.of(Counter(self.counts) + Counter(other.counts))

    def ranked(self) -> list[tuple[str, int]]:
        """List texts with counts, the most frequent first, ties by text."""
        return sorted((self.counts or {}).items(), key=lambda item: (-item[1], item[0]))
