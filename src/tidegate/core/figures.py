"""Numbers in sentences to people."""

from __future__ import annotations

import math

MOST_PLAIN = 1e15
LEAST_PLAIN = 1e-4


def figure(value: float) -> str:
    """Write a number in about four digits, never as a power of ten where it can be read without.

    >>> figure(124532.7), figure(2019.4), figure(0.123456), figure(-3.0), figure(1e-9)
    ('124,533', '2019', '0.1235', '-3', '1e-09')
    """
    size = abs(value)
    if not math.isfinite(value) or size >= MOST_PLAIN or 0 < size < LEAST_PLAIN:
        return f"{value:.4g}"
    # Years are best without a comma, and other numbers of four digits are none the worse.
    return f"{value:,.0f}" if size >= 9_999.5 else f"{value:.4g}"
