"""Estimates before truth: they follow the rows that come, intervals hold, importances are what was built in."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.table.test_table_watch import capture

from tidegate.core.spec import ModelSpec
from tidegate.table.columns import Categories, Numbers
from tidegate.table.estimate.baseline import estimates
from tidegate.table.estimate.bins import Bins, cut
from tidegate.table.estimate.boosting import Booster
from tidegate.table.estimate.direct_loss import LEAST_ROWS, Estimator, Expected, learn
from tidegate.table.estimate.importance import Importances, importances
from tidegate.table.estimate.rows import expected_of
from tidegate.table.raw import write_rows, write_truth
from tidegate.table.read import read_drop
from tidegate.table.watch.rows import Source, read_window

floats = st.floats(-1e300, 1e300) | st.just(math.nan)


def world(rng: np.random.Generator, rows: int, shift: float = 0.0, noisy: bool = True):
    """Make rows whose errors grow with x and are twice as large for one group; gives columns and errors."""
    x, group = rng.normal(shift, 1, rows), rng.integers(0, 4, rows)
    scale = np.exp(0.4 * x + 0.7 * (group == 2)) if noisy else np.ones(rows)
    columns = {
        "x": Numbers(x),
        "group": Categories(group.astype(np.int32), ("a", "b", "c", "d")),
        "nothing": Numbers(rng.normal(0, 1, rows)),
        "prediction": Numbers(3 * x),
    }
    return columns, np.abs(scale * rng.normal(0, 1, rows))


def told(estimator: Estimator, columns, rows: int) -> dict[str, dict[str, float]]:
    expected = Expected(estimator)
    expected.add(columns, rows)
    return expected.metrics()


def true(errors) -> dict[str, float]:
    return {"mae": float(errors.mean()), "rmse": float(np.sqrt((errors**2).mean()))}


@pytest.mark.slow
@given(st.lists(floats, min_size=1, max_size=80), st.lists(floats, max_size=20))
def test_each_number_has_one_bin_in_the_order_of_numbers_and_gaps_have_their_own(known, asked):
    bins = Bins.of("n", Numbers(np.array(known)))
    values = np.array([*known, *asked])
    codes = bins.codes(Numbers(values), len(values))
    assert ((codes >= 0) & (codes < bins.count)).all()
    assert (codes[np.isnan(values)] == bins.count - 1).all()
    there = ~np.isnan(values)
    assert (np.diff(codes[there][np.argsort(values[there], kind="stable")]) >= 0).all()
    again = Bins.from_dict(json.loads(json.dumps(bins.to_dict())))
    assert (again.codes(Numbers(values), len(values)) == codes).all()


def test_texts_never_seen_and_rare_ones_share_a_bin_and_gaps_have_their_own():
    column = Categories(np.array([0] * 9 + [1] * 6 + [2, -1], dtype=np.int32), ("a", "b", "rare"))
    bins = Bins.of("t", column)
    assert bins.levels == ("a", "b")
    asked = Categories(np.array([0, 1, 2, 3, -1], dtype=np.int32), ("b", "rare", "a", "new"))
    assert bins.codes(asked, 5).tolist() == [1, 2, 0, 2, 3]
    assert bins.codes(None, 2).tolist() == [3, 3]
    assert cut({"same": Numbers(np.ones(9)), "t": column}) == [bins]


@pytest.mark.parametrize("positive", [False, True])
def test_boosted_stumps_find_a_step_a_slope_and_a_group(positive):
    rng = np.random.default_rng(3)
    x, z = rng.uniform(0, 1, 3000), rng.uniform(0, 1, 3000)
    group = Categories(rng.integers(0, 3, 3000).astype(np.int32), ("a", "b", "c"))
    signal = 2 * (x > 0.6) + z + (group.codes == 1)
    target = np.exp(signal) if positive else signal
    columns = {"x": Numbers(x), "z": Numbers(z), "g": group}
    bins = cut(columns)
    booster = Booster(bins, [b.codes(columns[b.name], 3000) for b in bins], target, np.ones(3000), positive)
    for _ in range(150):
        if booster.round() is None:
            break
    assert np.std(booster.fitted - signal) < 0.15
    assert abs(np.mean(booster.fitted - signal)) < 0.02


@pytest.mark.slow
def test_estimates_follow_the_true_errors_as_rows_shift_and_their_intervals_hold_them():
    rng = np.random.default_rng(5)
    estimated, happened, held = [], [], []
    for _ in range(12):
        estimator = learn(*world(rng, 1500))
        for shift in (-0.8, -0.4, 0.0, 0.4, 0.8):
            columns, errors = world(rng, 400, shift)
            for name, each in told(estimator, columns, 400).items():
                estimated.append(each["value"])
                happened.append(true(errors)[name])
                held.append(each["low"] <= true(errors)[name] <= each["high"])
    assert np.corrcoef(np.log(estimated), np.log(happened))[0, 1] > 0.9
    assert np.mean(held) > 0.85
    assert abs(np.mean(np.log(np.array(estimated) / happened))) < 0.05


@pytest.mark.slow
def test_where_rows_tell_nothing_of_errors_the_estimate_is_what_held_at_training():
    rng = np.random.default_rng(6)
    off = []
    for _ in range(10):
        columns, errors = world(rng, 800, noisy=False)
        estimator = learn(columns, errors)
        asked, _ = world(rng, 500, 1.5, noisy=False)
        off.append(told(estimator, asked, 500)["mae"]["value"] / errors.mean() - 1)
    assert abs(np.mean(off)) < 0.03
    assert max(map(abs, off)) < 0.15


def test_an_estimator_is_the_same_from_its_document_and_blocks_add_up():
    rng = np.random.default_rng(7)
    estimator = learn(*world(rng, 300))
    again = Estimator.from_dict(json.loads(json.dumps(estimator.to_dict())))
    columns, _ = world(rng, 90)
    parts = Expected(again)
    for first in range(0, 90, 30):
        rows = np.arange(first, first + 30)
        parts.add({name: column.take(rows) for name, column in columns.items()}, 30)
    for name, each in told(estimator, columns, 90).items():
        assert parts.metrics()[name] == pytest.approx(each, rel=1e-9)


@pytest.mark.parametrize("errors", [[1.0] * (LEAST_ROWS - 1), [0.0] * 200, [math.nan] * 200])
def test_nothing_is_learned_of_too_few_rows_or_of_a_model_that_never_errs(errors):
    columns = {"x": Numbers(np.arange(len(errors), dtype=float))}
    assert learn(columns, np.array(errors)) is None


@pytest.mark.parametrize("size", [1e-300, 1.0, 1e300])
def test_numbers_of_any_size_are_estimated(size):
    rng = np.random.default_rng(8)
    columns, errors = world(rng, 200)
    columns = {**columns, "x": Numbers(columns["x"].values * size)}
    found = told(learn(columns, errors * size), columns, 200)["mae"]
    assert 0 < found["low"] < found["value"] < found["high"] < math.inf
    assert found["value"] / size == pytest.approx(errors.mean(), rel=0.2)


@pytest.mark.slow
@settings(max_examples=10, deadline=None)
@given(st.integers(0, 1000))
def test_importances_are_the_parts_of_the_prediction_and_add_up_to_one(seed):
    rng = np.random.default_rng(seed)
    a, b, group = rng.normal(0, 1, 900), rng.normal(0, 1, 900), rng.integers(0, 2, 900)
    columns = {
        "a": Numbers(a),
        "b": Numbers(b),
        "group": Categories(group.astype(np.int32), ("x", "y")),
        "nothing": Numbers(rng.normal(0, 1, 900)),
        "same": Numbers(np.ones(900)),
    }
    found = importances(columns, 3 * a + b + 2 * group)
    assert sum(found.columns.values()) == pytest.approx(1)
    assert found.columns["same"] == 0
    assert found.columns["nothing"] < 0.05
    assert found.columns["a"] == pytest.approx(0.6, abs=0.06)
    assert found.columns["b"] == pytest.approx(0.2, abs=0.06)
    assert found.columns["group"] == pytest.approx(0.2, abs=0.06)
    assert found.fidelity > 0.95
    assert Importances.from_dict(json.loads(json.dumps(found.to_dict()))) == found


def test_a_model_that_always_answers_the_same_hangs_on_nothing():
    found = importances({"a": Numbers(np.arange(50.0))}, np.full(50, 7.0))
    assert (found.columns, found.fidelity) == ({"a": 0.0}, 0.0)
    assert importances({"a": Numbers(np.arange(5.0))}, np.arange(5.0)) is None


KINDS = {"km": "numeric", "year": "integer", "make": "categorical", "automatic": "boolean", "day": "date"}


@pytest.mark.slow
def test_a_row_means_the_same_held_out_and_captured(tmp_path):
    rng = np.random.default_rng(9)
    rows = [
        {
            "km": None if at % 11 == 0 else float(rng.integers(0, 90)),
            "year": int(rng.integers(1990, 2020)),
            "make": None if at % 13 == 0 else str(rng.choice(["3.0", "saab", "NA", "fiat"])),
            "automatic": bool(at % 2),
            "day": f"2024-{1 + at % 12:02d}-11",
        }
        for at in range(240)
    ]
    spec = {"name": "cars", "target": "price", "features": KINDS, "algorithms": {"xgboost": None}}
    lines = [json.dumps({**row, "price": float(at)}) for at, row in enumerate(rows)]
    (tmp_path / "drop.csv").write_text(
        "km,year,make,automatic,day,price\n"
        + "\n".join(
            ",".join("" if value is None else str(value) for value in json.loads(line).values())
            for line in lines
        )
    )
    table = read_drop(tmp_path / "drop.csv", ModelSpec.from_dict(spec), "drop.csv")
    write_rows(table, ModelSpec.from_dict(spec), tmp_path / "rows", 1_000_000)
    write_truth(table, tmp_path / "truth.csv")
    answers = [
        float(at) + (40 if row["make"] == "saab" else 1) * float(rng.normal()) for at, row in enumerate(rows)
    ]
    document, weighed = estimates(
        (tmp_path / "truth.csv").read_bytes(),
        "\n".join(map(str, answers)).encode(),
        (tmp_path / "rows" / "part-00000.jsonl").read_bytes(),
        KINDS,
    )
    assert set(weighed["columns"]) == set(KINDS)
    estimator = Estimator.from_dict(document)
    saabs = [row for row in rows if row["make"] == "saab"]
    for some, low, high in ((saabs, 15, 60), ([row for row in rows if row["make"] != "saab"], 0, 8)):
        requests = [(f"e{at}", None, json.dumps([row]), "JSON") for at, row in enumerate(some)]
        path = capture(tmp_path / "captured", *requests, output="120.0")
        out = tmp_path / "window.parquet"
        read_window([Source("capture", "k", path)], KINDS, "xgboost", "", out)
        expected = expected_of(estimator, [out, out], KINDS, {f"e{at}/0" for at in range(len(some))})
        assert expected.rows == len(some), "each row counts once, in however many files it is"
        assert low < expected.metrics()["mae"]["value"] < high
