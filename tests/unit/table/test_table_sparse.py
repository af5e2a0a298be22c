"""Sparse rows train the model that dense rows train, and are scored alike in every way in."""

from __future__ import annotations

import json

import numpy as np

from tidegate.core.spec import ModelSpec
from tidegate.local.sagemaker.images.xgboost.library import xgboost
from tidegate.local.sagemaker.images.xgboost.model import Model
from tidegate.local.sagemaker.images.xgboost.readers import read_csv, read_libsvm
from tidegate.local.sagemaker.images.xgboost.serve import Predictor
from tidegate.serving.apply import Recipe
from tidegate.table.columns import Categories, Numbers, Table
from tidegate.table.recipe import fit_recipe, write_channel

SPEC = ModelSpec.from_dict(
    {
        "name": "cars",
        "target": "Price",
        "features": {"Make": "categorical", "KM": "numeric", "Town": "categorical"},
        "algorithms": {"xgboost": None},
    }
)
ROWS = 3000


def cars() -> Table:
    dice = np.random.default_rng(5)
    make, town = dice.integers(0, 30, ROWS), dice.integers(0, 90, ROWS)
    km = np.where(dice.random(ROWS) < 0.2, np.nan, dice.integers(0, 1000, ROWS) * 0.5)
    km[::50] = 0.0  # a number that is zero is a number, and not left out
    price = make * 2.0 + (town % 7) * 8 - np.nan_to_num(km, nan=30.0)
    columns = {
        "Make": Categories(make.astype(np.int32), tuple(f"m{n:02}" for n in range(30))),
        "KM": Numbers(km),
        "Town": Categories(town.astype(np.int32), tuple(f"t{n:02}" for n in range(90))),
    }
    return Table("cars", columns, price, None, np.arange(1, ROWS + 1))


def trained(table) -> object:
    matrix = xgboost.DMatrix(table.features, label=table.labels)
    return xgboost.train({"nthread": 1, "max_depth": 6}, matrix, 30)


def test_the_model_is_the_dense_rows_own_and_every_way_in_scores_alike(tmp_path):
    table = cars()
    sparse = fit_recipe(table, SPEC, "xgboost", False)
    dense = {**{k: v for k, v in sparse.items() if k != "content_type"}, "version": 1}
    assert sparse["content_type"] == "text/libsvm"
    write_channel(table, sparse, tmp_path / "rows.libsvm")
    write_channel(table, dense, tmp_path / "rows.csv")
    by_sparse = read_libsvm(tmp_path / "rows.libsvm", False)
    by_dense = read_csv(tmp_path / "rows.csv", False)
    assert by_sparse.columns == by_dense.columns == len(sparse["outputs"])
    assert (tmp_path / "rows.libsvm").stat().st_size < (tmp_path / "rows.csv").stat().st_size / 4

    models = trained(by_sparse), trained(by_dense)
    expected = models[0].predict(xgboost.DMatrix(by_sparse.features))
    assert np.array_equal(expected, models[1].predict(xgboost.DMatrix(by_dense.features)))

    records = [
        {"Make": f"m{int(make):02}", "KM": None if np.isnan(km) else km, "Town": f"t{int(town):02}"}
        for make, km, town in zip(*(_values(table.columns[name]) for name in ("Make", "KM", "Town")))
    ]
    recipe, server = Recipe(sparse), Predictor(Model([models[0]]), {})
    body = recipe.encode("\n".join(map(json.dumps, records)), "application/jsonlines")
    batch = server(body.encode(), recipe.content_type + "; charset=utf-8", "text/csv")
    assert [float(line) for line in batch.body.split()] == expected.tolist()
    for at in (0, 50, ROWS - 1):
        alone = recipe.encode(json.dumps(records[at]), "application/json")
        answer = server(alone.encode(), recipe.content_type, "application/json")
        assert json.loads(answer.body)["predictions"][0]["score"] == expected[at]


def _values(column):
    return column.codes if isinstance(column, Categories) else column.values
