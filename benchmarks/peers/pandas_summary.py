"""pandas: moments, quantiles, distinct counts and the most frequent texts; no sketch that adds."""

import sys

import pandas as pd

print("ready", flush=True)
for path in sys.argv[1:]:
    table = pd.read_csv(path)
    numbers = table.select_dtypes("number")
    print(numbers.agg(["count", "mean", "std", "sum", "min", "max"]).shape)
    print(numbers.quantile([at / 10 for at in range(1, 10)]).shape, len(table.nunique()))
    texts = table.select_dtypes(exclude="number")
    print(*(texts[name].value_counts().head(100).shape for name in texts))
