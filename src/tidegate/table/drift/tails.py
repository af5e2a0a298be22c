"""Tail probabilities, by the standard library: SciPy takes a second to import, which no Lambda has."""

from __future__ import annotations

import math
from statistics import NormalDist

TERMS = 500
_NORMAL = NormalDist()
TINY = 1e-16


def normal_tail(z: float) -> float:
    """Give the probability that a standard normal value is above z.

    >>> round(normal_tail(1.6448536), 6)
    0.05
    """
    return 0.5 * math.erfc(z / math.sqrt(2))


def unsure(p_value: float, freedom: float) -> float:
    """Give the probability that is left where the spread that a test reckons with is an estimate itself.

    The test's normal quantile is taken as Student's t, by Wallace's approximation (Bounds on Normal
    Approximations to Student's and the Chi-Square Distributions, Annals of Mathematical Statistics 30, 1959).

    Parameters
    ----------
    freedom : float
        The degrees of freedom of the estimate.

    >>> round(unsure(0.001, 10), 4), unsure(0.001, math.inf)
    (0.0058, 0.001)
    """
    if math.isinf(freedom) or not 0 < p_value < 1:
        return p_value
    t = -_NORMAL.inv_cdf(p_value)
    if t <= 0:
        return p_value
    share = (8 * freedom + 1) / (8 * freedom + 3)
    return max(p_value, normal_tail(share * math.sqrt(freedom * math.log1p(t * t / freedom))))


def kolmogorov_tail(distance: float, effective_rows: float) -> float:
    """Give the probability of so large a Kolmogorov-Smirnov distance between samples of one distribution.

    Smirnov's asymptotic series (Annals of Mathematical Statistics 19, 1948); `effective_rows` is
    n·m / (n + m). Ties make it err on the quiet side.

    >>> round(kolmogorov_tail(0.136, 100), 3)
    0.049
    """
    x = math.sqrt(effective_rows) * distance
    if x < 0.3:  # the series alternates slowly here, and the probability is 1 to six digits
        return 1.0
    total = math.fsum((1 if k % 2 else -1) * math.exp(-2 * (k * x) ** 2) for k in range(1, 30))
    return min(1.0, max(0.0, 2 * total))


def kuiper_tail(distance: float, effective_rows: float) -> float:
    """Give the probability of so large a sum of the distances to either side (Kuiper, 1960), asymptotically.

    >>> round(kuiper_tail(0.1747, 100), 3)
    0.05
    """
    x = math.sqrt(effective_rows) * distance
    if x < 0.6:
        return 1.0
    squares = [(k * x) ** 2 for k in range(1, 30)]
    total = math.fsum((4 * each - 1) * math.exp(-2 * each) for each in squares)
    return min(1.0, max(0.0, 2 * total))


def chi_squared_tail(statistic: float, freedom: int) -> float:
    """Give the probability of so large a χ²: the upper regularised incomplete gamma function of half of both.

    By its series below the mean and its continued fraction above (DLMF 8.7.1 and 8.9.2, https://dlmf.nist.gov).

    >>> round(chi_squared_tail(3.841459, 1), 6), round(chi_squared_tail(18.307038, 10), 6)
    (0.05, 0.05)
    """
    a, x = freedom / 2, statistic / 2
    if x <= 0:
        return 1.0
    scale = math.exp(a * math.log(x) - x - math.lgamma(a))
    if x < a + 1:
        term = total = 1 / a
        for k in range(1, TERMS):
            term *= x / (a + k)
            total += term
            if term < total * TINY:
                break
        return max(0.0, 1 - scale * total)
    return min(1.0, scale * _fraction(a, x))


def _fraction(a: float, x: float) -> float:
    """Evaluate the continued fraction by Lentz's method."""
    b = x + 1 - a
    c, d = 1e300, 1 / b
    found = d
    for k in range(1, TERMS):
        numerator = -k * (k - a)
        b += 2
        d = 1 / (numerator * d + b)
        c = b + numerator / c
        found *= c * d
        if abs(c * d - 1) < TINY * 10:
            break
    return found


def more_marked(marked: int, rows: int, marked_before: int, rows_before: int) -> float:
    """Give the probability of so many marked rows, or more, if two samples differ by chance alone.

    Fisher's exact test, one-sided (The Logic of Inductive Inference, Journal of the Royal Statistical Society
    98, 1935): all rows are mixed, and the second sample is drawn of them. Never 0 where there are rows: what
    was not seen in the baseline may still be there. It is 1 where the share has not grown.

    >>> round(more_marked(3, 200, 0, 5000), 8), more_marked(1, 100, 5, 100)
    (5.608e-05, 1.0)
    """
    if not rows or marked * rows_before <= marked_before * rows:
        return 1.0
    every, marks = rows + rows_before, marked + marked_before
    term = math.exp(_choices(marks, marked) + _choices(every - marks, rows - marked) - _choices(every, rows))
    if not term:
        return math.ulp(0.0)
    total, found = 0.0, marked
    while found <= min(marks, rows):
        total += term
        if term < total * TINY:
            break
        # The next term of the hypergeometric distribution by its ratio to this one.
        term *= (marks - found) * (rows - found) / ((found + 1) * (every - marks - rows + found + 1))
        found += 1
    return min(1.0, total)


def other_share(marked: int, rows: int, marked_before: int, rows_before: int) -> float:
    """Give the probability of shares so different by chance alone: twice the smaller tail of Fisher's test.

    >>> round(other_share(40, 100, 22, 100), 4), other_share(1, 10, 1, 10)
    (0.0091, 1.0)
    """
    more = more_marked(marked, rows, marked_before, rows_before)
    fewer = more_marked(rows - marked, rows, rows_before - marked_before, rows_before)
    return min(1.0, 2 * min(more, fewer))


def _choices(of: int, some: int) -> float:
    """Give the logarithm of the number of ways to choose some of them."""
    return math.lgamma(of + 1) - math.lgamma(some + 1) - math.lgamma(of - some + 1)
