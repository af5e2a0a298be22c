"""Comparing a window with its baseline: every check of every column, and what they come to together."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from tidegate.core.monitor import DATA_FALSE_ALARMS
from tidegate.core.sentences import say
from tidegate.core.verdict import LEAST_ROWS, Finding, Verdict, decide
from tidegate.table.compare import violations
from tidegate.table.compare.alike import alike
from tidegate.table.compare.column import Check, ColumnComparison, Looked, look
from tidegate.table.compare.days import front_of
from tidegate.table.compare.edited import Edited
from tidegate.table.compare.evidence import Side
from tidegate.table.compare.false_alarms import q_values
from tidegate.table.compare.letter import by_chance
from tidegate.table.compare.violations import DRIFT, Violation
from tidegate.table.constraints.read import ColumnConstraints, Constraints
from tidegate.table.constraints.suggest import suggest
from tidegate.table.drift.tails import more_marked
from tidegate.table.profile import Profile

ALL = Edited.everything()


@dataclass(frozen=True)
class Comparison:
    """What a comparison found.

    Attributes
    ----------
    denied : bool
        Whether the window denies what the rows before it showed, so that those say nothing any more.
    fronts : mapping of str to float
        Of each column of dates the day up to which time has gone on, for the next comparison.
    """

    rows: int
    baseline_rows: int
    columns: Mapping[str, ColumnComparison]
    violations: tuple[Violation, ...]
    denied: bool = False
    fronts: Mapping[str, float] = field(default_factory=dict)

    def verdict(self, least_rows: int = LEAST_ROWS, worth: Callable[[str], float] = lambda _: 1.0) -> Verdict:
        """Conclude: ok, bad data, drift, or insufficient; `worth` ranks the columns, see `decide`."""
        findings = [
            Finding(column, each.check, each.excess, each.sentence, each.question, each.severity)
            for each in self.violations
            for column in each.columns
        ]
        return decide(self.rows, findings, least_rows=least_rows, worth=worth)

    def violations_document(self) -> dict[str, Any]:
        """Give the contents of Model Monitor's `constraint_violations.json`."""
        return violations.document(self.violations)

    def to_dict(self) -> dict[str, Any]:
        """Give the JSON form."""
        return {
            "rows": self.rows,
            "baseline_rows": self.baseline_rows,
            "columns": [column.to_dict() for column in self.columns.values()],
            **self.violations_document(),
        }


def compare(
    baseline: Profile,
    constraints: Constraints,
    window: Profile,
    *,
    false_alarms: float | None = DATA_FALSE_ALARMS,
    before: Profile | None = None,
    fronts: Mapping[str, float] | None = None,
    like: Profile | None = None,
) -> Comparison:
    """Compare a window with its baseline.

    Parameters
    ----------
    baseline : Profile
        Of the data that the model learned from; also one read back from `statistics.json`.
    constraints : Constraints
        What columns must keep to. A column without an entry is an extra one. What somebody edited holds to
        the letter; what is as the baseline suggests is judged by its effect and its probability.
    window : Profile
        Of what came since.
    false_alarms : float or None
        The share of comparisons with nothing changed that may alarm, over all checks of all columns together
        (Benjamini and Hochberg). None holds everything to the letter, as Model Monitor does.
    before : Profile, optional
        The rows that came just before the window. The window is then looked at together with them too: what
        is too little to be seen in a few rows shows in many.
    fronts : mapping, optional
        What the comparison before this one said of it.
    like : Profile, optional
        Rows of the same season, with which distributions are compared instead of the baseline's.
    """
    window = window.beside(baseline)
    before = before.beside(baseline) if before is not None else None
    like = like.beside(baseline) if like is not None else baseline
    known_days = fronts or {}
    suggested = Constraints.read(suggest(baseline)) if false_alarms is not None else None
    together = before + window if before is not None and before.rows and suggested is not None else None
    rows_alike = alike(window, before or Profile())
    looked = [
        look(
            rules,
            ALL if suggested is None else _edited(rules, suggested),
            Side(baseline.column(name)),
            Side(window.column(name), rows_alike[name], known_days.get(name)),
            None
            if together is None or before is None
            else Side(before.column(name), rows_alike[name], known_days.get(name)),
            None if together is None else Side(together.column(name), rows_alike[name], known_days.get(name)),
            Side(like.column(name)),
        )
        for name, rules in constraints.columns.items()
        if name in window.columns and rules.settings.evaluate
    ]
    schema = _schema(constraints, window)
    checks = [each for column in looked for each in column.checks]
    # What is too little to matter is no finding, and makes none of others more probable.
    chances = [each.evidence.p_value if each.evidence.matters else 1.0 for each in checks]
    names = [_chance(violation, baseline, window) for violation in schema]
    found = q_values([*chances, *names]) if suggested is not None else [0.0] * (len(chances) + len(names))
    known = dict(zip(map(id, checks), found, strict=False))
    rate = math.inf if false_alarms is None else false_alarms
    columns = {each.rules.name: _concluded(each, known, rate) for each in looked}
    told = [each for each, q in zip(schema, found[len(checks) :], strict=True) if q <= rate]
    told += [each for column in columns.values() for each in column.violations]
    denied = any(
        _sure(each, known, rate) and not column.lasts(each) for column in looked for each in column.checks
    )
    return Comparison(
        window.rows, baseline.rows, columns, tuple(told), denied, _fronts(looked, columns, known_days)
    )


