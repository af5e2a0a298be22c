"""Profiles: what a table holds, summed up in states that add, and the baselines read off them.

A state is a small frozen dataclass with `of` (from data) and `+` (two windows become one without reading the
data again), after Deequ's analyzers (Schelter et al., Automating Large-Scale Data Quality Verification, VLDB
2018). The files are Model Monitor's `statistics.json` and `constraints.json`.
"""

from tidegate.table.profile.data_quality import data_quality
from tidegate.table.profile.model_quality import model_quality

__all__ = ["data_quality", "model_quality"]
