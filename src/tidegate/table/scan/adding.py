"""Adding up the profiles of blocks as they come: a few at a time, in the order of the file."""

from __future__ import annotations

from collections.abc import Sequence

from tidegate.table.profile.column import ColumnProfile
from tidegate.table.profile.distinct import ANY
from tidegate.table.profile.table import Profile

AT_ONCE = 8  # adding several costs hardly more than adding two, and they are small


class Adding:
    """The profile of what was read so far.

    Attributes
    ----------
    below : list of int
        For each column, the hash above which no further value matters to `Distinct`.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self._names = names
        self._rows = 0
        self._parts: list[list[ColumnProfile]] = []
        self.below = [ANY] * len(names)

    def add(self, rows: int, columns: list[ColumnProfile]) -> None:
        """Add a block's profile: rows, and each column's."""
        if not rows:
            return
        self._rows += rows
        self._parts.append(columns)
        if len(self._parts) > AT_ONCE:
            self._join()

    def profile(self) -> Profile:
        """Give the sum."""
        self._join()
        return Profile(self._rows, dict(zip(self._names, self._parts[0], strict=True)) if self._parts else {})

    def _join(self) -> None:
        if len(self._parts) > 1:
            self._parts = [[ColumnProfile.sum_of(same) for same in zip(*self._parts, strict=True)]]
            self.below = [column.distinct.threshold for column in self._parts[0]]
