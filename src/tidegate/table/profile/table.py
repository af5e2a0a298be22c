"""The profile of a table: its rows counted, and a profile for each column; profiles of parts add."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from tidegate.table.profile.column import ColumnProfile
from tidegate.table.profile.succession import Succession
from tidegate.table.profile.value_types import ValueTypes

VERSION = 0.0


@dataclass(frozen=True)
class Profile:
    """What a table holds.

    Examples
    --------
    A week is the sum of its hours, and no row is read twice::

        week = Profile.sum_of(hours)
    """

    rows: int = 0
    columns: Mapping[str, ColumnProfile] = field(default_factory=dict)

    @classmethod
    def sum_of(cls, parts: Iterable[Profile]) -> Profile:
        """Profile the rows of all parts; a column that a part lacks is missing in each of its rows."""
        found = [part for part in parts if part.rows]
        if len(found) == 1:
            return found[0]
        names = dict.fromkeys(name for part in found for name in part.columns)
        return cls(
            sum(part.rows for part in found),
            {name: ColumnProfile.sum_of([part.column(name) for part in found]) for name in names},
        )

    def __add__(self, other: Profile) -> Profile:
        """Profile the rows of both."""
        return Profile.sum_of((self, other))

    def column(self, name: str) -> ColumnProfile:
        """Give a column's profile; one that is not there is missing in every row."""
        return self.columns.get(name) or ColumnProfile(ValueTypes(missing=self.rows))

    def beside(self, baseline: Profile) -> Profile:
        """Return this profile with words such as NA read as the baseline holds them."""
        columns = {name: column.beside(baseline.column(name)) for name, column in self.columns.items()}
        return Profile(self.rows, columns)

    def in_no_order(self) -> Profile:
        """Forget how rows follow each other: their order means nothing."""
        none = Succession()
        columns = {name: replace(column, succession=none, gaps=none) for name, column in self.columns.items()}
        return Profile(self.rows, columns)

    def remembering(self, before: Profile, values: float) -> Profile:
        """Know of each column also how its rows followed each other before, by so many values at most."""
        columns = {}
        for name, column in self.columns.items():
            known = before.column(name)
            columns[name] = replace(
                column,
                succession=(known.succession + column.succession).at_most(values),
                gaps=(known.gaps + column.gaps).at_most(values),
            )
        return Profile(self.rows, columns)

    def only(self, names: Iterable[str]) -> Profile:
        """Keep some columns, in the order given; one that is not there is left out."""
        return Profile(self.rows, {name: self.columns[name] for name in names if name in self.columns})

    def to_bytes(self) -> bytes:
        """Write the profile; `Profile.from_bytes` reads it back."""
        from tidegate.table.profile.keep import to_bytes

        return to_bytes(self)

    @classmethod
    def from_bytes(cls, raw: bytes) -> Profile:
        """Read a profile that was kept."""
        from tidegate.table.profile.keep import from_bytes

        return from_bytes(raw)

    def statistics(self) -> dict[str, Any]:
        """Give the contents of Model Monitor's `statistics.json`."""
        return {
            "version": VERSION,
            "dataset": {"item_count": self.rows},
            "features": [column.statistics(name) for name, column in self.columns.items()],
        }
