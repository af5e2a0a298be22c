"""Scoring a file: its good rows written for batch transform, and the answers made into one table of scores.

Both ways stream, block by block, so that memory does not grow with the rows.
"""

from tidegate.table.score.combine import combine_scores
from tidegate.table.score.prepare import prepare_scores
from tidegate.table.score.rows import Wanted

__all__ = ["Wanted", "combine_scores", "prepare_scores"]
