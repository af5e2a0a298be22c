"""Constraints to the letter, as Model Monitor holds them: no allowance for chance, none for what is small.

So are all of them under `--bare`, and otherwise those that somebody edited.
"""

from __future__ import annotations

from collections.abc import Iterator

from tidegate.table.compare import violations
from tidegate.table.compare.bad_data import odd_types
from tidegate.table.compare.distribution import Moved
from tidegate.table.compare.edited import Edited
from tidegate.table.compare.evidence import NUMERIC, Side
from tidegate.table.compare.violations import Violation
from tidegate.table.constraints.read import ColumnConstraints


def broken(
    rules: ColumnConstraints, edited: Edited, baseline: Side, window: Side, moved: Moved | None
) -> Iterator[Violation]:
    """Find which of the edited constraints a column does not keep to."""
    types, name = window.profile.types, rules.name
    if edited.data_type and types.present:
        share, wanted = _type_share(rules, baseline, window), rules.settings.data_type_share
        if share < wanted:
            yield violations.wrong_type(name, rules.inferred_type, wanted, share)
    if edited.sign and rules.non_negative and window.profile.moments.least < 0:
        yield violations.negative(name, window.profile.moments.least)
    if edited.domain and rules.domain is not None and types.present:
        yield from _outside(rules, rules.domain, window)
    wanted_there = rules.completeness if edited.completeness and window.rows else None
    if wanted_there is not None and types.completeness < wanted_there:
        yield violations.incomplete(name, wanted_there, types.completeness)
    if edited.distribution and moved is not None:
        yield from _far(rules, moved)


def by_chance(rules: ColumnConstraints) -> bool:
    """Tell whether the constraints ask for a probability instead of a distance."""
    return rules.inferred_type not in NUMERIC and rules.settings.categorical_method == "ChiSquared"


def _type_share(rules: ColumnConstraints, baseline: Side, window: Side) -> float:
    before = baseline.profile.types
    if rules.inferred_type == "String" and before.inferred == "String" and before.numbers:
        return 1.0  # numbers among texts say nothing of a column that was such a mix
    return 1 - odd_types(rules, window.profile) / window.profile.types.present


def _outside(rules: ColumnConstraints, domain: tuple[str, ...], window: Side) -> Iterator[Violation]:
    known = window.texts
    share = sum(known.counts.get(text, 0) for text in domain) / known.rows
    if share < rules.settings.domain_share:
        strange = sorted(set(known.counts) - set(domain), key=lambda text: (-known.counts[text], text))
        yield violations.unknown_categories(rules.name, rules.settings.domain_share, share, strange)


def _far(rules: ColumnConstraints, moved: Moved) -> Iterator[Violation]:
    found = moved.by_the_letter
    if not by_chance(rules):
        if found.distance > moved.threshold:
            yield violations.drifted(rules.name, found.distance, moved.threshold, moved.sentence)
    elif found.p_value is not None and found.p_value < moved.threshold:
        yield violations.unlikely(rules.name, found.p_value, moved.threshold, moved.sentence)