def _fronts(
    looked: Sequence[Looked], columns: Mapping[str, ColumnComparison], known: Mapping[str, float]
) -> dict[str, float]:
    """Say up to which day time has gone on in each column of dates; a jump is none of its course."""
    found = dict(known)
    for each in looked:
        if each.window.days is not None and not columns[each.rules.name].violations:
            newest = front_of(each.window.days)
            found[each.rules.name] = max(newest, known.get(each.rules.name, newest))
    return found


def _edited(rules: ColumnConstraints, suggested: Constraints) -> Edited:
    usual = suggested.columns.get(rules.name)
    # What the baseline does not know can only be somebody's own.
    return ALL if usual is None else Edited.of(rules, usual)


def _concluded(looked: Looked, q: Mapping[int, float], rate: float) -> ColumnComparison:
    """Put together what was found of a column: the window's own finding before that of the last rows."""
    alarms: dict[str, Check] = {}
    for each in looked.checks:
        if _sure(each, q, rate) and looked.lasts(each):
            alarms.setdefault(each.evidence.name, each)
    told = [_told(each) for each in alarms.values()]
    far, types = looked.moved, looked.window.profile.types
    drift = alarms.get(DRIFT) or next((c for c in looked.checks if c.evidence.name == DRIFT), None)
    distance = drift.evidence.effect if drift else far.distance if far else None
    return ColumnComparison(
        looked.rules.name,
        looked.rules.inferred_type,
        types.mix,
        types.present,
        types.missing,
        far,
        q[id(drift)] if drift else None,
        (*looked.to_the_letter(), *told),
        distance,
        looked.edited.distribution and by_chance(looked.rules),
        max([looked.window.rows, *(each.over for each in alarms.values())]),
        looked.window.alike.rows.rows_for_one,
    )


def _told(check: Check) -> Violation:
    found = check.evidence.violation()
    if not check.recent:
        return found
    return replace(found, sentence=found.sentence + say(" (by the last {rows:,} rows)", rows=check.over))


def _sure(check: Check, q: Mapping[int, float], rate: float) -> bool:
    return check.evidence.matters and q[id(check)] <= rate


def _schema(constraints: Constraints, window: Profile) -> list[Violation]:
    sizes = len(window.columns), len(constraints.columns)
    missing = [name for name in constraints.columns if name not in window.columns]
    extra = [name for name in window.columns if name not in constraints.columns]
    found = []
    if missing and window.rows:
        found.append(violations.missing_columns(missing, *sizes))
    if extra:
        found.append(violations.extra_columns(extra, *sizes))
    return found


def _chance(violation: Violation, baseline: Profile, window: Profile) -> float:
    """Give the probability that columns are by chance in all of the window's rows, or in none of them."""
    return min(_of_column(violation, name, baseline, window) for name in violation.columns)


def _of_column(violation: Violation, name: str, baseline: Profile, window: Profile) -> float:
    before = baseline.column(name).types
    had = before.missing if violation.check == violations.MISSING_COLUMN else 0
    return more_marked(window.rows, window.rows, min(had, baseline.rows), baseline.rows)
