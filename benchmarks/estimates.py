"""Tells how well errors are estimated before their truth comes, on real tables whose rows are made to shift.

    .venv/bin/python benchmarks/estimates.py [--splits 8] [--windows 16] [--json]

Each table is split: XGBoost learns from half of it, `tidegate.table.estimate` learns the errors of the
held-out rows (15 %, as a training run has them), and windows are drawn from the rest: rows of low or of high
values of one column, or of the prediction, come up to twenty times more often than others, as when only dear
houses are asked about. Of each window the estimate is compared with what truth says.

Beside it stands what one has without an estimate, the error at training, and an estimate as NannyML makes it:
gradient boosted trees of the absolute error (here XGBoost's, of the same held-out rows).
"""

from __future__ import annotations

import argparse
import csv
import gzip
import importlib.util
import io
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import xgboost

from tidegate.table.columns import Categories, Column, Floats, Indices, Numbers
from tidegate.table.estimate.direct_loss import METRICS, Expected, learn

ROOT = Path(__file__).parent.parent
MOST_ROWS = 12_000
STEEP = 3.0  # the last row of a column comes e³ = 20 times more often than the first
# Of each table the target, and what is no input: names, what comes from the future, parts of the target.
TABLES = {
    "WestRoxbury": ("TOTAL VALUE", ("TAX",)),
    "ToyotaCorolla": ("Price", ("Id", "Model")),
    "LaptopSales": ("Retail Price", ("Date", "Customer Postcode")),
    "UniversalBank": ("Income", ("ID", "ZIP Code")),
    "nz_used_vehicles_2023_2024": (
        "price_last_nzd",
        (
            "listing_id",
            "first_seen",
            "last_seen",
            "days_observed",
            "price_first_nzd",
            "price_max_nzd",
            "model",
        ),
    ),
    "bike_sharing_hour": ("cnt", ("instant", "dteday", "casual", "registered")),
}


