"""polars: moments, quantiles, distinct counts and the most frequent texts; no sketch that adds."""

import sys

import polars as pl
import polars.selectors as cs

print("ready", flush=True)
DECILES = [at / 10 for at in range(1, 10)]
for path in sys.argv[1:]:
    table = pl.read_csv(path)
    numbers = [
        cs.numeric().mean(),
        cs.numeric().std(0).name.suffix(" std"),
        cs.numeric().sum().name.suffix(" sum"),
    ]
    numbers += [cs.numeric().min().name.suffix(" min"), cs.numeric().max().name.suffix(" max")]
    numbers += [cs.numeric().quantile(share).name.suffix(f" {share}") for share in DECILES]
    shared = [cs.all().null_count().name.suffix(" gaps"), cs.all().approx_n_unique().name.suffix(" distinct")]
    print(table.select(*numbers, *shared).shape)
    print(
        *(table[name].value_counts(sort=True).head(100).shape for name in table.select(cs.string()).columns)
    )
