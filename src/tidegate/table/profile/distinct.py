"""How many different values there are, as a state that adds.

K minimum values (Bar-Yossef et al., Counting Distinct Elements in a Data Stream, RANDOM 2002; the unbiased
estimate is Beyer et al., SIGMOD 2007): exact below K, within about 1/√K above.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from tidegate.table.hashing import Hashes
from tidegate.table.sorting import sorted_unsigned

K = 2048
ANY = (1 << 64) - 1


@dataclass(frozen=True)
class Distinct:
    """The K smallest hashes of the values, sorted.

    Attributes
    ----------
    told : int
        The count that a file without hashes told; of a sum with such a part, at least this.
    """

    smallest: Hashes
    told: int = 0

    @classmethod
    def of(cls, hashes: Iterable[Hashes], below: int = ANY) -> Distinct:
        """Count values by their 64-bit hashes, given in several arrays.

        Parameters
        ----------
        below : int
            Hashes above this are left out: whoever adds the blocks of a file has K smaller ones already.
        """
        found = [each for each in hashes if len(each)] or [np.empty(0, dtype=np.uint64)]
        if below < ANY:
            found = [each[each <= np.uint64(below)] for each in found]
        return cls(_smallest(np.concatenate(found) if len(found) > 1 else found[0]))

    @classmethod
    def sum_of(cls, parts: Iterable[Distinct]) -> Distinct:
        """Count the values of all."""
        found = [part for part in parts if len(part.smallest) or part.told]
        if len(found) < 2:
            return found[0] if found else cls(np.empty(0, dtype=np.uint64))
        smallest = _smallest(np.concatenate([part.smallest for part in found]))
        return cls(smallest, max(part.told for part in found))

    def __add__(self, other: Distinct) -> Distinct:
        """Count the values of both."""
        return Distinct.sum_of((self, other))

    @property
    def threshold(self) -> int:
        """The hash above which no further value can matter."""
        return int(self.smallest[-1]) if len(self.smallest) == K else ANY

    @property
    def count(self) -> int:
        """The estimated number of different values."""
        if len(self.smallest) < K:
            return max(self.told, len(self.smallest))
        return max(self.told, round((K - 1) / (float(self.smallest[-1]) / 2.0**64)))


def _smallest(hashes: Hashes) -> Hashes:
    """Give the K smallest different hashes in order; `np.unique` would hash them, at four times the cost."""
    ordered = sorted_unsigned(hashes)
    new = np.ones(len(ordered), dtype=np.bool_)
    new[1:] = ordered[1:] != ordered[:-1]
    found: Hashes = ordered[new]
    return found[:K]
