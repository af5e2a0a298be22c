"""The one place that imports the XGBoost library, so that it starts fast.

XGBoost imports scikit-learn and pandas wherever they are installed, which costs a second or two and is needed
by none of our calls. A module set to None in `sys.modules` reads as "not installed", in this process alone.
"""

from __future__ import annotations

import os
import sys
import warnings

# Threads that wait must not spin: two jobs on the same cores would slow each other twentyfold.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

for _unneeded in ("pandas", "sklearn"):
    sys.modules.setdefault(_unneeded, None)  # type: ignore[arg-type]

import xgboost  # noqa: E402  (it must come after the lines above)

# The library says through `warnings` what we say in log lines of our own (a GPU that is not there, say).
warnings.filterwarnings("ignore", module="xgboost")

__all__ = ["xgboost"]
