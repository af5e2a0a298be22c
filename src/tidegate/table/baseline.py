"""The two baselines that the monitor compares with, in Model Monitor's files."""

from tidegate.table.constraints.suggest import suggest
from tidegate.table.data_quality import data_quality, whole_profile
from tidegate.table.quality.regression import model_quality

__all__ = ["data_quality", "model_quality", "suggest", "whole_profile"]
