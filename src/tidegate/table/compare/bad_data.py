"""Bad data: gaps, values of another type or sign, numbers far outside, categories never seen.

Each check counts the window's rows that are so, and those of the baseline, and asks two things: by how much
their share has grown, and by which chance it would have grown as much (`more_marked`, exact, so that three
odd rows of three thousand are nothing and no probability is 0, however clean the baseline was). Where such
rows came in runs before, the runs are counted; otherwise each row counts, as a first run of them is news.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from tidegate.table.compare import violations
from tidegate.table.compare.alike import Worth
from tidegate.table.compare.edited import Edited
from tidegate.table.compare.evidence import NUMERIC, Evidence, Side
from tidegate.table.compare.unseen import unseen
from tidegate.table.compare.violations import Violation
from tidegate.table.constraints.read import ColumnConstraints
from tidegate.table.drift.tails import more_marked, unsure
from tidegate.table.profile import ColumnProfile

BAD_SHARE = 0.01  # of the rows: fewer are an accident that happens everywhere
FAR = 3.0  # of the baseline's own range beyond it: another unit, or a number that stands for a gap


def bad_data(rules: ColumnConstraints, edited: Edited, baseline: Side, window: Side) -> Iterator[Evidence]:
    """Make those checks of a column whose rules are as they were suggested; of a model's predictions none."""
    if rules.predicted:
        return  # they may have drifted, and are as good as the model and its inputs
    if rules.completeness is not None and not edited.completeness:
        yield _gaps(rules, baseline, window)
    if window.profile.types.present and baseline.profile.types.present:
        if not edited.data_type:
            yield _types(rules, baseline, window)
        if rules.inferred_type in NUMERIC:
            if rules.non_negative and not edited.sign:
                yield _negative(rules, baseline, window)
            yield from _far(rules, baseline, window)
        elif not edited.domain:
            yield from _unseen(rules, baseline, window)


def odd_types(rules: ColumnConstraints, column: ColumnProfile) -> int:
    """Count the values that are not of the column's type."""
    if rules.inferred_type == "String":  # every value is a text, but numbers alone are none
        return column.types.present if column.types.inferred in NUMERIC else 0
    return round(column.types.present * (1 - column.types.share(rules.inferred_type)))


def _gaps(rules: ColumnConstraints, baseline: Side, window: Side) -> Evidence:
    missing, before = window.profile.types.missing, baseline.profile.types.missing
    wanted, found = baseline.profile.types.completeness, window.profile.types.completeness
    return _grown(
        violations.COMPLETENESS,
        missing,
        window.rows,
        before,
        baseline.rows,
        lambda: violations.incomplete(rules.name, wanted, found),
        window.alike.gaps,
    )


def _types(rules: ColumnConstraints, baseline: Side, window: Side) -> Evidence:
    odd, rows = odd_types(rules, window.profile), window.profile.types.present
    before = baseline.profile.types
    # A baseline in which numbers stand among texts may well give a few rows that are all numbers.
    known = before.numbers if rules.inferred_type == "String" else odd_types(rules, baseline.profile)
    return _grown(
        violations.DATA_TYPE,
        odd,
        rows,
        known,
        before.present,
        lambda: violations.wrong_type(
            rules.name, rules.inferred_type, 1 - known / before.present, 1 - odd / rows
        ),
        window.alike.gaps,
    )


def _negative(rules: ColumnConstraints, baseline: Side, window: Side) -> Evidence:
    numbers = window.numbers
    count = round(float(numbers.weights[numbers.values < 0].sum()))
    return _grown(
        violations.NON_NEGATIVE,
        count,
        round(numbers.rows),
        0,
        round(baseline.numbers.rows),
        lambda: violations.negative(rules.name, window.profile.moments.least),
        window.alike.values,
    )


def _far(rules: ColumnConstraints, baseline: Side, window: Side) -> Iterator[Evidence]:
    moments, numbers = baseline.profile.moments, window.numbers
    room = FAR * (moments.most - moments.least)
    if not np.isfinite(room) or not room > 0 or not numbers.rows:
        return
    low, high = moments.least - room, moments.most + room
    count = round(float(numbers.weights[(numbers.values < low) | (numbers.values > high)].sum()))
    yield _grown(
        violations.RANGE,
        count,
        round(numbers.rows),
        0,
        moments.count,
        lambda: violations.far_outside(
            rules.name,
            count / numbers.rows,
            window.profile.moments.least,
            window.profile.moments.most,
            (moments.least, moments.most),
        ),
        window.alike.values,
    )


def _unseen(rules: ColumnConstraints, baseline: Side, window: Side) -> Iterator[Evidence]:
    if baseline.days is not None:
        return  # every day is a new one
    rows, effect, p_value = unseen(baseline.texts, window.texts, window.alike.rows.rows_for_one)
    share = 1 - rows / window.texts.rows
    yield Evidence(
        violations.CATEGORIES,
        effect,
        BAD_SHARE,
        lambda: unsure(p_value, window.alike.rows.freedom),
        lambda: _unknown(rules, baseline, window, share),
    )


def _unknown(rules: ColumnConstraints, baseline: Side, window: Side, share: float) -> Violation:
    counts = window.texts.counts
    strange = sorted(set(counts) - set(baseline.texts.counts), key=lambda text: (-counts[text], text))
    return violations.unknown_categories(rules.name, rules.settings.domain_share, share, strange)


def _grown(
    name: str,
    marked: int,
    rows: int,
    before: int,
    rows_before: int,
    tell: Callable[[], Violation],
    alike: Worth,
) -> Evidence:
    """Compare a share of rows with that of the baseline.

    Parameters
    ----------
    alike : Worth
        How many of the rows tell as much as one.
    """
    if not rows:
        return Evidence(name, 0.0, BAD_SHARE, lambda: 1.0, tell)
    effect = marked / rows - (before / rows_before if rows_before else 0.0)

    def chance() -> float:
        some, of = alike.independent(marked), max(1, alike.independent(rows))
        return unsure(more_marked(some, of, before, rows_before), alike.freedom)

    return Evidence(name, effect, BAD_SHARE, chance, tell)
