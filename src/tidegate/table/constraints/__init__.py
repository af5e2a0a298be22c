"""Constraints: what later data must keep to, as Model Monitor's `constraints.json`; suggested, read back."""

from tidegate.table.constraints.read import ColumnConstraints, Constraints, Settings
from tidegate.table.constraints.suggest import suggest

__all__ = ["ColumnConstraints", "Constraints", "Settings", "suggest"]
