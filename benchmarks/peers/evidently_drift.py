"""Evidently: its summary of one table, or its drift preset for two."""

import sys

import pandas as pd
from evidently import Report
from evidently.presets import DataDriftPreset, DataSummaryPreset

print("ready", flush=True)
tables = [pd.read_csv(path) for path in sys.argv[1:]]
if len(tables) == 1:
    Report([DataSummaryPreset()]).run(tables[0]).dict()
else:
    Report([DataDriftPreset()]).run(tables[1], tables[0]).dict()
