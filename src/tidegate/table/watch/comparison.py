"""A window compared with the baseline of the model that served it: what the engine found, to be shown."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

import numpy as np

from tidegate.core.errors import BadPredictions
from tidegate.core.monitor import DATA_FALSE_ALARMS
from tidegate.core.own_names import prediction_beside
from tidegate.table.compare import ColumnComparison, compare
from tidegate.table.compare.evidence import NUMERIC
from tidegate.table.compare.violations import CATEGORIES, COMPLETENESS, DATA_TYPE
from tidegate.table.constraints.read import ColumnConstraints, Constraints, Settings
from tidegate.table.predictions import read_predictions
from tidegate.table.profile import ColumnProfile, Profile
from tidegate.table.profile.keep import BadProfile
from tidegate.table.profile.read_statistics import read_statistics
from tidegate.table.profile.value_types import ValueTypes
from tidegate.table.scan.arrow_arrays import number_cells
from tidegate.table.watch.drawing import drawing

LEAST_WORTH = 0.05  # of a column's change, where that of the most important one counts 1


def read_baseline(
    statistics: Mapping[str, Any],
    constraints: Mapping[str, Any],
    columns: Mapping[str, str],
    predictions: bytes | None,
    kept: bytes | None = None,
) -> tuple[Profile, Constraints]:
    """Read the baseline of a run: its inputs, and its predictions on the held-out rows.

    Parameters
    ----------
    statistics, constraints : mapping
        The contents of the data quality baseline.
    columns : mapping of str to str
        The inputs, each with its declared type; the target, which the baseline knows too, is no part of a
        request.
    predictions : bytes or None
        What batch transform answered on the held-out rows.
    kept : bytes or None
        The profile itself, which knows more than its statistics tell: every count, in full.
    """
    profile = _profile(statistics, kept).only(columns)
    rules = Constraints.read(constraints).only(columns)
    for name, kind in columns.items():
        if name not in rules.columns or name not in profile.columns:
            continue
        if kind == "categorical":
            profile, rules = _as_texts(profile, rules, name)
        elif kind == "numeric" and rules.columns[name].inferred_type == "Integral":
            # That they were whole is how they happened to be: the model file does not ask for it.
            rule = replace(rules.columns[name], inferred_type="Fractional")
            rules = Constraints({**rules.columns, name: rule})
    if predictions is None:
        return profile, rules
    values = _answers(predictions)
    predicted = ColumnProfile.of(number_cells(values, whole=False))
    settings = next((each.settings for each in rules.columns.values()), Settings())
    name = prediction_beside(columns)
    rule = ColumnConstraints(name, "Fractional", settings=settings, predicted=True)
    return (
        Profile(profile.rows, {**profile.columns, name: predicted}),
        Constraints({**rules.columns, name: rule}),
    )


def _as_texts(profile: Profile, rules: Constraints, name: str) -> tuple[Profile, Constraints]:
    """See a categorical column as texts where whoever made the baseline took its codes for numbers."""
    rule, column = rules.columns[name], profile.columns[name]
    if rule.inferred_type in NUMERIC:
        rule = replace(rule, inferred_type="String", non_negative=False)
    if column.types.inferred in NUMERIC:
        column = ColumnProfile(ValueTypes(string=column.types.present, missing=column.types.missing))
        # Which codes there were, its numbers do not tell.
        rule = replace(rule, settings=replace(rule.settings, compare_distributions=False))
    return (
        Profile(profile.rows, {**profile.columns, name: column}),
        Constraints({**rules.columns, name: rule}),
    )


def check(
    baseline: Profile,
    constraints: Constraints,
    window: Profile,
    least_rows: int,
    *,
    inputs: Collection[str] | None = None,
    before: Profile | None = None,
    fronts: Mapping[str, float] | None = None,
    false_alarms: float = DATA_FALSE_ALARMS,
    importances: Mapping[str, float] | None = None,
    like: Profile | None = None,
) -> dict[str, Any]:
    """Compare, and give what the report, the notification and the tables need.

    Parameters
    ----------
    inputs : collection of str, optional
        The model's inputs; otherwise those that have constraints.
    before : Profile, optional
        The rows that came before the window, see `tidegate.table.watch.recent`.
    fronts : mapping, optional
        Up to which day each column of dates has come.
    false_alarms : float
        The share of checks with nothing changed that may alarm.
    importances : mapping, optional
        How much the model's predictions hang on each input: by it times the distance columns are ranked.
    like : Profile, optional
        Rows of the same season, see `tidegate.table.watch.season`.
    """
    own = prediction_beside(constraints.columns if inputs is None else inputs)
    if own not in constraints.columns:
        window = window.only([name for name in window.columns if name != own])
    before = before.only(window.columns) if before is not None and window.rows >= least_rows else None
    found = compare(
        baseline, constraints, window, before=before, fronts=fronts, false_alarms=false_alarms, like=like
    )
    columns = [
        {
            **_column(comparison, baseline.column(name), window.column(name), constraints.columns[name]),
            "importance": (importances or {}).get(name),
        }
        for name, comparison in found.columns.items()
    ]
    return {
        "rows": found.rows,
        "baseline_rows": found.baseline_rows,
        **found.verdict(least_rows, worth_of(importances, own)).to_dict(),
        "columns": columns,
        "limits": limits_of(baseline, constraints),
        **found.violations_document(),
        "denied": found.denied,
        "fronts": dict(found.fronts),
        "statistics": window.statistics(),
    }


def worth_of(importances: Mapping[str, float] | None, prediction: str) -> Callable[[str], float]:
    """Say how much a column's change counts, against that of the most important one.

    Predictions count as much as that one does, and no column nothing: it may matter with others together.

    >>> worth = worth_of({"km": 0.6, "doors": 0.3, "colour": 0.0}, "prediction")
    >>> [worth(name) for name in ("km", "doors", "colour", "prediction")]
    [1.0, 0.5, 0.05, 1.0]
    """
    most = max((importances or {}).values(), default=0.0)
    if not importances or not most:
        return lambda _: 1.0
    known = {name: max(LEAST_WORTH, each / most) for name, each in importances.items()} | {prediction: 1.0}
    return lambda name: known.get(name, LEAST_WORTH)


def limits_of(baseline: Profile, constraints: Constraints) -> dict[str, dict[str, Any]]:
    """Say what the baseline held in each column: by it a single row is told to be unlike."""
    found: dict[str, dict[str, Any]] = {}
    for name, rules in constraints.columns.items():
        column = baseline.column(name)
        limits: dict[str, Any] = {"complete": rules.completeness == 1.0}
        if rules.domain is not None:
            limits["domain"] = list(rules.domain)
        elif rules.inferred_type in NUMERIC and column.moments.count:
            limits |= {"least": column.moments.least, "most": column.moments.most}
        found[name] = limits
    return found


def _column(
    found: ColumnComparison, baseline: ColumnProfile, window: ColumnProfile, rules: ColumnConstraints
) -> dict[str, Any]:
    return {
        **found.to_dict(),
        "share": _share(found, window, rules),
        "drawing": drawing(found.expected_type, baseline, window),
    }


def _share(found: ColumnComparison, window: ColumnProfile, rules: ColumnConstraints) -> float | None:
    """Tell what share of the window's rows is behind the findings; at least, where a distribution moved."""
    rows = found.present + found.missing
    if not found.violations or not rows:
        return None
    shares = []
    for violation in found.violations:
        if violation.check == DATA_TYPE:
            shares.append((1 - window.types.share(rules.inferred_type)) * found.present / rows)
        elif violation.check == COMPLETENESS:
            shares.append(found.missing / rows)
        elif violation.check == CATEGORIES and rules.domain is not None:
            known = window.frequencies.counts
            shares.append(1 - sum(known.get(text, 0) for text in rules.domain) / rows)
        elif found.moved is not None:
            # The largest difference of the distribution functions is the least share that must have moved.
            measures = found.moved.measures
            name = "simple" if "simple" in measures else "l_infinity"
            shares.append(measures[name].distance)
    return min(1.0, max(shares)) if shares else None


def _profile(statistics: Mapping[str, Any], kept: bytes | None) -> Profile:
    """Read the baseline's profile; whoever put other statistics in place of ours means them."""
    if kept is not None:
        with suppress(BadProfile):
            profile = Profile.from_bytes(kept)
            if profile.statistics() == statistics:
                return profile
    return read_statistics(statistics)


def _answers(body: bytes) -> Any:
    import pyarrow as pa

    lines = sum(1 for line in body.splitlines() if line.strip())
    try:
        values = read_predictions(body, "the predictions on the held-out rows", lines)
    except BadPredictions:
        values = np.empty(0)  # without them the predictions have no baseline; the columns still do
    return pa.array(values, pa.float64())
