"""The two baselines that the monitor compares with, in Model Monitor's files; `profile` computes them."""

from tidegate.table.profile.data_quality import data_quality
from tidegate.table.profile.model_quality import model_quality

__all__ = ["data_quality", "model_quality"]
