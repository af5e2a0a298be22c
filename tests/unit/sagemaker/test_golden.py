"""The documented contracts of Linear Learner and XGBoost as tables that a person can read: `golden/*.txt`.

A row names a hyperparameter with its default, values that are accepted and values that are refused, or a request
with the answer it gets.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tidegate.core import xgboost_ranges as ranges
from tidegate.core.tuning import read_tuning
from tidegate.local.sagemaker.images.container import ContainerError
from tidegate.local.sagemaker.images.linear_learner.artifact import LinearModel
from tidegate.local.sagemaker.images.linear_learner.hyperparameters import PARAMETERS, read_hyperparameters
from tidegate.local.sagemaker.images.linear_learner.serving import Server
from tidegate.local.sagemaker.images.recordio import write_frame, write_record
from tidegate.local.sagemaker.images.registry import find_image
from tidegate.local.sagemaker.images.server import Refused
from tidegate.local.sagemaker.images.xgboost.hyperparameters import read_settings
from tidegate.local.sagemaker.images.xgboost.library import xgboost
from tidegate.local.sagemaker.images.xgboost.model import Model
from tidegate.local.sagemaker.images.xgboost.serve import Predictor

GOLDEN = Path(__file__).with_name("golden")
RECORDIO = "application/x-recordio-protobuf"
BODIES = {
    "text/csv": b"1,4\n",
    "text/libsvm": b"0:1 1:4\n",
    "application/json": b'{"instances": [{"features": [1, 4]}]}',
    RECORDIO: write_frame(write_record({"values": np.array([1.0, 4.0])}, {})),
    "image/png": b"\x89PNG",
}


def rows(name: str) -> list[list[str]]:
    lines = (GOLDEN / f"{name}.txt").read_text().splitlines()
    return [[cell.strip() for cell in line.split(" | ")] for line in lines if not line.startswith("#")]


def cases(name: str, column: int) -> list[tuple[str, str]]:
    return [(row[0], value.strip()) for row in rows(name) for value in row[column].split(";")]


def linear(name: str, text: str) -> Any:
    return read_hyperparameters({"predictor_type": "regressor", name: text})


def boosted(name: str, text: str) -> Any:
    # Constraints work with these tree methods only, updates with these updaters, metrics beside an objective.
    needed = {"num_round": "1"}
    needed |= {"tree_method": "hist"} if name.endswith("_constraints") else {}
    needed |= {"objective": "reg:squarederror"} if name == "eval_metric" else {}
    needed |= {"updater": "refresh", "process_type": "update"} if name == "process_type" else {}
    return read_settings({**needed, name: text})


def test_every_documented_hyperparameter_of_linear_learner_has_its_row_and_its_default():
    table = {name: default for name, default, *_ in rows("linear-learner")}
    ours = {name: "-" if each.default is None else str(each.default) for name, each in PARAMETERS.items()}
    assert {name: default.lower() for name, default in ours.items()} == table


def test_every_documented_hyperparameter_of_xgboost_is_known():
    known = {*ranges.INTEGERS, *ranges.FLOATS, *ranges.CHOICES}
    others = {"eval_metric", "updater", "monotone_constraints", "interaction_constraints"}
    assert {name for name, *_ in rows("xgboost")} <= known | others


def library_defaults() -> dict[str, str]:
    """Give what XGBoost trains with when it is told nothing but a booster that has all settings."""
    found: dict[str, str] = {}

    def walk(part: dict[str, Any]) -> None:
        for name, value in part.items():
            if isinstance(value, dict):
                walk(value)
            elif isinstance(value, str):
                found.setdefault(name, value)

    matrix = xgboost.DMatrix(np.zeros((4, 2)), label=[1.0, 2.0, 3.0, 4.0])
    walk(json.loads(xgboost.train({"nthread": 1, "booster": "dart"}, matrix, 1).save_config()))
    return found


def test_the_documented_defaults_of_xgboost_are_the_library_s():
    library = library_defaults()
    # Today's library estimates base_score from the labels; the booster was given.
    shared = [
        (name, default)
        for name, default, *_ in rows("xgboost")
        if default != "-" and name in library.keys() - {"base_score", "booster"}
    ]
    assert len(shared) >= 22
    for name, default in shared:
        known = library[name]
        assert known == default or float(known) == pytest.approx(float(default), abs=1e-6), name


@pytest.mark.parametrize(("name", "text"), cases("linear-learner", 2))
def test_linear_learner_accepts_what_is_documented(name, text):
    assert name in linear(name, text).given


@pytest.mark.parametrize(("name", "text"), cases("linear-learner", 3))
def test_linear_learner_refuses_the_rest_by_its_name(name, text):
    with pytest.raises(ContainerError, match=f"Hyperparameter {name}: "):
        linear(name, text)


@pytest.mark.parametrize(
    ("name", "text"),
    [*cases("xgboost", 2), *((name, default) for name, default, *_ in rows("xgboost") if default != "-")],
)
def test_xgboost_accepts_what_is_documented_and_its_default(name, text):
    boosted(name, text)


@pytest.mark.parametrize(("name", "text"), cases("xgboost", 3))
def test_xgboost_refuses_the_rest_by_its_name(name, text):
    with pytest.raises(ContainerError, match=f"Hyperparameter {name}: "):
        boosted(name, text)


@pytest.fixture(scope="module")
def servers() -> dict[str, Any]:
    features = np.array([[1.0, 4.0], [2.0, 3.0], [0.0, 1.0]])
    booster = xgboost.train({"nthread": 1}, xgboost.DMatrix(features, label=[1.0, 2.0, 3.0]), 1)
    return {
        "linear-learner": Server(LinearModel("regressor", np.array([[2.0], [0.5]]), np.array([1.0]))).answer,
        "xgboost": Predictor(Model([booster]), {}),
    }


@pytest.mark.parametrize(("algorithm", "request_type", "accept", "status", "answer"), rows("answers"))
def test_a_request_gets_its_answer(servers, algorithm, request_type, accept, status, answer):
    accept = "" if accept == "-" else accept
    try:
        said = servers[algorithm](BODIES[request_type], request_type, accept)
        got = (str(said.status), said.content_type)
    except Refused as refusal:
        got = (str(refusal.status), "-")
    assert got == (status, answer)


@pytest.mark.parametrize(("image", "metric", "better"), rows("metrics"))
def test_a_documented_metric_is_read_and_tuned_in_its_direction(image, metric, better):
    assert metric in dict(find_image(f"1.dkr.ecr.us-east-1.amazonaws.com/{image}:1").metric_definitions)
    asked = {"max_jobs": 2, "ranges": {"eta": {"least": 0.1, "most": 0.2}}, "metric": metric}
    tuning = read_tuning(asked, "validation:rmse", ())
    assert tuning is not None and tuning.goal == better
