"""Like compared with like: by the hour of the day, or the day of the week, once enough of each is known.

A model file says `monitor.season`. The first windows of each phase since a champion serves add up to what is
usual in that phase; once they are `WINDOWS` of at least `ROWS` rows, the distributions of later windows of
that phase are compared with these instead of the whole baseline, and pooled with the last rows of that phase.
Until then a check says so, and compares with the whole baseline. What is usual is not learned any further, so
that a slow drift stays one. Gaps, types and categories never seen are asked of the baseline throughout.

A window that had to wait for more rows belongs to no one phase, and is compared with the whole baseline.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from tidegate.core.monitor import SEASONS
from tidegate.core.sentences import Sentence, say, told
from tidegate.table.profile import Profile
from tidegate.table.watch.recent import Recent

WINDOWS = {"hour-of-day": 7, "day-of-week": 4}
ROWS = 1000
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def phase_of(season: str, at: str) -> str:
    """Name the phase that a time is in, by UTC.

    >>> phase_of("hour-of-day", "2026-05-04T13:20:00+00:00"), phase_of("day-of-week", "2026-05-04T13:20:00Z")
    ('13:00', 'Monday')
    """
    moment = datetime.fromisoformat(at)
    return f"{moment:%H}:00" if season == SEASONS[1] else DAYS[moment.weekday()]


@dataclass(frozen=True)
class Phase:
    """What is known of a phase.

    Attributes
    ----------
    usual : str or None
        Where the profile of its first windows lies.
    windows, rows : int
        How many windows and rows that is of.
    recent : mapping
        The last rows of this phase, see `watch.recent`; kept once its usual is known.
    """

    usual: str | None = None
    windows: int = 0
    rows: int = 0
    recent: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Season:
    """The phases of a model, and that of one check.

    Attributes
    ----------
    kind : str
        One of `core.monitor.SEASONS`.
    name : str
        Of the check's phase.
    whole : bool
        Whether the check's rows are all of one window, and so of one phase.
    """

    kind: str
    name: str
    whole: bool
    phases: Mapping[str, Phase]

    @classmethod
    def of(cls, state: Mapping[str, Any], kind: str, opened: str, *, whole: bool) -> Season:
        """Read it off the state of a champion's last window; of another kind of season nothing is known."""
        kept = state.get("season") or {}
        phases = kept.get("phases", {}) if kept.get("kind") == kind else {}
        name = phase_of(kind, opened) if kind != SEASONS[0] and opened else ""
        return cls(kind, name, whole, {each: Phase(**entry) for each, entry in phases.items()})

    @property
    def phase(self) -> Phase:
        """What is known of the check's phase."""
        return self.phases.get(self.name, Phase())

    @property
    def known(self) -> bool:
        """Whether the check's rows are compared with their like."""
        enough = self.phase.rows >= ROWS and self.phase.windows >= WINDOWS.get(self.kind, 0)
        return bool(self.name) and self.whole and enough

    def recent(self, state: Mapping[str, Any]) -> Recent:
        """Give the last rows that the check's are pooled with."""
        lately = Recent.from_dict(state.get("recent"))
        if not self.known:
            return lately
        own = Recent.from_dict(self.phase.recent)
        return replace(own, fronts={**lately.fronts, **own.fronts})

    def words(self) -> Sentence:
        """Say what the check's rows were compared with; nothing where no season is declared."""
        if not self.name:
            return Sentence()
        if self.known:
            return say(
                "; compared with the first {rows:,} rows of {phase} UTC",
                rows=self.phase.rows,
                phase=told(self.name),
            )
        return say(
            "; compared with the whole baseline, as {windows} of {wanted} windows of {phase} UTC are known "
            "({rows:,} of {least:,} rows)",
            windows=self.phase.windows,
            wanted=WINDOWS[self.kind],
            phase=told(self.name),
            rows=self.phase.rows,
            least=ROWS,
        )

    def learns(self, window: Profile) -> bool:
        """Tell whether a window adds to what is usual in its phase."""
        return bool(self.name) and self.whole and not self.known and bool(window.rows)

    def after(self, window: Profile, place: str, recent: Recent) -> dict[str, Any]:
        """Give the JSON form that the next check finds, with this window in what lies at `place` then."""
        phase = self.phase
        if self.known:
            phase = replace(phase, recent=recent.to_dict())
        elif self.learns(window):
            phase = Phase(place, phase.windows + 1, phase.rows + window.rows)
        return self.to_dict({**self.phases, self.name: phase} if self.name else self.phases)

    def to_dict(self, phases: Mapping[str, Phase] | None = None) -> dict[str, Any]:
        """Give the JSON form."""
        known = self.phases if phases is None else phases
        return {"kind": self.kind, "phases": {name: dict(each.__dict__) for name, each in known.items()}}
