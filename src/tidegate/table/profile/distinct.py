"""How many different values there are, as a state that adds.

K minimum values (Bar-Yossef et al., Counting Distinct Elements in a Data Stream, RANDOM 2002; the unbiased
estimate is Beyer et al., SIGMOD 2007): exact below K, within about 1/√K above.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tidegate.table.columns import Floats
from tidegate.table.hashing import Hashes, mixed, number_bits

K = 2048


@dataclass(frozen=True)
class Distinct:
    """The K smallest hashes of the values, sorted."""

    smallest: Hashes

    @classmethod
    def of(cls, values: Floats, hashes: Hashes) -> Distinct:
        """Count numbers, and other values by the 64-bit hashes of their texts."""
        numbers = mixed(number_bits(values))
        return cls(np.unique(np.concatenate([numbers, hashes]))[:K])

    def __add__(self, other: Distinct) -> Distinct:
        """Count the values of both."""
        return Distinct(np.union1d(self.smallest, other.smallest)[:K])

    @property
    def count(self) -> int:
        """The estimated number of different values."""
        if len(self.smallest) < K:
            return len(self.smallest)
        return round((K - 1) / (float(self.smallest[-1]) / 2.0**64))
