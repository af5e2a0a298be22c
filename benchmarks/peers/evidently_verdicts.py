"""Evidently's default drift test of each column of each window, as its drift preset chooses and judges it.

Reads files of `verdict_power.written`; prints for each one line of JSON: by column and window what the
statistic is, as a multiple of Evidently's default threshold. From 1 on it calls the column drifted.
"""

import json
import sys
import warnings

import numpy as np
import pandas as pd
from evidently.legacy.calculations.stattests import get_stattest
from evidently.legacy.core import ColumnType

warnings.filterwarnings("ignore")


def score(baseline: pd.Series, window: pd.Series, kind: ColumnType) -> float:
    test = get_stattest(baseline, window, kind, None)
    found = test(baseline, window, kind, None)
    by_chance = "p_value" in test.display_name
    value, limit = float(found.drift_score), float(found.actual_threshold)
    return (limit / max(value, 1e-300)) if by_chance else value / limit


for path in sys.argv[1:]:
    file = np.load(path)
    rows = int(file["rows"])
    found = {}
    for name in file["columns"].tolist():
        before, now = pd.Series(file[f"baseline_{name}"]), file[f"windows_{name}"]
        kind = ColumnType.Numerical if name.startswith("n") else ColumnType.Categorical
        windows = [pd.Series(now[at : at + rows]) for at in range(0, len(now), rows)]
        found[name] = [score(before.dropna(), each.dropna(), kind) for each in windows]
    print(json.dumps(found), flush=True)
