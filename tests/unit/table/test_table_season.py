"""Like is compared with like once it is known, and a change of the like is found."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from tidegate.core.errors import BadSpec
from tidegate.core.monitor import SEASONS, read_monitor
from tidegate.table.compare import compare
from tidegate.table.constraints import Constraints, suggest
from tidegate.table.profile import Cells, ColumnProfile, Profile
from tidegate.table.profile.frequencies import Numerals
from tidegate.table.profile.value_types import ValueTypes
from tidegate.table.watch.season import ROWS, WINDOWS, Season, phase_of

ROWS_A_DAY = 300


def drawn(rng: np.random.Generator, day: int, shift: float = 0.0) -> Profile:
    """Draw a day's rows: people who come on weekends are others."""
    columns = {}
    for name in ("a", "b"):
        values = rng.normal(0.8 * (day % 7 >= 5) + shift * (name == "a"), 1, ROWS_A_DAY)
        cells = Cells(ValueTypes(fractional=len(values)), values, Numerals(None))
        columns[name] = ColumnProfile.of(cells)
    return Profile(ROWS_A_DAY, columns)


class Watch:
    """Daily checks, as `compare_window` makes them."""

    def __init__(self, baseline: Profile, kind: str) -> None:
        self.baseline, self.kind = baseline, kind
        self.rules = Constraints.read(suggest(baseline))
        self.state: dict[str, Any] = {}
        self.kept: dict[str, Profile] = {}

    def check(self, day: int, window: Profile) -> tuple[set[str], str]:
        opened = (datetime(2024, 1, 1, 12, tzinfo=UTC) + timedelta(days=day)).isoformat()  # a Monday
        season = Season.of(self.state, self.kind, opened, whole=True)
        usual = self.kept[season.phase.usual] if season.phase.usual else None
        recent = season.recent(self.state)
        came = [self.kept[place] for place in recent.places]
        found = compare(
            self.baseline,
            self.rules,
            window,
            before=recent.before(came),
            like=usual if season.known else None,
        )
        newer = came[-1] if recent.newer else None
        recent, self.kept[f"recent-{day}"] = recent.after(newer, window, f"recent-{day}", found.denied)
        if season.learns(window):
            self.kept[f"usual-{day}"] = window if usual is None else usual + window
        after = season.after(window, f"usual-{day}", recent)
        lately = self.state.get("recent") if season.known else recent.to_dict()
        self.state = {"season": after, "recent": lately}
        return {column for each in found.violations for column in each.columns}, season.words().plain


@pytest.mark.slow
def test_weekends_that_always_are_others_are_no_drift_once_known_and_a_change_of_them_is():
    rng = np.random.default_rng(1)
    baseline = Profile.sum_of(drawn(rng, day) for day in range(14))
    watch, blind = (Watch(baseline, kind) for kind in ("day-of-week", "off"))
    told, seen = [], []
    for day in range(70):
        window = drawn(rng, day)
        told.append(watch.check(day, window))
        seen.append(blind.check(day, window)[0])
    learned = WINDOWS["day-of-week"] * 7
    assert all(bool(each) for day, each in enumerate(seen) if day % 7 >= 5)
    assert not any(columns for columns, _ in told[learned:])
    assert "compared with the whole baseline" in told[0][1]
    assert "compared with the first 1,200 rows of " in told[learned][1]
    assert {words for _, words in [blind.check(70, drawn(rng, 70))]} == {""}
    changed = [watch.check(day, drawn(rng, day, shift=0.5))[0] for day in range(70, 84)]
    assert sum("a" in each for each in changed) >= 12
    assert not any("b" in each for each in changed)


def test_phases_are_of_their_kind_and_those_of_another_season_are_forgotten():
    assert phase_of("hour-of-day", "2026-05-04T03:59:00Z") == "03:00"
    window = drawn(np.random.default_rng(2), 0)
    one = Season.of({}, "hour-of-day", "2026-05-04T03:00:00Z", whole=True)
    state = {"season": one.after(window, "here", one.recent({}))}
    again = Season.of(state, "hour-of-day", "2026-05-05T03:10:00Z", whole=True)
    assert (again.phase.windows, again.phase.usual, again.known) == (1, "here", False)
    assert Season.of(state, "hour-of-day", "2026-05-05T04:10:00Z", whole=True).phase.windows == 0
    assert Season.of(state, "day-of-week", "2026-05-05T03:10:00Z", whole=True).phases == {}
    off = Season.of(state, "off", "2026-05-05T03:10:00Z", whole=True)
    assert (off.known, off.learns(window), off.words().plain) == (False, False, "")
    waited = Season.of(state, "hour-of-day", "2026-05-05T03:10:00Z", whole=False)
    assert not waited.learns(window)
    assert Season.of({"season": waited.to_dict()}, "hour-of-day", "", whole=True).phases == waited.phases


@pytest.mark.parametrize("kind", SEASONS[1:])
def test_what_is_known_needs_windows_and_rows(kind):
    window = drawn(np.random.default_rng(3), 0)
    state: dict[str, Any] = {}
    for at in range(20):
        season = Season.of(state, kind, "2026-05-04T03:00:00Z", whole=True)
        enough = at >= WINDOWS[kind] and at * ROWS_A_DAY >= ROWS
        assert season.known is enough
        state = {"season": season.after(window, f"{at}", season.recent(state))}
    assert season.phase.windows == max(WINDOWS[kind], -(-ROWS // ROWS_A_DAY)), "learned no further"


def test_the_model_file_says_which_season():
    assert read_monitor({"season": "hour-of-day"}).season == "hour-of-day"
    assert read_monitor({"season": False}).season == read_monitor({}).season == "off"
    with pytest.raises(BadSpec, match="season"):
        read_monitor({"season": "monthly"})
