"""No request to a container is larger than it takes, however much longer a recipe makes its rows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xgboost
from hypothesis import given, settings
from hypothesis import strategies as st

from tidegate.core.algorithms import BUILT_IN
from tidegate.core.payload import most_rows, widest_row
from tidegate.core.scoring import Champion, part_rows_of
from tidegate.core.spec import ModelSpec
from tidegate.core.usage import Scoring
from tidegate.local.sagemaker.images.linear_learner.artifact import LinearModel
from tidegate.local.sagemaker.images.linear_learner.serving import Server
from tidegate.local.sagemaker.images.server import Refused
from tidegate.local.sagemaker.images.xgboost.model import Model
from tidegate.local.sagemaker.images.xgboost.serve import Predictor
from tidegate.local.sagemaker.jobs.association import Association
from tidegate.local.sagemaker.jobs.splitting import Cut, batches
from tidegate.serving.apply import Recipe
from tidegate.serving.bundle import make_bundle
from tidegate.table.prepare import prepare
from tidegate.table.score import Wanted, prepare_scores

DOUBLES = st.floats(allow_nan=False, allow_infinity=False)
SCALES = st.none() | st.fixed_dictionaries(
    {"mean": DOUBLES, "std": st.sampled_from([5e-324, 1e-3, 1.0, 7.5])}
)


@st.composite
def columns(draw: Any) -> dict[str, Any]:
    kind = draw(st.sampled_from(["numeric", "categorical", "date"]))
    if kind == "categorical":
        return {"type": kind, "levels": draw(st.lists(st.sampled_from("abcdefghijkl"), unique=True))}
    indicator = draw(st.booleans())
    if kind == "numeric":
        return {"type": kind, "impute": draw(DOUBLES), "indicator": indicator, "scale": draw(SCALES)}
    parts = ["year", "month", "day", "weekday"]
    scales = draw(st.none() | st.lists(SCALES.filter(bool), min_size=4, max_size=4))
    return {"type": kind, "parts": parts, "impute": [1.5] * 4, "indicator": indicator, "scale": scales}


def outputs_of(column: dict[str, Any]) -> int:
    if column["type"] == "categorical":
        return len(column["levels"]) + 1
    return len(column.get("parts", "1")) + column["indicator"]


CELLS = {
    "numeric": st.none() | DOUBLES,
    "categorical": st.none() | st.sampled_from("abcdefghijklmnop"),
    "date": st.none() | st.dates().map(str),
}


@pytest.mark.slow
@given(st.lists(columns(), min_size=1, max_size=6), st.booleans(), st.data())
@settings(max_examples=200, deadline=None)
def test_no_row_is_longer_than_a_recipe_is_said_to_make_it(listed, sparse, data):
    named = [{"name": f"c{at}", **column} for at, column in enumerate(listed)]
    recipe = {
        "version": 2 if sparse else 1,
        "inputs": [column["name"] for column in named],
        "outputs": [str(at) for at in range(sum(map(outputs_of, named)))],
        "columns": named,
        **({"content_type": "text/libsvm"} if sparse else {}),
    }
    row = [data.draw(CELLS[column["type"]]) for column in named]
    text = Recipe(recipe).encode(json.dumps(row), "application/jsonlines")
    assert len(text.encode()) + 1 <= widest_row(recipe)


def test_a_file_is_read_by_several_models_and_small_enough_for_each():
    first, second, other = (
        {"km": "numeric", "fuel": "categorical"},
        {"km": "numeric"},
        {"fuel": "categorical"},
    )
    champions = [
        Champion("xgboost", "a", first, most_rows=700),
        Champion("linear-learner", "b", first, most_rows=90),
        Champion("xgboost", "c", second),
        Champion("linear-learner", "d", other, most_rows=30_000),
    ]
    assert part_rows_of(champions) == [90, 20_000, 20_000]


LEVELS, COLUMNS, TRAINED, SCORED = 40, 12, 3000, 50_000


@pytest.fixture(scope="module")
def wide(tmp_path_factory):
    """Prepare a training with twelve columns of forty levels, and fifty thousand rows to score."""
    folder = tmp_path_factory.mktemp("wide")
    dice = np.random.default_rng(3)

    def write(path: Path, rows: int) -> Path:
        codes = dice.integers(0, LEVELS, (rows, COLUMNS))
        lines = [
            ",".join([f"r{at}", str(at % 97), *(f"v{code}" for code in row)]) for at, row in enumerate(codes)
        ]
        head = ",".join(["id", "price", *(f"c{at}" for at in range(COLUMNS))])
        path.write_text("\n".join([head, *lines]))
        return path

    features = {f"c{at}": "categorical" for at in range(COLUMNS)}
    spec = ModelSpec.from_dict(
        {
            "name": "wide",
            "target": "price",
            "id": "id",
            "features": features,
            "algorithms": {"xgboost": None, "linear-learner": None},
        }
    )
    counts = prepare(
        write(folder / "train.csv", TRAINED), spec, folder / "run", "train.csv", bundle=make_bundle
    )
    recipes = {name: json.loads((folder / "run" / name / "recipe.json").read_text()) for name in BUILT_IN}
    champions = [
        Champion(name, name, features, most_rows=most_rows(recipe, name)) for name, recipe in recipes.items()
    ]
    (folder / "scores").mkdir()
    prepare_scores(
        write(folder / "new.csv", SCORED),
        Wanted(features, "id"),
        [list(features)],
        Scoring(),
        folder / "scores",
        "new.csv",
        part_rows=part_rows_of(champions),
    )
    return folder, counts, recipes


def servers(recipes: dict[str, Any]) -> dict[str, Any]:
    """Serve both algorithms as the local images do: what is asked, and what they answer, not how well."""
    matrix = xgboost.DMatrix(np.zeros((4, len(recipes["xgboost"]["outputs"]))), np.arange(4.0))
    trees = xgboost.train({"max_depth": 1}, matrix, 1)
    linear = LinearModel(
        "regressor", np.zeros((len(recipes["linear-learner"]["outputs"]), 1)), np.array([1.5])
    )
    environment = {"SAGEMAKER_BATCH": "true", **BUILT_IN["xgboost"].environment}
    return {"xgboost": Predictor(Model([trees]), environment), "linear-learner": Server(linear).answer}


def bodies(folder: Path, *, filtered: bool) -> list[list[bytes]]:
    """Cut files as batch transform does: the bodies of the requests of each, several records in one."""
    processing = {"InputFilter": "$.features" if filtered else "$", "OutputFilter": "$", "JoinSource": "None"}
    divide = Association.of("application/jsonlines", processing).divide
    cut = Cut(by_line=True, single=False, most_bytes=6 << 20, gzip=False)
    return [[batch.body for batch in batches(path, cut, divide)] for path in sorted(folder.iterdir())]


@pytest.mark.slow
@pytest.mark.parametrize("algorithm", ["xgboost", "linear-learner"])
def test_twelve_columns_of_forty_levels_score_fifty_thousand_rows_in_requests_that_fit(wide, algorithm):
    folder, counts, recipes = wide
    recipe, serve = Recipe(recipes[algorithm]), servers(recipes)[algorithm]
    for files, rows in (
        (bodies(folder / "scores/rows/0", filtered=True), SCORED),
        (bodies(folder / "run/test/rows", filtered=False), counts["test"]),
    ):
        answered, largest = 0, 0
        for body in [body for requests in files for body in requests]:
            encoded = recipe.encode(body, "application/jsonlines").encode()
            largest = max(largest, len(encoded))
            accept = BUILT_IN[algorithm].accept
            answered += len(serve(encoded, recipe.content_type, accept).body.splitlines())
        assert answered == rows
        assert largest <= BUILT_IN[algorithm].most_bytes


@pytest.mark.slow
def test_as_one_file_they_are_more_than_linear_learner_takes(wide):
    folder, _, recipes = wide
    recipe, serve = Recipe(recipes["linear-learner"]), servers(recipes)["linear-learner"]
    body = b"".join(
        body + b"\n" for requests in bodies(folder / "scores/rows/0", filtered=True) for body in requests
    )
    assert len(body) < 6 << 20  # what batch transform would send at once
    with pytest.raises(Refused, match="6291456 are taken at most"):
        serve(recipe.encode(body, "application/jsonlines").encode(), "text/csv", "application/jsonlines")
