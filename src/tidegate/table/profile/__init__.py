"""Profiles: what a table holds, summed up in states that add.

A state is a small frozen dataclass with `of` (from data), `sum_of` and `+` (two windows become one without
reading the data again), after Deequ's analyzers (Schelter et al., Automating Large-Scale Data Quality
Verification, VLDB 2018). `tidegate.table.scan` makes profiles of files.
"""

from tidegate.table.profile.column import Cells, ColumnProfile
from tidegate.table.profile.read_statistics import read_statistics
from tidegate.table.profile.table import Profile

__all__ = ["Cells", "ColumnProfile", "Profile", "read_statistics"]
