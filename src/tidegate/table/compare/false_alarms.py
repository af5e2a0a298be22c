"""Control of false alarms over a whole table: a wide one has many chances to look odd by accident.

Benjamini and Hochberg, Controlling the False Discovery Rate (Journal of the Royal Statistical Society B 57,
1995): where nothing has changed, the chance of any alarm at all is at most the rate, however many columns.
"""

from __future__ import annotations

from collections.abc import Sequence


def q_values(p_values: Sequence[float]) -> list[float]:
    """Give for each p-value the smallest rate of false alarms at which it is one to report.

    >>> [round(q, 3) for q in q_values([0.01, 0.02, 0.5])]
    [0.03, 0.03, 0.5]
    """
    order = sorted(range(len(p_values)), key=p_values.__getitem__, reverse=True)
    found = [1.0] * len(p_values)
    least = 1.0
    for place, at in enumerate(order):
        least = min(least, p_values[at] * len(p_values) / (len(p_values) - place))
        found[at] = least
    return found
