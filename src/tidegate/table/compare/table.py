"""Comparing a window with its baseline: every check of every column, and what they come to together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tidegate.core.verdict import LEAST_ROWS, Finding, Verdict, decide
from tidegate.table.compare import violations
from tidegate.table.compare.columns import NUMERIC, Moved, broken, gap_p_value, moved
from tidegate.table.compare.false_alarms import q_values
from tidegate.table.compare.violations import Violation
from tidegate.table.constraints.read import ColumnConstraints, Constraints
from tidegate.table.profile import ColumnProfile, Profile

FALSE_ALARMS = 0.05


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
        The rate of false alarms over the whole table at which it is worth a report.
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


@dataclass(frozen=True)
class Comparison:
    """What a comparison found."""

    rows: int
    baseline_rows: int
    columns: Mapping[str, ColumnComparison]
    violations: tuple[Violation, ...]

    def verdict(self, least_rows: int = LEAST_ROWS) -> Verdict:
        """Conclude: ok, drift, or insufficient."""
        findings = [
            Finding(column, each.check, each.excess, each.sentence)
            for each in self.violations
            for column in each.columns
        ]
        return decide(self.rows, findings, least_rows=least_rows)

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
    false_alarms: float | None = FALSE_ALARMS,
) -> Comparison:
    """Compare a window with its baseline.

    Parameters
    ----------
    baseline : Profile
        Of the data that the model learned from; also one read back from `statistics.json`.
    constraints : Constraints
        What columns must keep to. A column without an entry is an extra one.
    window : Profile
        Of what came since.
    false_alarms : float or None
        The share of windows like the baseline that may be called drifted, over all columns together. A
        column then drifts when its distance is above the threshold and no accident of few rows; the Robust
        method's allowance is left to the test where it is for few rows, and never hides a Simple distance
        of 2.5 times the threshold. None keeps to Model Monitor's rules alone.
    """
    shared = [name for name in constraints.columns if name in window.columns]
    measured = {
        name: _measure(constraints.columns[name], baseline.column(name), window.column(name))
        for name in shared
        if constraints.columns[name].settings.evaluate
    }
    chances = {
        (name, what): p
        for name, (far, gaps) in measured.items()
        for what, p in (("far", far.p_value if far else None), ("gaps", gaps))
        if p is not None
    }
    known = dict(zip(chances, q_values(list(chances.values())), strict=True))
    columns = {
        name: _column(
            constraints.columns[name],
            baseline.column(name),
            window.column(name),
            measured[name],
            {what: known.get((name, what)) for what in ("far", "gaps")},
            false_alarms,
        )
        for name in measured
    }
    found = [
        *_columns(constraints, window),
        *(each for column in columns.values() for each in column.violations),
    ]
    return Comparison(window.rows, baseline.rows, columns, tuple(found))


def _measure(
    rules: ColumnConstraints, baseline: ColumnProfile, window: ColumnProfile
) -> tuple[Moved | None, float | None]:
    return moved(rules, baseline, window), gap_p_value(rules, baseline, window)


def _column(
    rules: ColumnConstraints,
    baseline: ColumnProfile,
    window: ColumnProfile,
    measured: tuple[Moved | None, float | None],
    q: Mapping[str, float | None],
    false_alarms: float | None,
) -> ColumnComparison:
    far, gaps = measured
    found = broken(rules, baseline, window)
    wanted = rules.completeness or 0.0
    if gaps is not None and window.types.completeness < wanted and _sure(q["gaps"], false_alarms):
        found.append(violations.incomplete(rules.name, wanted, window.types.completeness))
    if far is not None:
        found += _drift(rules, far, q["far"], false_alarms)
    return ColumnComparison(
        rules.name,
        rules.inferred_type,
        window.types.mix,
        window.types.present,
        window.types.missing,
        far,
        q["far"],
        tuple(found),
        None if far is None else _distance(far, false_alarms),
        _by_chance(rules),
    )


def _distance(far: Moved, false_alarms: float | None) -> float:
    return far.distance if false_alarms is None else far.tested


def _by_chance(rules: ColumnConstraints) -> bool:
    return rules.inferred_type not in NUMERIC and rules.settings.categorical_method == "ChiSquared"


def _drift(
    rules: ColumnConstraints, far: Moved, q: float | None, false_alarms: float | None
) -> list[Violation]:
    if _by_chance(rules):
        p = q if false_alarms is not None else far.p_value
        if p is None or p >= far.threshold:
            return []
        return [violations.unlikely(rules.name, p, far.threshold, far.sentence)]
    distance = _distance(far, false_alarms)
    if distance <= far.threshold or not _sure(q, false_alarms):
        return []
    return [violations.drifted(rules.name, distance, far.threshold, far.sentence)]


def _sure(q: float | None, false_alarms: float | None) -> bool:
    """Tell whether something is no accident; without a p-value the distance was already the sure part."""
    return q is None or false_alarms is None or q <= false_alarms


def _columns(constraints: Constraints, window: Profile) -> list[Violation]:
    sizes = len(window.columns), len(constraints.columns)
    missing = [name for name in constraints.columns if name not in window.columns]
    extra = [name for name in window.columns if name not in constraints.columns]
    found = []
    if missing and window.rows:
        found.append(violations.missing_columns(missing, *sizes))
    if extra:
        found.append(violations.extra_columns(extra, *sizes))
    return found
