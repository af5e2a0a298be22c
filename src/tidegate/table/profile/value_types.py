"""What kinds of values a column holds, value by value, as a state that adds."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

NUMBER_PATTERN = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$"
BOOLEAN_PATTERN = r"^(?i:true|false)$"


@dataclass(frozen=True)
class ValueTypes:
    """How many values are of each type; a missing one is of none."""

    integral: int = 0
    fractional: int = 0
    boolean: int = 0
    string: int = 0
    missing: int = 0

    @classmethod
    def sum_of(cls, parts: Iterable[ValueTypes]) -> ValueTypes:
        """Count the values of all."""
        return cls(*map(sum, zip(*(part.listed for part in parts), strict=True)))

    def __add__(self, other: ValueTypes) -> ValueTypes:
        """Count the values of both."""
        return ValueTypes.sum_of((self, other))

    @property
    def listed(self) -> tuple[int, int, int, int, int]:
        """The counts in the order of the fields."""
        return self.integral, self.fractional, self.boolean, self.string, self.missing

    @property
    def numbers(self) -> int:
        """How many values are numbers."""
        return self.integral + self.fractional

    @property
    def present(self) -> int:
        """How many values there are."""
        return self.integral + self.fractional + self.boolean + self.string

    @property
    def completeness(self) -> float:
        """The share of values that are there; 1 of no rows."""
        total = self.present + self.missing
        return self.present / total if total else 1.0

    @property
    def inferred(self) -> str:
        """The column's type in Model Monitor's words: one text makes it a String, one fraction a Fractional.

        Model Monitor knows no booleans; true and false are texts to it.
        """
        if not self.present:
            return "Unknown"
        if self.string or self.boolean:
            return "String"
        return "Fractional" if self.fractional else "Integral"

    def share(self, kind: str) -> float:
        """Give the share of the values that a column of a type may hold; every value is a String.

        Examples
        --------
        >>> ValueTypes(integral=3, fractional=1, string=4).share("Fractional")
        0.5
        """
        fits = {"Integral": self.integral, "Fractional": self.numbers}.get(kind, self.present)
        return fits / self.present if self.present else 1.0

    @property
    def mix(self) -> dict[str, float]:
        """The share of each kind of value among those that are there, the largest first."""
        named = zip(("Integral", "Fractional", "Boolean", "String"), self.listed, strict=False)
        shares = {name: count / self.present for name, count in named if count}
        return dict(sorted(shares.items(), key=lambda item: -item[1]))
