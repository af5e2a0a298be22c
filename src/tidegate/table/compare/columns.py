"""How one column of a window compares with its baseline: what it holds, how far its distribution moved."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from tidegate.core.figures import figure
from tidegate.core.sentences import Sentence, of_the_data, say, told
from tidegate.table.compare import violations
from tidegate.table.compare.violations import Violation
from tidegate.table.constraints.read import ColumnConstraints
from tidegate.table.drift import OF_CATEGORIES, OF_NUMBERS, Categories, Measured, Numbers
from tidegate.table.drift.tails import normal_tail
from tidegate.table.profile import ColumnProfile

NUMERIC = ("Integral", "Fractional")
HARDLY_REPEATS = 0.1  # distinct values for each row
PLAINLY = 2.5  # times the threshold
LEAST_VALUES = 30  # of either side: fewer say nothing of a distribution


@dataclass(frozen=True)
class Moved:
    """How far a distribution is from its baseline.

    Attributes
    ----------
    measures : mapping of str to Measured
        Every measure that applies, by name.
    distance : float
        The one that the constraints compare with the threshold.
    tested : float
        The same where a test guards against accidents, so that no allowance for few rows is needed.
    p_value : float or None
        The probability of so much by chance, where it is known.
    """

    measures: Mapping[str, Measured]
    distance: float
    tested: float
    threshold: float
    p_value: float | None
    sentence: Sentence


def broken(rules: ColumnConstraints, baseline: ColumnProfile, window: ColumnProfile) -> list[Violation]:
    """Find what a column must not hold: values of another type or sign, texts outside its domain."""
    found = []
    share = _type_share(rules, baseline, window)
    if window.types.present and share < rules.settings.data_type_share:
        wanted = rules.settings.data_type_share
        found.append(violations.wrong_type(rules.name, rules.inferred_type, wanted, share))
    if rules.non_negative and window.moments.count and window.moments.least < 0:
        found.append(violations.negative(rules.name, window.moments.least))
    if rules.domain is not None and window.types.present:
        known = Categories.of(window)
        inside = sum(known.counts.get(text, 0) for text in rules.domain)
        if inside / known.rows < rules.settings.domain_share:
            strange = sorted(set(known.counts) - set(rules.domain), key=lambda text: -known.counts[text])
            wanted = rules.settings.domain_share
            found.append(violations.unknown_categories(rules.name, wanted, inside / known.rows, strange))
    return found


def gap_p_value(rules: ColumnConstraints, baseline: ColumnProfile, window: ColumnProfile) -> float | None:
    """Give the probability of so many missing values by chance; None where nothing is asked.

    One-sided, with the uncertainty of both shares; a column that may not miss any has no chance to speak of.
    """
    rows, wanted = window.types.present + window.types.missing, rules.completeness
    if wanted is None or not rows:
        return None
    before = baseline.types.present + baseline.types.missing
    spread = math.sqrt(wanted * (1 - wanted) * (1 / rows + (1 / before if before else 0)))
    if not spread:
        return 0.0 if window.types.completeness < wanted else None
    return normal_tail((wanted - window.types.completeness - 0.5 / rows) / spread)


def moved(rules: ColumnConstraints, baseline: ColumnProfile, window: ColumnProfile) -> Moved | None:
    """Measure how far the distribution moved; None where there is too little to tell."""
    numeric = rules.inferred_type in NUMERIC
    settings = rules.settings
    if not settings.compare_distributions or rules.inferred_type == "Unknown":
        return None
    if numeric:
        if min(baseline.moments.count, window.moments.count) < LEAST_VALUES:
            return None
        numbers = Numbers.of(baseline), Numbers.of(window)
        found = {name: measure(*numbers) for name, measure in OF_NUMBERS.items()}
        name = settings.method.lower()
        simple, distance = found["simple"].distance, found[name].distance
        # The Robust allowance is for few distinct values. Where values hardly repeat those are few rows,
        # which the test judges better; where they do, it also hides what no one would overlook.
        hardly_repeats = numbers[1].distinct >= HARDLY_REPEATS * numbers[1].rows
        plainly = simple > PLAINLY * settings.threshold
        return Moved(
            found,
            distance,
            simple if hardly_repeats or plainly else distance,
            settings.threshold,
            found["kolmogorov_smirnov"].p_value,
            _numbers_in_words(baseline, window),
        )
    if min(baseline.types.present, window.types.present) < LEAST_VALUES:
        return None
    texts = Categories.of(baseline), Categories.of(window)
    found = {name: measure(*texts) for name, measure in OF_CATEGORIES.items()}
    largest, whole = found["l_infinity"], found["chi_squared"]
    p_value = largest.p_value if whole.p_value is None else whole.p_value
    distance, threshold = largest.distance, settings.categorical_threshold
    return Moved(found, distance, distance, threshold, p_value, _texts_in_words(*texts))


def _type_share(rules: ColumnConstraints, baseline: ColumnProfile, window: ColumnProfile) -> float:
    if rules.inferred_type == "String":
        # One text makes a column a String, so that numbers among texts say nothing. Numbers alone do, unless
        # the baseline was such a mix, of which a few rows may well be all numbers.
        was_mixed = baseline.types.inferred == "String" and baseline.types.numbers > 0
        return 0.0 if window.types.inferred in NUMERIC and not was_mixed else 1.0
    return window.types.share(rules.inferred_type)


def _numbers_in_words(baseline: ColumnProfile, window: ColumnProfile) -> Sentence:
    before, now = baseline.moments.mean, window.moments.mean
    if abs(now - before) > 0.1 * baseline.moments.deviation:
        return say("the mean went from {before} to {now}", before=told(figure(before)), now=told(figure(now)))
    spread, wider = baseline.moments.deviation, window.moments.deviation
    return say(
        "the values are spread otherwise (deviation {before} before, {now} now)",
        before=told(figure(spread)),
        now=told(figure(wider)),
    )


def _texts_in_words(baseline: Categories, window: Categories) -> Sentence:
    names = {*baseline.counts, *window.counts}
    if not names:
        return say("the texts are others")

    def share(of: Categories, name: str) -> float:
        return of.counts.get(name, 0) / of.rows

    most = max(sorted(names), key=lambda name: abs(share(window, name) - share(baseline, name)))
    return say(
        "the share of '{text}' went from {before} to {now}",
        text=of_the_data(most[:40]),
        before=violations.percent(share(baseline, most)),
        now=violations.percent(share(window, most)),
    )
