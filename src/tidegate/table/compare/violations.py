"""Violations in Model Monitor's words: the names of its checks and the sentences of its container."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from tidegate.core.figures import apart, figure
from tidegate.core.sentences import Sentence, Told, joined, of_the_data, say, told

DATA_TYPE = "data_type_check"
COMPLETENESS = "completeness_check"
CATEGORIES = "categorical_values_check"
DRIFT = "baseline_drift_check"
MISSING_COLUMN = "missing_column_check"
EXTRA_COLUMN = "extra_column_check"
NON_NEGATIVE = "non_negative_check"  # is_non_negative has no check of Model Monitor's own; the name is ours
RANGE = "range_check"  # ours too

BAD_DATA, OF_DRIFT = "bad data", "drift"  # the question that a violation answers


@dataclass(frozen=True)
class Violation:
    """One broken constraint.

    Attributes
    ----------
    columns : tuple of str
        The columns that it is about.
    excess : float
        How far beyond what is allowed; 1 is exactly that.
    sentence : Sentence
        The same in words for people.
    severity : str
        ``watch`` or ``act``.
    """

    feature_name: str
    check: str
    description: str
    columns: tuple[str, ...]
    excess: float
    sentence: Sentence
    severity: str = "act"

    @property
    def question(self) -> str:
        """Which question it answers: whether the data are bad, or whether they have drifted."""
        return OF_DRIFT if self.check == DRIFT else BAD_DATA

    def entry(self) -> dict[str, str]:
        """Give the entry of `constraint_violations.json`."""
        return {
            "feature_name": self.feature_name,
            "constraint_check_type": self.check,
            "description": self.description,
        }


def document(violations: Iterable[Violation]) -> dict[str, Any]:
    """Give the contents of `constraint_violations.json`."""
    return {"violations": [violation.entry() for violation in violations]}


def exit_message(violations: int) -> str:
    """Say how a check ended, as the container's exit message does.

    >>> exit_message(2)
    'CompletedWithViolations: Job completed successfully with 2 violations.'
    """
    if not violations:
        return "Completed: Job completed successfully with no violations."
    return f"CompletedWithViolations: Job completed successfully with {violations} violations."


def wrong_type(column: str, expected: str, wanted: float, share: float) -> Violation:
    """Too many values are of another type."""
    return Violation(
        column,
        DATA_TYPE,
        f"Data type match requirement is not met. Expected data type: {expected}, "
        f"Expected match: {wanted * 100}%. Observed: Only {share * 100}% of data is {expected}.",
        (column,),
        1 + 10 * (wanted - share),
        say("{share} of the values are not {kind}", share=percent(1 - share), kind=told(_kind(expected))),
    )


def incomplete(column: str, wanted: float, found: float) -> Violation:
    """Too many values are missing."""
    share, before = percents(1 - found, 1 - wanted)
    sentence = say("{share} of the values are missing, up from {before}", share=share, before=before)
    return _unmet(column, COMPLETENESS, found, 1 + 10 * (wanted - found), sentence)


def negative(column: str, least: float) -> Violation:
    """A column that never was negative is."""
    sentence = say("there are negative values, down to {least}", least=of_the_data(figure(least)))
    return _unmet(column, NON_NEGATIVE, least, 2.0, sentence)


def far_outside(
    column: str, share: float, least: float, most: float, known: tuple[float, float]
) -> Violation:
    """Numbers are far outside what the baseline holds."""
    sentence = say(
        "{share} of the values are far outside what was known ({least} to {most}, {low} to {high} before)",
        share=percent(share),
        least=of_the_data(figure(least)),
        most=of_the_data(figure(most)),
        low=of_the_data(figure(known[0])),
        high=of_the_data(figure(known[1])),
    )
    return _unmet(column, RANGE, 1 - share, 1 + 10 * share, sentence)


def unknown_categories(column: str, wanted: float, found: float, examples: list[str]) -> Violation:
    """Too many values are not in the column's domain."""
    sentence = say(
        "{share} of the values were never seen before, such as {examples}",
        share=percent(1 - found),
        examples=joined(say("'{text}'", text=of_the_data(text[:30])) for text in examples[:3]),
    )
    return _unmet(column, CATEGORIES, found, 1 + 10 * (wanted - found), sentence)


def drifted(column: str, distance: float, threshold: float, sentence: Sentence) -> Violation:
    """The distribution is too far from the baseline's."""
    return Violation(
        column,
        DRIFT,
        f"Baseline drift distance: {distance} exceeds threshold: {threshold}",
        (column,),
        distance / threshold if threshold else 1 + distance,
        sentence,
    )


def unlikely(column: str, p_value: float, threshold: float, sentence: Sentence) -> Violation:
    """The categories are not those of the baseline, by χ², where the constraints ask for its p-value."""
    return Violation(
        column,
        DRIFT,
        f"Baseline drift p-value: {p_value} is below threshold: {threshold}",
        (column,),
        1 + threshold - p_value,
        sentence,
    )


def missing_columns(names: list[str], current: int, baseline: int) -> Violation:
    """Columns of the baseline are not there."""
    return _columns("Missing columns", MISSING_COLUMN, "missing", names, current, baseline)


def extra_columns(names: list[str], current: int, baseline: int) -> Violation:
    """There are columns that the baseline lacks."""
    return _columns("Extra columns", EXTRA_COLUMN, "extra", names, current, baseline)


def _columns(feature: str, check: str, word: str, names: list[str], current: int, baseline: int) -> Violation:
    return Violation(
        feature,
        check,
        f"There are {word} columns in current dataset. Number of columns in current dataset: {current}, "
        f"Number of columns in baseline constraints: {baseline}",
        tuple(names),
        10.0 if word == "missing" else 1.0,
        say("the column is not there any more") if word == "missing" else say("the column is new"),
        "act" if word == "missing" else "watch",
    )


def _unmet(column: str, check: str, value: float, excess: float, sentence: Sentence) -> Violation:
    # The blank at the end is the container's.
    description = f"Value: {value} does not meet the constraint requirement! "
    return Violation(column, check, description, (column,), excess, sentence)


def percent(share: float) -> Told:
    """Write a share as a percentage."""
    return Told(f"{share * 100:.3g} %")


def percents(one: float, other: float) -> tuple[Told, Told]:
    """Write two shares as percentages with as many digits as tell them apart.

    >>> percents(0.9496, 0.9500), percents(0.22, 0.4)
    (('94.96 %', '95 %'), ('22 %', '40 %'))
    """
    first, second = percent(one), percent(other)
    if first != second or one == other:
        return first, second
    told_apart = apart(one * 100, other * 100)
    return Told(f"{told_apart[0]} %"), Told(f"{told_apart[1]} %")


def _kind(expected: str) -> str:
    return {"Integral": "whole numbers", "Fractional": "numbers", "String": "texts"}.get(expected, expected)
