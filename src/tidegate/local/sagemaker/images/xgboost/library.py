"""The one place that imports the XGBoost library, and what has to be said to the process around it."""

from __future__ import annotations

import os
import warnings

# Threads that wait must not spin: two jobs on the same cores would slow each other twentyfold.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import xgboost

# What the library says through `warnings` (a GPU that is not there, say) we say in log lines of our own.
warnings.filterwarnings("ignore", module="xgboost")

__all__ = ["xgboost"]
