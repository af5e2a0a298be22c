"""How far a model's quality has fallen, as one number: by its worst metric, and by how much at the least.

On the scale of `tidegate.table.quality.judge`, on which the size of a model's errors does not matter: errors
by the logarithm of their ratio, R² by that of the errors it stands for, shares of right answers by their
difference.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

_LOGARITHMS = {"rmse": 1.0, "mae": 1.0, "mse": 0.5}


class Fall(NamedTuple):
    """How far quality has fallen, and how far at the least; None where nobody can tell."""

    extent: float | None = None
    surely: float | None = None


def fall_of(metrics: Mapping[str, Mapping[str, Any]]) -> Fall:
    """Read off the metrics of a check how far quality has fallen.

    Examples
    --------
    >>> metric = {"value": 2.0, "low": 1.8, "high": 2.2, "threshold": 1.0, "effect": 0.693}
    >>> found = fall_of({"rmse": metric})
    >>> round(found.extent, 2), round(found.surely, 2)
    (0.69, 0.59)
    """
    worst = max(metrics.items(), key=lambda each: _number(each[1].get("effect")) or 0.0, default=None)
    extent = _number(worst[1].get("effect")) if worst else None
    if worst is None or extent is None or extent <= 0:
        return Fall()
    name, metric = worst
    places = [_on_scale(name, metric.get(each)) for each in ("low", "high", "value", "threshold")]
    if None in places:
        return Fall(extent)
    low, high, value, threshold = (each or 0.0 for each in places)
    # Of the scale's two directions it is the one in which the value lies that is worse.
    sign = 1.0 if value >= threshold else -1.0
    return Fall(extent, min(sign * (low - threshold), sign * (high - threshold)))


def _on_scale(name: str, value: object) -> float | None:
    number = _number(value)
    if number is None:
        return None
    if name in _LOGARITHMS:
        return _LOGARITHMS[name] * math.log(number) if number > 0 else None
    if name == "r2":
        return math.log(1 - number) / 2 if number < 1 else None
    return number


def _number(value: object) -> float | None:
    if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
        return float(value)
    return None
