"""whylogs: its profile, from a data frame read in chunks; they are merged."""

import sys

import pandas as pd
import whylogs as why

print("ready", flush=True)
for path in sys.argv[1:]:
    total = None
    for chunk in pd.read_csv(path, chunksize=200_000):
        view = why.log(chunk).view()
        total = view if total is None else total.merge(view)
    print(total.to_pandas().shape)
