"""pyarrow: the bare parse of every column."""

import sys

import pyarrow.csv

print("ready", flush=True)
print(*(pyarrow.csv.read_csv(path).shape for path in sys.argv[1:]))
