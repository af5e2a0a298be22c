"""The XGBoost image's hyperparameters: types, ranges, and what is said of a wrong one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tidegate.core.hyperparameters import BadHyperparameter
from tidegate.core.xgboost_hyperparameters import read_hyperparameters
from tidegate.local.sagemaker.images.container import ContainerError
from tidegate.local.sagemaker.images.xgboost.hyperparameters import read_settings


def test_strings_become_typed_settings() -> None:
    settings = read_settings(
        {
            "num_round": "300",
            "learning_rate": "0.1",
            "max_depth": "6",
            "eval_metric": "rmse,mae",
            "early_stopping_rounds": "10",
            "csv_weights": "1",
            "objective": "reg:linear",
            "monotone_constraints": "(1, 0, -1)",
            "tree_method": "hist",
        }
    )
    assert settings.num_round == 300
    assert settings.early_stopping_rounds == 10
    assert settings.csv_weights is True
    assert settings.eval_metrics == ("rmse", "mae")
    assert settings.library == {
        "eta": 0.1,
        "max_depth": 6,
        "objective": "reg:squarederror",
        "monotone_constraints": "(1,0,-1)",
        "tree_method": "hist",
    }
    assert settings.warnings == []


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"depth": "6"}, "Extraneous hyperparameter found: depth"),
        ({"eta": "1.5"}, "Hyperparameter eta: 1.5 is not in [0, 1]."),
        ({"subsample": "0"}, "Hyperparameter subsample: 0 is not in (0, 1]."),
        (
            {"max_depth": "6.5"},
            "Hyperparameter max_depth: could not parse value '6.5', which should be a whole",
        ),
        ({"eta": "fast"}, "Hyperparameter eta: could not parse value 'fast'"),
        ({"eta": "nan"}, "Hyperparameter eta: nan is not in [0, 1]."),
        ({"num_round": "0"}, "Hyperparameter num_round: 0 is not in [1, +inf)."),
        ({"booster": "tree"}, "Hyperparameter booster: tree is not one of gbtree, gblinear, dart."),
        ({"eval_metric": "rmse,speed"}, "Hyperparameter eval_metric: 'speed' is not one of"),
        ({"eval_metric": "rmse@3"}, "only error, ndcg and map take a threshold"),
        ({"eval_metric": "rmse"}, "the image takes it only beside an objective"),
        (
            {"eval_metric": "auc", "objective": "reg:squarederror"},
            "auc is for the objectives binary:* and rank:* only",
        ),
        ({"objective": "multi:softmax"}, "needs the hyperparameter num_class"),
        ({"monotone_constraints": "(1, 2)", "tree_method": "hist"}, "may hold -1, 0 and 1 only"),
        ({"monotone_constraints": "(1, 0)"}, "works only with tree_method exact or hist"),
        ({"interaction_constraints": "__import__('os')", "tree_method": "hist"}, "could not parse value"),
        ({"updater": "shotgun"}, "for booster gblinear only"),
        ({"updater": "refresh,grow_colmaker", "process_type": "update"}, "takes refresh and prune only"),
        ({"device": "cuda"}, "Extraneous hyperparameter found: device"),
    ],
)
def test_a_wrong_hyperparameter_is_named_in_a_sentence(wrong: dict[str, str], sentence: str) -> None:
    with pytest.raises(ContainerError) as caught:
        read_settings({"num_round": "10", **wrong})
    assert sentence in str(caught.value)


def test_num_round_is_required() -> None:
    with pytest.raises(ContainerError, match="Missing required hyperparameter: num_round"):
        read_settings({"eta": "0.1"})


def test_thresholds_and_the_tuners_metric_are_metrics_too() -> None:
    settings = read_settings(
        {
            "num_round": "1",
            "objective": "binary:logistic",
            "eval_metric": "error@0.7,auc",
            "_tuning_objective_metric": "validation:f1",
        }
    )
    assert settings.eval_metrics == ("auc", "error@0.7", "f1")


def test_gpu_hist_becomes_what_todays_library_calls_it() -> None:
    assert read_settings({"num_round": "1", "tree_method": "gpu_hist"}).library == {
        "tree_method": "hist",
        "device": "cuda",
    }


def test_what_the_library_no_longer_knows_is_left_out_with_a_warning() -> None:
    settings = read_settings({"num_round": "1", "predictor": "cpu_predictor"})
    assert settings.library == {}
    assert "predictor has no effect" in settings.warnings[0]


RECORDED = [
    json.loads(line)
    for line in (Path(__file__).parent / "golden" / "xgboost_hyperparameters.jsonl").read_text().splitlines()
]
# What the image takes and we do not: a number that is none, cross-validation, which is not there, and a word
# that got among the objectives by mistake.
STRICTER = ("nan", "_kfold", "_num_cv_round", "aft_loss_distribution")


def test_whatever_the_image_s_own_validation_refuses_is_refused_here_and_little_more() -> None:
    """The validation of AWS's container (algorithm_mode/hyperparameter_validation.py) was asked for each."""
    assert len(RECORDED) > 1000
    for accepted, given in RECORDED:
        try:
            read_hyperparameters(given)
        except BadHyperparameter as refused:
            assert not accepted or {*given, *given.values()} & set(STRICTER), f"{given}: {refused}"
        else:
            assert accepted, given
