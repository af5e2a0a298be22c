"""How the XGBoost image scores: its own metrics, its answers in each media type, its refusals."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest

from tidegate.local.sagemaker.images.container import ContainerError
from tidegate.local.sagemaker.images.server import Refused
from tidegate.local.sagemaker.images.xgboost.answers import RECORDIO, accepted_type, write, write_selected
from tidegate.local.sagemaker.images.xgboost.library import xgboost
from tidegate.local.sagemaker.images.xgboost.metrics import evaluator
from tidegate.local.sagemaker.images.xgboost.model import Model
from tidegate.local.sagemaker.images.xgboost.serve import Predictor


def scores(metrics: str, truth: list[float], predictions: Any, objective: str) -> dict[str, float]:
    evaluate = evaluator(metrics.split(","), objective)
    assert evaluate is not None
    return dict(evaluate(np.array(predictions), xgboost.DMatrix(np.zeros((len(truth), 1)), label=truth)))


def test_classification_metrics_follow_their_definitions() -> None:
    names = "accuracy,balanced_accuracy,precision,recall,f1_binary,f1,precision_macro,recall_macro"
    # of 3 true ones 2 are found; of 3 called ones 2 are right; of 2 zeros 1 is found
    found = scores(names, [1, 1, 1, 0, 0], [0.9, 0.8, 0.2, 0.7, 0.1], "binary:logistic")
    assert found["accuracy"] == pytest.approx(3 / 5)
    assert found["balanced_accuracy"] == pytest.approx((2 / 3 + 1 / 2) / 2)
    assert found["precision"] == found["recall"] == found["f1_binary"] == pytest.approx(2 / 3)
    assert found["f1"] == pytest.approx((2 / 3 + 1 / 2) / 2)
    assert found["precision_macro"] == found["recall_macro"] == pytest.approx((2 / 3 + 1 / 2) / 2)


def test_raw_scores_and_class_probabilities_are_read_as_classes() -> None:
    assert scores("accuracy", [1, 0], [0.3, -0.3], "binary:logitraw") == {"accuracy": 1}
    assert scores("accuracy", [2, 0], [[0.1, 0.2, 0.7], [0.1, 0.9, 0]], "multi:softprob") == {"accuracy": 0.5}
    assert scores("recall_micro", [2, 1], [2.0, 0.0], "multi:softmax") == {"recall_micro": 0.5}


def test_precision_of_several_classes_is_refused_with_what_to_use() -> None:
    with pytest.raises(ContainerError, match="use precision_macro"):
        scores("precision", [2, 0], [2.0, 0.0], "multi:softmax")


def test_regression_metrics_follow_their_definitions() -> None:
    found = scores("mse,r2", [1, 2, 3], [1, 2, 5], "reg:squarederror")
    assert found == {"mse": pytest.approx(4 / 3), "r2": pytest.approx(1 - 4 / 2)}


def test_metrics_of_the_library_need_no_evaluator() -> None:
    assert evaluator(["rmse", "mae"], "reg:squarederror") is None


PREDICTIONS = np.array([0.4386190891265869, 2], np.float32)


def test_each_media_type_has_its_form() -> None:
    first = str(float(PREDICTIONS[0]))
    assert write(PREDICTIONS, "text/csv", batch=False) == f"{first}\n2.0\n".encode()
    as_json = write(PREDICTIONS, "application/json", batch=False)
    assert json.loads(as_json) == {"predictions": [{"score": float(first)}, {"score": 2.0}]}
    for media_type in ("application/jsonlines", RECORDIO):
        with pytest.raises(Refused, match="cannot write plain predictions") as caught:
            write(PREDICTIONS, media_type, batch=False)
        assert caught.value.status == 500


def test_probabilities_of_several_classes_stand_side_by_side() -> None:
    rows = np.array([[0.25, 0.75]], np.float32)
    assert write(rows, "text/csv", batch=False) == b"0.25,0.75\n"
    assert write(rows, "text/csv", batch=True) == b"[0.25, 0.75]\n"


def test_batch_transform_gets_lines_whatever_it_accepts() -> None:
    assert write(np.array([1.0, 2.0]), "application/json", batch=True) == b"1.0\n2.0\n"


def test_the_answers_type_is_the_requests_or_the_models_default() -> None:
    assert accepted_type("application/json; charset=utf-8", "text/csv") == "application/json"
    assert accepted_type("*/*", "application/jsonlines") == "application/jsonlines"
    with pytest.raises(Refused) as caught:
        accepted_type("image/png", "text/csv")
    assert caught.value.status == 406


def test_selected_outputs_are_given_in_the_order_asked() -> None:
    keys = ["predicted_label", "probabilities", "predicted_score"]
    row = np.array([0.75], np.float32)
    selected = write_selected(row, keys, "binary:logistic", 0, "application/json")
    entry = json.loads(selected)["predictions"][0]
    assert list(entry) == keys
    assert entry["predicted_label"] == 1
    assert entry["probabilities"] == [0.25, 0.75]
    assert math.isnan(entry["predicted_score"])
    csv = write_selected(row, ["probabilities", "predicted_label"], "binary:logistic", 0, "text/csv")
    assert csv == b'"[0.25, 0.75]",1'


@pytest.fixture(scope="module")
def booster() -> Any:
    rng = np.random.default_rng(7)
    rows = rng.normal(size=(200, 3))
    return xgboost.train({"nthread": 1}, xgboost.DMatrix(rows, label=rows[:, 0] - rows[:, 2]), 10)


def test_predictions_equal_the_librarys_exactly(booster: Any) -> None:
    rows = np.random.default_rng(8).normal(size=(50, 3))
    rows[3, 1] = np.nan
    body = "\n".join(",".join("" if v != v else repr(float(v)) for v in row) for row in rows).encode()
    answer = Predictor(Model([booster]), {})(body, "text/csv", "")
    expected = booster.predict(xgboost.DMatrix(rows)).tolist()
    assert [float(line) for line in answer.body.decode().split()] == expected


def test_a_column_too_many_is_a_400_that_tells_both(booster: Any) -> None:
    with pytest.raises(Refused, match="trained on 3 columns and the request has 4") as caught:
        Predictor(Model([booster]), {})(b"1,1,1,1", "text/csv", "")
    assert caught.value.status == 400


def test_libsvm_rows_may_leave_columns_out(booster: Any) -> None:
    answer = Predictor(Model([booster]), {})(b"0:1.5", "text/libsvm", "")
    expected = booster.predict(xgboost.DMatrix(np.array([[1.5, np.nan, np.nan]])))
    assert float(answer.body) == float(expected[0])


def test_an_empty_body_is_a_204(booster: Any) -> None:
    assert Predictor(Model([booster]), {})(b"", "text/csv", "").status == 204


def test_the_environment_decides_the_default_answer(booster: Any) -> None:
    environment = {"SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT": "application/json"}
    answer = Predictor(Model([booster]), environment)(b"1,2,3", "text/csv", "")
    assert answer.content_type == "application/json"
    assert set(json.loads(answer.body)) == {"predictions"}


def test_several_models_answer_with_their_mean(booster: Any) -> None:
    other = xgboost.train({"nthread": 1}, xgboost.DMatrix(np.zeros((4, 3)), label=[5.0] * 4), 1)
    rows = np.array([[1.0, 2, 3]])
    both = Model([booster, other]).predict(rows)
    alone = [Model([b]).predict(rows)[0] for b in (booster, other)]
    assert both[0] == pytest.approx(np.mean(alone))
