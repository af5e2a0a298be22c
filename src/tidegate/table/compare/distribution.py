"""How far a column's distribution is from the baseline's, and whether that may be chance.

Numbers are compared by the largest difference of their distribution functions, which `same_numbers` tests;
flags, codes and texts by their shares (`shares_changed`); dates as days, of which those that time brings are
expected (`days`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from tidegate.core.figures import apart, figure
from tidegate.core.sentences import Sentence, of_the_data, say, told
from tidegate.table.compare import days, violations
from tidegate.table.compare.evidence import NUMERIC, Evidence, Side
from tidegate.table.compare.numbers import same_numbers
from tidegate.table.compare.shares import SharesChanged
from tidegate.table.constraints.read import ColumnConstraints
from tidegate.table.drift import OF_CATEGORIES, OF_NUMBERS, Categories, Measured
from tidegate.table.drift.simple import farthest, simple
from tidegate.table.drift.tails import kolmogorov_tail, more_marked, unsure

MEAN_TELLS = 0.25  # deviations that the mean has to move to say what changed
LEAST_VALUES = 30  # of either side: fewer say nothing of a distribution


@dataclass(frozen=True)
class Moved:
    """How far a distribution is from its baseline.

    Attributes
    ----------
    distance : float
        What is compared with the threshold.
    chance : callable
        Gives the probability of so much by chance, if any is known.
    """

    rules: ColumnConstraints
    baseline: Side
    window: Side
    distance: float
    chance: Callable[[], float | None] = field(repr=False)

    @cached_property
    def p_value(self) -> float | None:
        """The probability of so much by chance."""
        found = self.chance()
        return None if found is None else unsure(found, self.window.alike.rows.freedom)

    @property
    def numeric(self) -> bool:
        """Whether the column is one of numbers."""
        return self.rules.inferred_type in NUMERIC

    @property
    def threshold(self) -> float:
        """Up to which distance a column is as before."""
        settings = self.rules.settings
        return settings.threshold if self.numeric else settings.categorical_threshold

    @cached_property
    def measures(self) -> Mapping[str, Measured]:
        """Every measure that applies, by name."""
        if self.numeric:
            numbers = self.baseline.numbers, self.window.numbers
            return {name: measure(*numbers) for name, measure in OF_NUMBERS.items()}
        texts = self.baseline.texts, self.window.texts
        return {name: measure(*texts) for name, measure in OF_CATEGORIES.items()}

    @property
    def by_the_letter(self) -> Measured:
        """What the constraints ask for: their own method, and the p-value of χ² where that is asked for."""
        if self.numeric:
            return self.measures[self.rules.settings.method.lower()]
        p_value = self.measures["chi_squared"].p_value
        largest = self.measures["l_infinity"]
        return Measured(largest.distance, largest.p_value if p_value is None else p_value)

    @property
    def sentence(self) -> Sentence:
        """What changed, in words."""
        if self.numeric and self.baseline.few_values:
            return _shares_in_words(self.baseline.values, self.window.values)
        if self.numeric:
            return _numbers_in_words(self)
        return _days_in_words(self) or _shares_in_words(self.baseline.texts, self.window.texts)

    def evidence(self) -> Evidence:
        """Give it as a check."""
        return Evidence(
            violations.DRIFT,
            self.distance,
            self.threshold,
            lambda: 1.0 if self.p_value is None else self.p_value,
            lambda: violations.drifted(self.rules.name, self.distance, self.threshold, self.sentence),
            severe=2.0,
        )


def moved(rules: ColumnConstraints, baseline: Side, window: Side) -> Moved | None:
    """Compare the distributions of a column; None where there is too little to tell."""
    numeric = rules.inferred_type in NUMERIC
    if not rules.settings.compare_distributions or rules.inferred_type == "Unknown":
        return None
    both = baseline.profile, window.profile
    if min(each.moments.count if numeric else each.types.present for each in both) < LEAST_VALUES:
        return None
    if numeric and baseline.few_values:
        found = _of_shares(baseline.values, window.values, baseline, window)
    elif numeric:
        found = _of_numbers(baseline, window)
    elif baseline.days is not None and window.days is not None:
        found = _of_days(baseline, window)
    else:
        found = _of_shares(baseline.texts, window.texts, baseline, window)
    return Moved(rules, baseline, window, *found)


_Found = tuple[float, Callable[[], float]]  # how much, and how probable that is


def _of_shares(before: Categories, now: Categories, baseline: Side, window: Side) -> _Found:
    found = SharesChanged(before, now, baseline.alike.rows.rows_for_one, window.alike.rows.rows_for_one)
    return found.effect, lambda: found.p_value


def _of_numbers(baseline: Side, window: Side) -> _Found:
    distance = simple(baseline.numbers, window.numbers).distance
    return distance, lambda: same_numbers(baseline, window)


def _of_days(baseline: Side, window: Side) -> _Found:
    before, now = baseline.days, window.days
    assert before is not None and now is not None
    out = days.outside(now, *days.allowed(before, window.front))
    rows = window.independent(now.rows)
    jump = out / now.rows, more_marked(min(window.independent(out), rows), rows, 0, round(before.rows))
    if days.goes_on(before, now):
        return jump[0], lambda: jump[1]
    distance = days.apart(before, now)
    sure = max(0.0, distance - before.rank_error - now.rank_error)
    chance = kolmogorov_tail(sure, before.rows * rows / (before.rows + rows))
    effect, p_value = max(jump, (distance, chance)) if jump[0] else (distance, chance)
    return effect, lambda: p_value


def _numbers_in_words(found: Moved) -> Sentence:
    before, now = found.baseline.profile.moments, found.window.profile.moments
    if abs(now.mean - before.mean) > MEAN_TELLS * before.deviation:
        means = apart(before.mean, now.mean)
        return say("the mean went from {before} to {now}", before=told(means[0]), now=told(means[1]))
    # Where few large numbers make the mean, it says nothing: the place where both are farthest apart does.
    point, low, high = farthest(found.baseline.numbers, found.window.numbers)
    more, fewer = violations.percents(high, low)
    return say(
        "{now} of the values are at most {point}, and {before} were before",
        now=more,
        point=of_the_data(figure(point)),
        before=fewer,
    )


def _days_in_words(found: Moved) -> Sentence | None:
    before, now = found.baseline.days, found.window.days
    if before is None or now is None:
        return None
    return say(
        "the days went from {first} to {last} before, and go from {start} to {end} now",
        first=of_the_data(days.in_words(before.values[0])),
        last=of_the_data(days.in_words(before.values[-1])),
        start=of_the_data(days.in_words(now.values[0])),
        end=of_the_data(days.in_words(now.values[-1])),
    )


def _shares_in_words(baseline: Categories, window: Categories) -> Sentence:
    names = {*baseline.counts, *window.counts}
    if not names:
        return say("the texts are others")

    def share(of: Categories, name: str) -> float:
        return of.counts.get(name, 0) / of.rows

    most = max(sorted(names), key=lambda name: abs(share(window, name) - share(baseline, name)))
    before, now = violations.percents(share(baseline, most), share(window, most))
    return say(
        "the share of '{text}' went from {before} to {now}",
        text=of_the_data(most[:40].removesuffix(".0")),
        before=before,
        now=now,
    )
