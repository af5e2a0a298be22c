"""Categories that the baseline does not know: how many must be expected, and whether there are more.

Rows of categories that a sample has not seen are to be expected: their share is that of the sample's rows
whose category no other row has (Good, The Population Frequencies of Species, Biometrika 40, 1953, after
Turing). What is beyond that is the effect. Two exact tests judge it, and their smaller p-value counts twice:

- rows whose category no other row of either side has are exchangeable, so that how many of them lie in the
  window is Fisher's test;
- a category of several rows lies in the window as a whole with the probability that all of its rows were
  drawn into it; added up over all categories of as many rows or more, this bounds the chance of any.
"""

from __future__ import annotations

import math
from collections import Counter

from tidegate.table.drift import Categories
from tidegate.table.drift.tails import more_marked


def unseen(baseline: Categories, window: Categories, rows_for_one: float) -> tuple[int, float, float]:
    """Give how many rows are of unknown categories, by how much their share is above what is expected, and p.

    Nothing can be told where not every category of the baseline is known.
    """
    if baseline.lost or not baseline.counts:
        return 0, 0.0, 1.0
    new = {text: count for text, count in window.counts.items() if text not in baseline.counts}
    rows = sum(new.values())
    singles = sum(count == 1 for count in baseline.counts.values())
    effect = rows / window.rows - singles / baseline.rows
    if not new or effect <= 0:
        return rows, 0.0, 1.0
    told = round(window.rows / rows_for_one)
    once = round(sum(count == 1 for count in new.values()) / rows_for_one)
    alone = singles - sum(baseline.counts.get(text) == 1 for text in window.counts)
    of_singles = 1.0 if window.lost else more_marked(once, told, alone, round(baseline.rows))
    of_several = _several(baseline, window, round(max(new.values()) / rows_for_one), rows_for_one)
    return rows, effect, min(1.0, 2 * min(of_singles, of_several))


def _several(baseline: Categories, window: Categories, most: int, rows_for_one: float) -> float:
    """Bound the chance that any category of so many rows lies in the window as a whole."""
    if most < 2:
        return 1.0
    before, told = round(baseline.rows), round(window.rows / rows_for_one)
    sizes = Counter(
        baseline.counts.get(text, 0) + round(window.counts.get(text, 0) / rows_for_one)
        for text in {*baseline.counts, *window.counts}
    )
    total = sum(times * _whole(size, told, before) for size, times in sizes.items() if size >= most)
    return min(1.0, total)


def _whole(size: int, rows: int, before: int) -> float:
    """Give the chance that of all rows a category's all lie among `rows`."""
    if size > rows:
        return 0.0
    every = rows + before
    chance = (
        math.lgamma(rows + 1)
        - math.lgamma(rows - size + 1)
        - math.lgamma(every + 1)
        + math.lgamma(every - size + 1)
    )
    return max(math.exp(chance), math.ulp(0.0))
