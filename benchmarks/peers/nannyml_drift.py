"""NannyML: univariate drift of a window against its baseline; both are needed."""

import sys

import nannyml
import pandas as pd

print("ready", flush=True)
baseline, window = (pd.read_csv(path) for path in sys.argv[1:])
columns = list(baseline.columns)
texts = [name for name in columns if name.startswith("s")]
calculator = nannyml.UnivariateDriftCalculator(
    column_names=columns,
    treat_as_categorical=texts,
    continuous_methods=["kolmogorov_smirnov"],
    categorical_methods=["l_infinity"],
    chunk_number=1,
)
print(calculator.fit(baseline).calculate(window).to_df().shape)
