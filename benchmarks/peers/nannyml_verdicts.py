"""NannyML's defaults for each window: univariate drift, missing values and unseen values.

Reads files of `verdict_power.written`; prints for each one line of JSON: by column and window how much was
measured, as a multiple of the upper threshold that NannyML draws from the baseline's chunks. Above 1 it
alarms. Chunks are as long as the windows, but at most a tenth of the baseline, as its default chunker's are.
"""

import json
import sys
import warnings

import nannyml
import numpy as np
import pandas as pd

warnings.filterwarnings("ignore")


def scores(baseline: pd.DataFrame, windows: pd.DataFrame, rows: int) -> dict[str, list[float]]:
    size = min(rows, len(baseline) // 10) if rows > len(baseline) // 5 else rows
    names = list(baseline.columns)
    codes = [name for name in names if name.startswith("f")]
    texts = [name for name in names if name.startswith("c")]
    chunked = {"chunk_size": size}
    drift = nannyml.UnivariateDriftCalculator(column_names=names, treat_as_categorical=codes, **chunked)
    missing = nannyml.MissingValuesCalculator(column_names=names, **chunked)
    unseen = nannyml.UnseenValuesCalculator(column_names=texts, **chunked) if texts else None
    found = {name: np.zeros(len(windows) // rows) for name in names}
    for calculator in filter(None, (drift, missing, unseen)):
        table = calculator.fit(baseline).calculate(windows).filter(period="analysis").to_df()
        for name in names:
            of_it = table[[each for each in table.columns if each[0] == name]]
            if of_it.empty:
                continue
            measured = {each[-1]: of_it[each].to_numpy(dtype=float) for each in of_it.columns}
            value, limit = measured["value"], np.nan_to_num(measured["upper_threshold"])
            with np.errstate(divide="ignore", invalid="ignore"):
                each = np.where(value > 0, value / limit, 0.0)
            found[name] = np.maximum(found[name], each.reshape(len(windows) // rows, -1).max(axis=1))
    return {name: [min(float(each), 1e300) for each in values] for name, values in found.items()}


for path in sys.argv[1:]:
    file = np.load(path)
    columns = file["columns"].tolist()
    baseline, windows = (
        pd.DataFrame({name: file[f"{side}_{name}"] for name in columns}) for side in ("baseline", "windows")
    )
    print(json.dumps(scores(baseline, windows, int(file["rows"]))), flush=True)
