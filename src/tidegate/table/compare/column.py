"""Every check of one column, over the window and over the rows that came last, and what they found."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from tidegate.table.compare.bad_data import bad_data
from tidegate.table.compare.distribution import Moved, moved
from tidegate.table.compare.edited import Edited
from tidegate.table.compare.evidence import Evidence, Side
from tidegate.table.compare.letter import broken
from tidegate.table.compare.violations import BAD_DATA, OF_DRIFT, Violation
from tidegate.table.constraints.read import ColumnConstraints

LASTS = 0.5  # of what recent rows show, the window must show as much itself
OTHER = 0.01  # a window as improbable as this among the rows before it is another world than theirs


@dataclass(frozen=True)
class Check:
    """One check of one column over some rows.

    Attributes
    ----------
    over : int
        How many rows it looked at.
    recent : bool
        Whether rows of earlier windows were among them.
    shown : float
        How much the window shows by itself.
    """

    evidence: Evidence
    over: int
    recent: bool
    shown: float


@dataclass(frozen=True)
class Looked:
    """What was measured of a column.

    Attributes
    ----------
    before : Side or None
        The rows that came before the window.
    """

    rules: ColumnConstraints
    edited: Edited
    baseline: Side
    window: Side
    before: Side | None
    moved: Moved | None
    checks: tuple[Check, ...]

    def lasts(self, check: Check) -> bool:
        """Tell whether what a check found still is so: the window shows it, and is like the rows before."""
        if not check.recent or self.before is None:
            return True
        if check.shown < LASTS * check.evidence.effect:
            return False
        far = moved(self.rules, self.window, self.before)
        back = _checks(self.rules, self.edited, self.window, self.before, far)
        unlike = [each for each in back if each.name == check.evidence.name]
        return all(each.p_value > OTHER for each in unlike)

    def to_the_letter(self) -> tuple[Violation, ...]:
        """Give what breaks the edited constraints."""
        return tuple(broken(self.rules, self.edited, self.baseline, self.window, self.moved))


@dataclass(frozen=True)
class ColumnComparison:
    """What was found of one column.

    Attributes
    ----------
    moved : Moved or None
        How far its distribution is from the baseline; None where there is too little to tell.
    distance : float or None
        The distance that was compared with the threshold.
    by_chance : bool
        Whether it was the probability that was compared instead.
    q_value : float or None
        The rate of false alarms over all checks at which the distribution is worth a report.
    over : int
        How many rows what was found is about: those of the window, or the last ones.
    rows_for_one : float
        How many of its rows tell as much as one independent row.
    """

    name: str
    expected_type: str
    types: Mapping[str, float]
    present: int
    missing: int
    moved: Moved | None
    q_value: float | None
    violations: tuple[Violation, ...]
    distance: float | None = None
    by_chance: bool = False
    over: int = 0
    rows_for_one: float = 1.0

    def to_dict(self) -> dict[str, Any]:
        """Give the JSON form."""
        found: dict[str, Any] = {
            "name": self.name,
            "expected_type": self.expected_type,
            "types": dict(self.types),
            "present": self.present,
            "missing": self.missing,
            "violated": [violation.check for violation in self.violations],
            "words": [violation.sentence.to_dict() for violation in self.violations],
            "severity": worst_severity(self.violations),
            "severities": {
                name: worst_severity([each for each in self.violations if each.question == question])
                for name, question in (("bad_data", BAD_DATA), ("drift", OF_DRIFT))
            },
            "over": self.over,
            "rows_for_one": self.rows_for_one,
        }
        if self.moved is not None:
            found |= {
                "distance": self.distance,
                "by_chance": self.by_chance,
                "threshold": self.moved.threshold,
                "p_value": self.moved.p_value,
                "q_value": self.q_value,
                "measures": {name: each.distance for name, each in self.moved.measures.items()},
            }
        return found


def worst_severity(violations: Sequence[Violation]) -> str:
    """Give the greatest severity of violations: ``none``, ``watch`` or ``act``."""
    found = {violation.severity for violation in violations}
    return "act" if "act" in found else "watch" if found else "none"


def look(
    rules: ColumnConstraints,
    edited: Edited,
    baseline: Side,
    window: Side,
    before: Side | None,
    recent: Side | None,
    like: Side | None = None,
) -> Looked:
    """Make every check of a column.

    Parameters
    ----------
    before, recent : Side or None
        The rows that came before the window, and the window together with them.
    like : Side, optional
        That with whose distribution the window's is compared; the baseline's, where it is none of the season.
    """
    usual = baseline if like is None or baseline.days is not None else like  # days have a course of their own
    far = moved(rules, usual, window)
    if far is not None and edited.distribution:
        letter = far.by_the_letter
        far = replace(far, distance=letter.distance, chance=lambda: letter.p_value)
    now = list(_checks(rules, edited, baseline, window, far))
    checks = [Check(each, window.rows, False, each.effect) for each in now]
    if recent is not None:
        shown = {each.name: each.effect for each in now}
        lately = _checks(rules, edited, baseline, recent, moved(rules, usual, recent))
        checks += [Check(each, recent.rows, True, shown.get(each.name, 0.0)) for each in lately]
    return Looked(rules, edited, baseline, window, before, far, tuple(checks))


def _checks(
    rules: ColumnConstraints, edited: Edited, baseline: Side, window: Side, far: Moved | None
) -> Iterator[Evidence]:
    yield from bad_data(rules, edited, baseline, window)
    if far is not None and not edited.distribution:
        yield far.evidence()
