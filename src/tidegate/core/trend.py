"""Whether a series rises or falls: the test of Mann (Econometrica 13, 1945) and Kendall, by signs alone."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

Trend = Literal["rising", "falling", "steady"]
LEAST = 5  # of fewer values nobody can tell
_Z = 1.96


def trend(values: Sequence[float | None]) -> Trend | None:
    """Tell whether values, the oldest first, rise or fall; None of too few.

    Examples
    --------
    >>> trend([0.1, 0.2, 0.25, 0.3, 0.5]), trend([1, 2, 1, 2, 1, 2]), trend([3, 2, 1])
    ('rising', 'steady', None)
    """
    known = [value for value in values if value is not None and math.isfinite(value)]
    count = len(known)
    if count < LEAST:
        return None
    signs = sum(
        (later > earlier) - (later < earlier) for at, earlier in enumerate(known) for later in known[at + 1 :]
    )
    alike = [known.count(value) for value in set(known)]
    variance = _term(count) - sum(map(_term, alike))
    if not variance or abs(signs) <= 1:
        return "steady"
    z = (abs(signs) - 1) / math.sqrt(variance)
    if z < _Z:
        return "steady"
    return "rising" if signs > 0 else "falling"


def _term(count: int) -> float:
    return count * (count - 1) * (2 * count + 5) / 18
