"""Tuning in a model file: its defaults, and the request that the train machine makes of it."""

import json

import botocore.session
import pytest
from tests.conformance.asl import complaints

from tidegate.core import names
from tidegate.core.algorithms import BUILT_IN
from tidegate.core.plan import plan_run
from tidegate.core.spec import ModelSpec
from tidegate.core.tuning import read_tuning, tuning_request

RANGES = {
    "eta": {"least": 0.01, "most": 0.5, "scale": "log"},
    "max_depth": {"least": 2, "most": 8},
    "booster": ["gbtree", "dart"],
}


def test_a_tuning_gets_its_defaults():
    tuning = read_tuning({"max_jobs": 10, "ranges": RANGES}, "validation:rmse", ())
    assert (tuning.strategy, tuning.parallel, tuning.early_stopping) == ("bayesian", 2, True)
    assert (tuning.metric, tuning.goal) == ("validation:rmse", "minimize")
    assert read_tuning(None, "validation:rmse", ()) is None


@pytest.mark.parametrize(
    ("metric", "goal"),
    [
        ("validation:rmse", "minimize"),
        ("validation:objective_loss", "minimize"),
        ("validation:r2", "maximize"),
        ("validation:aucpr", "maximize"),
        ("validation:macro_f_beta", "maximize"),
    ],
)
def test_the_goal_follows_the_metric(metric, goal):
    assert read_tuning({"max_jobs": 2, "ranges": RANGES, "metric": metric}, "", ()).goal == goal


def test_a_grid_counts_its_combinations_by_itself():
    lists = {"booster": ["gbtree", "dart"], "max_depth": [3, 5, 7]}
    assert read_tuning({"strategy": "grid", "ranges": lists}, "m", ()).max_jobs == 6


def test_the_request_is_one_that_sagemaker_knows_and_what_is_varied_is_not_fixed_too():
    tuning = read_tuning({"max_jobs": 10, "ranges": RANGES}, "validation:rmse", ())
    request = tuning_request(tuning, {"eta": "0.3", "num_round": "100"})
    assert request["static"] == {"num_round": "100"}
    shape = (
        botocore.session.get_session()
        .get_service_model("sagemaker")
        .shape_for("HyperParameterTuningJobConfig")
    )
    assert list(complaints(request["config"], shape)) == []
    ranges = request["config"]["ParameterRanges"]
    assert ranges["IntegerParameterRanges"] == [
        {"Name": "max_depth", "MinValue": "2", "MaxValue": "8", "ScalingType": "Auto"}
    ]
    assert ranges["ContinuousParameterRanges"][0]["ScalingType"] == "Logarithmic"
    assert ranges["CategoricalParameterRanges"] == [{"Name": "booster", "Values": ["gbtree", "dart"]}]


def test_a_plan_says_what_to_tune_and_the_spec_survives_the_round_trip():
    spec = ModelSpec.from_dict(
        {
            "name": "cars",
            "target": "price",
            "features": {"mileage": "numeric"},
            "algorithms": {"xgboost": {"tuning": {"max_jobs": 3, "ranges": RANGES}}, "linear-learner": None},
        }
    )
    assert ModelSpec.from_dict(json.loads(json.dumps(spec.to_dict()))) == spec
    first, second = plan_run(
        spec,
        "0123456789ab",
        prefix="tg",
        parameters="tidegate",
        artifacts="bucket",
        prepared={"train": 700, "part_rows": 9, "content_types": dict.fromkeys(spec.algorithms, "text/csv")},
    )
    assert first["tuning"]["job"] == "tg-0123456789ab-xgboost"
    assert second["tuning"] is None


@pytest.mark.parametrize("algorithm", BUILT_IN)
def test_the_name_of_a_tuning_job_leaves_room_for_one_character(algorithm):
    assert len(names.tuning_job_name("abc", algorithm, "0" * names.RUN_ID_LENGTH)) + 1 <= 32
