"""Hyperparameter ranges: read from a request, and between 0 and 1 for whatever searches in them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tidegate.local.sagemaker.errors import ValidationException

Record = Mapping[str, Any]

# AWS chooses the scale of an "Auto" range and does not say how; here a wide one is searched by magnitude.
_WIDE = 1000.0
_LOGARITHMIC, _REVERSE = "Logarithmic", "ReverseLogarithmic"


@dataclass(frozen=True)
class Numbers:
    """A range of numbers; `whole` when they are integers."""

    name: str
    least: float
    most: float
    whole: bool = False
    scaling: str = "Linear"

    def at(self, unit: float) -> str:
        """Return the value at a place between 0 and 1, as a hyperparameter is written.

        >>> Numbers("eta", 0.0, 1.0).at(0.25)
        '0.25'
        """
        low, high = self._scaled(self.least), self._scaled(self.most)
        value = self._unscaled(low + unit * (high - low))
        value = min(max(value, self.least), self.most)
        return str(round(value)) if self.whole else repr(value)

    def place(self, text: str) -> float | None:
        """Return the place of a value between 0 and 1, None when it lies outside or is no number."""
        try:
            value = float(text)
        except ValueError:
            return None
        if not self.least <= value <= self.most:
            return None
        low, high = self._scaled(self.least), self._scaled(self.most)
        return 0.0 if high == low else (self._scaled(value) - low) / (high - low)

    def _scaled(self, value: float) -> float:
        if self.scaling == _LOGARITHMIC:
            return math.log(value)
        return -math.log(1 - value) if self.scaling == _REVERSE else value

    def _unscaled(self, value: float) -> float:
        if self.scaling == _LOGARITHMIC:
            return math.exp(value)
        return 1 - math.exp(-value) if self.scaling == _REVERSE else value


@dataclass(frozen=True)
class Choices:
    """A list of values to choose from."""

    name: str
    values: tuple[str, ...]


Range = Numbers | Choices


def read_ranges(ranges: Record) -> tuple[Range, ...]:
    """Read ``ParameterRanges``, or refuse it with a sentence."""
    if ranges.get("AutoParameters"):
        raise ValidationException(
            "AutoParameters are not served here: give each hyperparameter a range of its own."
        )
    found: list[Range] = [
        *(_numbers(each, whole=True) for each in ranges.get("IntegerParameterRanges", [])),
        *(_numbers(each, whole=False) for each in ranges.get("ContinuousParameterRanges", [])),
        *(
            Choices(each["Name"], tuple(each["Values"]))
            for each in ranges.get("CategoricalParameterRanges", [])
        ),
    ]
    names = [each.name for each in found]
    for name in names:
        if names.count(name) > 1:
            raise ValidationException(f"The hyperparameter {name} has more than one range. Give it one.")
    if not found:
        raise ValidationException(
            "There is nothing to tune: give at least one hyperparameter a range in ParameterRanges."
        )
    return tuple(found)


def _numbers(given: Record, whole: bool) -> Numbers:
    name = given["Name"]
    try:
        least, most = (int(given[key]) if whole else float(given[key]) for key in ("MinValue", "MaxValue"))
    except ValueError as error:
        kind = "an integer" if whole else "a number"
        raise ValidationException(
            f"The range of {name}, {given['MinValue']} to {given['MaxValue']}, needs {kind} at both ends."
        ) from error
    if not (math.isfinite(least) and math.isfinite(most)) or least > most:
        raise ValidationException(
            f"The range of {name} goes from {given['MinValue']} to {given['MaxValue']}: "
            "MinValue must not be greater than MaxValue."
        )
    scaling = given.get("ScalingType", "Auto")
    if scaling == "Auto":
        scaling = _LOGARITHMIC if least > 0 and most / least >= _WIDE else "Linear"
    if scaling == _LOGARITHMIC and least <= 0:
        raise ValidationException(
            f"Logarithmic scaling needs values greater than 0, and {name} begins at {least}."
        )
    if scaling == _REVERSE and (whole or least < 0 or most >= 1):
        raise ValidationException(
            f"ReverseLogarithmic scaling needs a continuous range within 0 <= x < 1, and {name} goes from "
            f"{given['MinValue']} to {given['MaxValue']}."
        )
    return Numbers(name, least, most, whole, scaling)
