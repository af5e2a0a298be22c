"""The rows that came last, kept as two profiles between checks: enough to see what few rows do not show.

A drift too small for one window shows in several together. So a check looks at its window alone, and together
with the rows before it: those of the `newer` and the `older` profile. The newer one grows window by window;
once it holds `ROWS`, it becomes the older one and another begins. A check therefore never looks back on more
than twice as many rows and the window itself, and what came before a change is soon forgotten.

The newer one also remembers, of far more rows, how much alike consecutive ones are: few rows tell that badly.

Where they lie is part of the state that a window leaves to the next, and a check writes its own into its own
folder: repeated, it reads the same state and writes the same files.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tidegate.table.profile import Profile

ROWS = 1000
REMEMBERED = 20_000  # values, by which it is known how much alike consecutive ones are


@dataclass(frozen=True)
class Recent:
    """Where the profiles of the last rows lie; None where there is none.

    Attributes
    ----------
    rows : int
        How many the newer one holds.
    fronts : mapping of str to float
        Up to which day each column of dates has come.
    """

    older: str | None = None
    newer: str | None = None
    rows: int = 0
    fronts: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def from_dict(cls, document: Mapping[str, Any] | None) -> Recent:
        """Read the JSON form; of a state of before this was kept there is nothing."""
        found = document or {}
        return cls(found.get("older"), found.get("newer"), int(found.get("rows", 0)), found.get("fronts", {}))

    def to_dict(self) -> dict[str, Any]:
        """Give the JSON form."""
        return {"older": self.older, "newer": self.newer, "rows": self.rows, "fronts": dict(self.fronts)}

    @property
    def places(self) -> list[str]:
        """Where what came before lies, the oldest first."""
        return [place for place in (self.older, self.newer) if place]

    def before(self, came: Sequence[Profile]) -> Profile:
        """Add up what lies at `places`; the newer one remembers the order of the older one's rows, too."""
        return Profile.sum_of([*(each.in_no_order() for each in came[:-1]), *came[-1:]])

    def after(
        self,
        newer: Profile | None,
        window: Profile,
        place: str,
        begin_anew: bool,
        fronts: Mapping[str, float] | None = None,
    ) -> tuple[Recent, Profile]:
        """Give what the next check finds, and the profile to keep at `place`.

        Parameters
        ----------
        newer : Profile or None
            What lies at `self.newer`.
        begin_anew : bool
            Whether the window denies what the rows before it showed, so that they say nothing any more.
        """
        known = self.fronts if fronts is None else fronts
        if newer is None:
            return Recent(None, place, window.rows, known), window
        order = window.remembering(newer, REMEMBERED)
        if begin_anew:
            return Recent(None, place, window.rows, known), order
        if self.rows >= ROWS:
            return Recent(self.newer, place, window.rows, known), order
        grown = (newer + window).in_no_order().remembering(order, REMEMBERED)
        return Recent(self.older, place, grown.rows, known), grown
