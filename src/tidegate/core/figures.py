"""Numbers for people: one way to write them, in sentences, tables and the report, and one name a metric."""

from __future__ import annotations

import math

DIGITS = 4
MOST_DIGITS = 17  # of a double
MOST_PLAIN = 1e15
LEAST_PLAIN = 1e-4
METRICS = {"rmse": "RMSE", "mae": "MAE", "mse": "MSE", "r2": "R²"}


def figure(value: object, digits: int = DIGITS, *, signed: bool = False) -> str:
    """Write a number in about four digits that count, never as a power of ten where it can be read without.

    What is no number is a dash.

    Parameters
    ----------
    digits : int, optional
        How many digits count; of a whole part none is left out.
    signed : bool, optional
        Whether what is above nothing has a plus.

    Examples
    --------
    >>> figure(124532.7), figure(2019.4), figure(0.528), figure(-3.0), figure(1e-9), figure(None)
    ('124,533', '2019', '0.528', '-3', '1e-09', '–')
    >>> figure(0.5, signed=True), figure(13421.74, 7)
    ('+0.5', '13,421.74')
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        return "–"
    size = abs(value)
    sign = "+" if signed and value > 0 else ""
    if not math.isfinite(value) or size >= MOST_PLAIN or 0 < size < LEAST_PLAIN:
        return f"{sign}{value:.{digits}g}"
    # Years are best without a comma, and other numbers of four digits are none the worse.
    if size < 9_999.5:
        return f"{sign}{_plain(value, digits)}"
    decimals = max(0, digits - len(f"{size:.0f}"))
    text = f"{value:,.{decimals}f}"
    return sign + (text.rstrip("0").rstrip(".") if decimals else text)


def _plain(value: float, digits: int) -> str:
    text = f"{value:.{digits}g}"
    # Few digits of a large number would be a power of ten.
    return text if "e" not in text else f"{value:.{max(0, digits - math.ceil(math.log10(abs(value) or 1)))}f}"


def apart(value: float, other: float) -> tuple[str, str]:
    """Write two numbers with as many digits as tell them apart: no sentence says that 1350 is above 1350.

    >>> apart(1350.4, 1350.0), apart(0.528, 0.5), apart(2.0, 2.0)
    (('1350.4', '1350'), ('0.528', '0.5'), ('2', '2'))
    """
    for digits in range(DIGITS, MOST_DIGITS + 1):
        one, two = figure(value, digits), figure(other, digits)
        if one != two or value == other:
            break
    return one, two


def metric_name(metric: str) -> str:
    """Name a metric as people know it.

    >>> metric_name("r2"), metric_name("accuracy")
    ('R²', 'accuracy')
    """
    return METRICS.get(metric, metric)