def main() -> None:
    """Read the command line and print what was found."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--splits", type=int, default=8)
    parser.add_argument("--windows", type=int, default=16, help="of each split")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    found = {
        name: measured(columns, target, given.splits, given.windows)
        for name, columns, target in tables(given.data)
    }
    if given.json:
        print(json.dumps(found, indent=1))
        return
    heads = ["table", "held out", "metric", "correlation", "off by", "at training", "NannyML's way"]
    print(f"| {' | '.join([*heads, '95 % intervals hold'])} |")
    print(f"|{' --- |' * (len(heads) + 1)}")
    for name, each in found.items():
        for metric in METRICS:
            one = each[metric]
            cells = [name, f"{each['held_out']:,}", metric, f"{one['correlation']:.2f}"]
            cells += [f"{one[what]:.1%}" for what in ("off", "naive", "peer")]
            print(f"| {' | '.join([*cells, format(one['held'], '.0%')])} |")
    print("learned in seconds of CPU:", {name: round(each["seconds"], 2) for name, each in found.items()})


def tables(data: Path) -> Iterator[tuple[str, dict[str, Column], Floats]]:
    """Read the tables that are on this machine, and say which are not."""
    spec = importlib.util.find_spec("dmba")
    home = Path(spec.origin).parent / "csvFiles" if spec and spec.origin else None
    for name, (target, left_out) in TABLES.items():
        packed = home / f"{name}.csv.gz" if home else None
        if packed is not None and packed.is_file():
            body = gzip.decompress(packed.read_bytes())
        elif (data / f"{name}.csv").is_file():
            body = (data / f"{name}.csv").read_bytes()
        else:
            print(f"skipped {name}: it is not on this machine (pip install --no-deps dmba==0.2.4)")
            continue
        yield name, *_table(body, target, left_out)


def _table(body: bytes, target: str, left_out: tuple[str, ...]) -> tuple[dict[str, Column], Floats]:
    reader = csv.DictReader(io.StringIO(body.decode("utf-8-sig")))
    rows = [{name.strip(): cell for name, cell in row.items() if name} for row in reader]
    rows = [row for row in rows if _number(row[target]) > 0]
    rows = [rows[at] for at in np.random.default_rng(0).permutation(len(rows))[:MOST_ROWS]]
    columns = {
        name: _column([row[name] or "" for row in rows])
        for name in rows[0]
        if name not in (target, *left_out) and len({row[name] for row in rows}) > 1
    }
    return columns, np.array([_number(row[target]) for row in rows])


def _column(cells: list[str]) -> Column:
    numbers = np.array([_number(cell) for cell in cells])
    if not np.isnan(numbers[[bool(cell) for cell in cells]]).any():
        return Numbers(numbers)
    levels, codes = np.unique(cells, return_inverse=True)
    return Categories(codes.astype(np.int32), tuple(levels.tolist()))


def _number(cell: str) -> float:
    try:
        return float(cell)
    except (TypeError, ValueError):
        return float("nan")


def measured(columns: dict[str, Column], target: Floats, splits: int, windows: int) -> dict[str, Any]:
    """Compare estimates with what truth says, over many windows of many splits."""
    kept: dict[str, list[tuple[float, ...]]] = {metric: [] for metric in METRICS}
    seconds, held_out = 0.0, 0
    for split in range(splits):
        rng = np.random.default_rng(split)
        order = rng.permutation(len(target))
        half, more = int(0.5 * len(order)), int(0.65 * len(order))
        train, held, pool = order[:half], order[half:more], order[more:]
        model = _fit(columns, target, train, "reg:squarederror")
        predictions = model.predict(xgboost.DMatrix(_matrix(columns))).astype(np.float64)
        known: dict[str, Column] = {**columns, "prediction": Numbers(predictions)}
        errors = np.abs(predictions - target)
        begin = time.process_time()
        estimator = learn({name: each.take(held) for name, each in known.items()}, errors[held])
        seconds, held_out = seconds + time.process_time() - begin, len(held)
        assert estimator is not None
        peers = [
            _fit(known, errors**power, held, "reg:squarederror").predict(xgboost.DMatrix(_matrix(known)))
            for power in (1, 2)
        ]
        before = errors[held].mean(), np.sqrt((errors[held] ** 2).mean())
        for _ in range(windows):
            rows = _window(known, pool, rng)
            expected = Expected(estimator)
            expected.add({name: each.take(rows) for name, each in known.items()}, len(rows))
            true = errors[rows].mean(), np.sqrt((errors[rows] ** 2).mean())
            peer = peers[0][rows].mean(), np.sqrt(max(float(peers[1][rows].mean()), 0.0))
            for at, (metric, found) in enumerate(expected.metrics().items()):
                holds = found["low"] <= true[at] <= found["high"]
                kept[metric].append((found["value"], true[at], before[at], peer[at], float(holds)))
    answer: dict[str, Any] = {"seconds": seconds / splits, "held_out": held_out}
    for metric, rows_of in kept.items():
        value, true, before, peer, holds = np.array(rows_of).T
        answer[metric] = {
            "correlation": float(np.corrcoef(value / before, true / before)[0, 1]),
            "off": float(np.mean(np.abs(value / true - 1))),
            "naive": float(np.mean(np.abs(before / true - 1))),
            "peer": float(np.mean(np.abs(peer / true - 1))),
            "held": float(holds.mean()),
        }
    return answer


def _window(columns: dict[str, Column], pool: Indices, rng: np.random.Generator) -> Indices:
    """Draw rows of the pool, those of high or low values of one column, or of some texts, more often."""
    name = rng.choice([*columns, "prediction"])
    column = columns[str(name)].take(pool)
    values = column.values if isinstance(column, Numbers) else rng.permutation(10_000)[column.codes]
    ranks = np.argsort(np.argsort(np.nan_to_num(values, nan=-1e300), kind="stable")) / len(pool)
    chances = np.exp(rng.uniform(-STEEP, STEEP) * ranks)
    size = min(500, len(pool) // 4)
    chosen: Indices = rng.choice(pool, size, replace=False, p=chances / chances.sum())
    return chosen


def _fit(columns: dict[str, Column], target: Floats, rows: Indices, objective: str) -> xgboost.Booster:
    settings = {"objective": objective, "max_depth": 5, "eta": 0.1, "subsample": 0.8, "nthread": 1}
    return xgboost.train(settings, xgboost.DMatrix(_matrix(columns)[rows], target[rows]), 120)


def _matrix(columns: dict[str, Column]) -> Floats:
    return np.column_stack(
        [each.values if isinstance(each, Numbers) else each.codes for each in columns.values()]
    )


if __name__ == "__main__":
    main()
