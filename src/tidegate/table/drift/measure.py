"""What a measure of drift is, and the register of those there are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tidegate.table.drift.sample import Categories, Numbers


@dataclass(frozen=True)
class Measured:
    """What a measure found.

    Attributes
    ----------
    distance : float
        0 where both are alike; what more means depends on the measure.
    p_value : float or None
        The probability of so large a distance between two samples of one distribution, where known.
    """

    distance: float
    p_value: float | None = None


OfNumbers = Callable[[Numbers, Numbers], Measured]
OfCategories = Callable[[Categories, Categories], Measured]
OF_NUMBERS: dict[str, OfNumbers] = {}
OF_CATEGORIES: dict[str, OfCategories] = {}


def of_numbers(name: str) -> Callable[[OfNumbers], OfNumbers]:
    """Register a measure of numbers."""

    def register(compute: OfNumbers) -> OfNumbers:
        OF_NUMBERS[name] = compute
        return compute

    return register


def of_categories(name: str) -> Callable[[OfCategories], OfCategories]:
    """Register a measure of categories."""

    def register(compute: OfCategories) -> OfCategories:
        OF_CATEGORIES[name] = compute
        return compute

    return register
