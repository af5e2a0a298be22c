"""Comparing a window with its baseline: checks in Model Monitor's words, false alarms under control."""

from tidegate.table.compare.column import ColumnComparison
from tidegate.table.compare.table import Comparison, compare
from tidegate.table.compare.violations import Violation, exit_message

__all__ = ["ColumnComparison", "Comparison", "Violation", "compare", "exit_message"]
