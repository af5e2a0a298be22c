"""A recipe is fitted as documented, and both implementations of it give the same doubles."""

from __future__ import annotations

import csv
import io
import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tidegate.core.spec import ModelSpec
from tidegate.serving.apply import Recipe
from tidegate.table.columns import Categories, Numbers, Table
from tidegate.table.read import read_drop
from tidegate.table.recipe import encode, fit_recipe, write_channel

SPEC = ModelSpec.from_dict(
    {
        "name": "cars",
        "target": "Asking price",
        "features": {
            "KM": "numeric",
            "Age": "integer",
            "Fuel, or so": {"type": "categorical", "levels": 3},
            "Sold": "date",
            "Metallic": "boolean",
        },
        "algorithms": {"xgboost": None},
    }
)
GAPS = ["", "NA", "nan", "?", " None "]
KM = st.one_of(
    st.sampled_from(GAPS),
    st.floats(-1e12, 1e12).map(repr),
    st.integers(-(10**6), 10**6).map(str),
    st.sampled_from(["1e3", "+5", " 7 ", ".5", "-0.0", "1E-7"]),
)
AGE = st.one_of(st.sampled_from(GAPS), st.integers(-(10**6), 10**6).map(str), st.sampled_from(["3.0", "1e2"]))
FUEL = st.one_of(
    st.sampled_from([*GAPS, "CNG", "Diesel ", "Petrol", "a,b", "两\nlines", '"q"']),
    st.text("abé", max_size=2),
)
SOLD = st.one_of(
    st.sampled_from([*GAPS, "2024-02-29T10:00:00Z", "0001-01-01", "9999-12-31"]), st.dates().map(str)
)
METALLIC = st.sampled_from([*GAPS, "true", "False", "1", "0", "yes", "n", "T", "1.0"])
CELLS = st.tuples(KM, AGE, FUEL, SOLD, METALLIC)


