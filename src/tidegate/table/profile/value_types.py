"""What kinds of values a column holds, value by value, as a state that adds."""

from __future__ import annotations

from dataclasses import dataclass

INTEGRAL_PATTERN = r"^[+-]?[0-9]+$"
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

    def __add__(self, other: ValueTypes) -> ValueTypes:
        """Count the values of both."""
        return ValueTypes(
            self.integral + other.integral,
            self.fractional + other.fractional,
            self.boolean + other.boolean,
            self.string + other.string,
            self.missing + other.missing,
        )

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
