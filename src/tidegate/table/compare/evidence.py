"""What one check of one column found: how much has changed, and how probable so much is by chance."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from tidegate.table.compare.alike import NOTHING_ALIKE, Alike
from tidegate.table.compare.days import days_of
from tidegate.table.compare.violations import Violation
from tidegate.table.drift import Categories, Numbers
from tidegate.table.profile import ColumnProfile

NUMERIC = ("Integral", "Fractional")
FEW_VALUES = 12  # a column of numbers with no more different ones is a list of codes, or of flags


@dataclass(frozen=True)
class Evidence:
    """One check.

    Attributes
    ----------
    name : str
        Which check it is.
    effect : float
        How much has changed; what `threshold` or less changes is of no importance, however surely it did.
    chance : callable
        Gives the probability of so much by chance; what is probable is no finding, however much it is.
    tell : callable
        Makes the violation, in words.
    severe : float
        From how many times the threshold on somebody should act.
    """

    name: str
    effect: float
    threshold: float
    chance: Callable[[], float] = field(repr=False)
    tell: Callable[[], Violation] = field(repr=False)
    severe: float = 5.0

    @cached_property
    def p_value(self) -> float:
        """The probability of so much by chance."""
        return self.chance()

    @property
    def matters(self) -> bool:
        """Whether the change is large enough to tell."""
        return self.effect > self.threshold

    def violation(self) -> Violation:
        """Tell it, with its severity."""
        grave = self.effect >= self.severe * self.threshold
        return replace(self.tell(), severity="act" if grave else "watch")


@dataclass(frozen=True)
class Side:
    """One column of one side, in the forms that the checks take.

    Attributes
    ----------
    alike : Alike
        How much alike its consecutive rows are.
    front : float or None
        Up to which day earlier windows came, where it holds dates.
    """

    profile: ColumnProfile
    alike: Alike = field(default_factory=lambda: NOTHING_ALIKE)
    front: float | None = None

    @cached_property
    def numbers(self) -> Numbers:
        """Its numbers."""
        return Numbers.of(self.profile)

    @cached_property
    def texts(self) -> Categories:
        """Its values as categories."""
        return Categories.of(self.profile)

    @cached_property
    def values(self) -> Categories:
        """Its numbers as categories, each by its value, however it was written."""
        return Categories.of_numbers(self.numbers)

    @cached_property
    def days(self) -> Numbers | None:
        """Its dates as days; None where it holds none."""
        return days_of(self.profile)

    @property
    def rows(self) -> int:
        """How many rows there are, gaps among them."""
        return self.profile.types.present + self.profile.types.missing

    def independent(self, count: float) -> int:
        """Give how many independent rows so many tell as much as."""
        return round(count / self.alike.rows.rows_for_one)

    @property
    def few_values(self) -> bool:
        """Whether its numbers are so few different ones that they are codes or flags."""
        return len(np.unique(self.numbers.values)) <= FEW_VALUES