def csv_text(rows: list[tuple[str, ...]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()


def load(path, rows):
    full = [(*row, str(at)) for at, row in enumerate(rows)]
    path.write_text(csv_text([(*SPEC.features, SPEC.target), *full]), "utf-8", newline="")
    return read_drop(path, SPEC, "drop.csv")


def bits(matrix) -> list[list[str]]:
    return [[float(value).hex() for value in row] for row in matrix]


@pytest.mark.slow
@given(st.lists(CELLS, min_size=20, max_size=40), st.booleans())
@settings(max_examples=80, deadline=None)
def test_training_and_serving_encode_to_identical_doubles(tmp_path_factory, rows, scale):
    folder = tmp_path_factory.mktemp("identical")
    table = load(folder / "drop.csv", rows)
    recipe = json.loads(json.dumps(fit_recipe(table.take(np.arange(10)), SPEC, "xgboost", scale)))
    matrix = encode(table, recipe)
    serving = Recipe(recipe)
    assert bits(serving.floats(csv_text(rows), "text/csv")) == bits(matrix)
    served = serving.encode(csv_text(rows), "text/csv")
    assert bits([line.split(",") for line in served.split("\n")]) == bits(matrix)
    write_channel(table, recipe, folder / "channel.csv")
    channel = [line.split(",", 1) for line in (folder / "channel.csv").read_text().splitlines()]
    assert [float(target) for target, _ in channel] == table.target.tolist()
    assert bits([line.split(",") for _, line in channel]) == bits(matrix)
    assert matrix.shape == (len(rows), len(recipe["outputs"]))


WIDE = ModelSpec.from_dict(
    {
        "name": "cars",
        "target": "Price",
        "features": {
            "Make": "categorical",
            "KM": "numeric",
            "Fuel": "categorical",
            "Sold": "date",
            "Town": "categorical",
        },
        "algorithms": {"xgboost": None, "linear-learner": None},
    }
)
# Rearranged so that a number comes first, or last, as well as a category.
ORDERS = [
    ("Make", "KM", "Fuel", "Sold", "Town"),
    ("KM", "Make", "Town", "Sold", "Fuel"),
    ("Make", "Fuel", "Town", "Sold", "KM"),
    ("Sold", "Make", "Fuel", "KM", "Town"),
]


def wide(order, gaps):
    """Make a table of three categoricals with 120 levels in all, some of them unknown to the recipe."""
    rows, dice = 300, np.random.default_rng(11)
    built = {}
    for name in order:
        if WIDE.features[name].type == "categorical":
            size = {"Make": 60, "Fuel": 20, "Town": 40}[name]
            codes = np.concatenate([np.arange(size), dice.integers(-1, size, rows - size)])
            built[name] = Categories(
                codes.astype(np.int32), tuple(sorted(f"{name} {n}" for n in range(size)))
            )
        else:
            values = dice.integers(0, 20_000, rows) * 1.0
            values[::7] = np.nan if gaps else values[::7]
            built[name] = Numbers(values)
    target = dice.normal(size=rows)
    return Table("t", built, target, None, np.arange(1, rows + 1))


def raw(table, row):
    """Give a row of a table as a record of JSON."""
    record = {}
    for name, column in table.columns.items():
        if isinstance(column, Categories):
            record[name] = column.levels[column.codes[row]] if column.codes[row] >= 0 else None
        elif np.isnan(column.values[row]):
            record[name] = None
        elif WIDE.features[name].type == "date":
            record[name] = str(np.datetime64("1970-01-01") + int(column.values[row]))
        else:
            record[name] = column.values[row]
    return record


def spread(line, width):
    """Read one line of libsvm as doubles; a place that it leaves out is 0."""
    entries = [entry.split(":") for entry in line.split(" ")]
    found = [int(place) for place, _ in entries]
    assert found == sorted(set(found))
    assert {0, width - 1} <= set(found), "no reader can mistake the width, nor where counting starts"
    row = [0.0] * width
    for place, value in entries:
        row[int(place)] = float(value)
    return row


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("gaps", [False, True])
def test_sparse_rows_are_the_same_doubles_in_training_and_serving(tmp_path, order, gaps):
    table = wide(order, gaps)
    known = table.take(np.arange(250))
    spec = ModelSpec.from_dict(
        {**WIDE.to_dict(), "features": {n: WIDE.to_dict()["features"][n] for n in order}}
    )
    recipe = json.loads(json.dumps(fit_recipe(known, spec, "xgboost", False)))
    assert (recipe["version"], recipe["content_type"]) == (2, "text/libsvm")
    matrix = encode(table, recipe)
    write_channel(table, recipe, tmp_path / "part-0.libsvm")
    lines = (tmp_path / "part-0.libsvm").read_text().splitlines()
    channel = [line.split(" ", 1) for line in lines]
    assert [float(target) for target, _ in channel] == table.target.tolist()
    width = len(recipe["outputs"])
    assert bits(spread(line, width) for _, line in channel) == bits(matrix)
    serving = Recipe(recipe)
    records = [raw(table, row) for row in range(table.rows)]
    together = serving.encode(json.dumps(records), "application/json").split("\n")
    assert together == [line for _, line in channel], "many rows at once, read column by column"
    alone = [serving.encode(json.dumps(record), "application/json") for record in records]
    assert alone == together
    assert bits(serving.floats(json.dumps(records), "application/json")) == bits(matrix)


def test_rows_are_sparse_only_where_the_algorithm_reads_them_and_most_cells_are_zeros():
    table = wide(ORDERS[0], False)
    assert "content_type" not in fit_recipe(table, WIDE, "linear-learner", True)
    assert "content_type" not in fit_recipe(table, WIDE, "of your own", False)
    narrow = fitted()[0]
    assert narrow["version"] == 1
    assert "content_type" not in narrow


def fitted(scale=False, **columns):
    features = {
        "KM": [1.0, 2.0, 4.0, math.nan],
        "Age": [1.0, 2.0, 3.0, 4.0],
        "Fuel, or so": ["b", "b", "a", None],
        "Sold": [0.0, 31.0, 59.0, math.nan],
        "Metallic": [1.0, 1.0, 0.0, math.nan],
    } | columns
    built = {}
    for name, values in features.items():
        if SPEC.features[name].type == "categorical":
            levels = sorted({v for v in values if v is not None})
            codes = [levels.index(v) if v is not None else -1 for v in values]
            built[name] = Categories(np.array(codes, np.int32), tuple(levels))
        else:
            built[name] = Numbers(np.array(values))
    size = len(features["KM"])
    table = Table("t", built, np.zeros(size), None, np.arange(1, size + 1))
    return fit_recipe(table, SPEC, "xgboost", scale), table


def test_the_recipe_says_what_it_does():
    recipe, _ = fitted()
    assert recipe["inputs"] == ["KM", "Age", "Fuel, or so", "Sold", "Metallic"]
    assert recipe["columns"][0] == {
        "name": "KM",
        "type": "numeric",
        "impute": 2.0,
        "indicator": True,
        "scale": None,
    }
    assert recipe["columns"][1]["indicator"] is False
    assert recipe["columns"][2] == {"name": "Fuel, or so", "type": "categorical", "levels": ["a", "b"]}
    assert recipe["columns"][3]["impute"] == [1970.0, 2.0, 1.0, 6.0]
    assert recipe["outputs"] == [
        *("KM", "KM is missing", "Age"),
        *("Fuel, or so=a", "Fuel, or so=b", "Fuel, or so=(other)"),
        *("Sold.year", "Sold.month", "Sold.day", "Sold.weekday", "Sold is missing"),
        *("Metallic", "Metallic is missing"),
    ]


def test_the_most_frequent_levels_are_kept_and_ties_go_by_name():
    names = ["d", "d", "c", "b", "a", "e", "e"]
    sevens = {name: [0.0] * 7 for name in ("KM", "Age", "Sold", "Metallic")}
    recipe, _ = fitted(**sevens, **{"Fuel, or so": names})
    assert recipe["columns"][2]["levels"] == ["a", "d", "e"]


def test_scaled_numbers_have_mean_zero_and_spread_one_over_the_training_rows():
    recipe, table = fitted(scale=True)
    matrix = encode(table, recipe)
    for name in ("KM", "Age", "Sold.month", "Metallic"):
        values = matrix[:, recipe["outputs"].index(name)]
        assert values.mean() == pytest.approx(0, abs=1e-12) and values.std() == pytest.approx(1)
    assert set(matrix[:, recipe["outputs"].index("KM is missing")]) == {0.0, 1.0}


def test_a_column_that_never_varies_scales_to_zero():
    recipe, table = fitted(scale=True, Age=[5.0] * 4)
    assert recipe["columns"][1]["scale"] == {"mean": 5.0, "std": 1.0}
    assert encode(table, recipe)[:, recipe["outputs"].index("Age")].tolist() == [0.0] * 4


def test_a_column_of_gaps_alone_still_makes_a_recipe():
    recipe, table = fitted(scale=True, KM=[math.nan] * 4, **{"Fuel, or so": [None] * 4}, Sold=[math.nan] * 4)
    assert np.isfinite(encode(table, recipe)).all()
    assert recipe["columns"][2]["levels"] == []


@pytest.mark.parametrize("day", ["2024-02-29", "1999-12-31", "1970-01-01", "0001-01-01", "9999-12-31"])
def test_date_parts_are_those_of_the_calendar(tmp_path, day):
    import datetime

    table = load(tmp_path / "d.csv", [("1", "1", "a", day, "1")] * 20)
    recipe = fit_recipe(table, SPEC, "xgboost", False)
    at = recipe["outputs"].index("Sold.year")
    known = datetime.date.fromisoformat(day)
    assert encode(table, recipe)[0, at : at + 4].tolist() == [
        known.year,
        known.month,
        known.day,
        known.weekday(),
    ]
