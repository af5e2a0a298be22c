"""How many independent rows the rows of a window tell as much as, and how well that is known.

For its distributions it is asked of the window, and of all rows of late, whose order is remembered for long
(`watch.recent`). Where the window's own are more alike than those by more than chance, the window's count, so
that a caller who begins to send what is alike is seen at once.
No column is taken to tell more than half the columns allow: rows that are alike mostly are so in many, and a
single column's own order may by accident not show it, or not be known.

Bad data come in runs that a window has no other of, which would make themselves improbable. So there only
the order of the rows that came before counts: where gaps always come in runs, they are counted as runs.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

from tidegate.table.profile import Profile
from tidegate.table.profile.succession import Succession


class Worth(NamedTuple):
    """How many rows tell as much as one independent row, and by how many degrees of freedom that is known."""

    rows_for_one: float = 1.0
    freedom: float = math.inf

    def independent(self, count: float) -> int:
        """Give how many independent rows so many tell as much as."""
        return round(count / self.rows_for_one)


EACH = Worth()


@dataclass(frozen=True)
class Alike:
    """How much alike consecutive rows of a column are.

    Attributes
    ----------
    rows : Worth
        For its distribution.
    values, gaps : Worth
        For single values, and for gaps, by what came before.
    """

    rows: Worth = EACH
    values: Worth = EACH
    gaps: Worth = EACH


NOTHING_ALIKE = Alike()


def alike(window: Profile, before: Profile) -> dict[str, Alike]:
    """Tell it of each column of a window.

    Parameters
    ----------
    before : Profile
        What came before it.
    """
    own = {}
    for name, column in window.columns.items():
        lately = before.column(name).succession + column.succession
        if lately.values:
            own[name] = worth(column.succession, lately)
    ranked = sorted(own.values())
    usual = ranked[len(ranked) // 2] if ranked else EACH
    return {
        name: Alike(
            max(usual, own.get(name, usual)),
            _worth(before.column(name).succession),
            _worth(before.column(name).gaps),
        )
        for name in window.columns
    }


def worth(own: Succession, lately: Succession) -> Worth:
    """Tell it by the order of all rows of late, or of a window's own if these are surely more alike."""
    return _worth(own if own.beyond(lately.rows_for_one) else lately)


def _worth(order: Succession) -> Worth:
    return Worth(order.rows_for_one, order.freedom)
