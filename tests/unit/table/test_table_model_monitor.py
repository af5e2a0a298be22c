"""Baselines agree with the files that the real Model Monitor container wrote for the same data."""

from __future__ import annotations

import csv
import json
import math
from pathlib import Path

import numpy as np
import pytest

from tidegate.core.errors import BadPredictions
from tidegate.table.baseline import data_quality, model_quality
from tidegate.table.quality.regression import RegressionErrors

DATA = Path(__file__).parents[4] / "shared" / "data" / "model-monitor"
SDK = DATA / "sagemaker-python-sdk" / "quality_check_step"
CARDIO = DATA / "aai540-cardio"
golden = pytest.mark.skipif(not DATA.is_dir(), reason="the golden files are not on this machine")


def loaded(path: Path) -> dict:
    return json.loads(path.read_text("utf-8"))


def told_whole(entry: dict) -> dict:
    """Whole numbers written 4.0 are Fractional to the container and Integral to us (docs/data.md says so)."""
    with (SDK / "data_quality" / "baseline_dataset.csv").open() as file:
        cells = [float(row[int(entry["name"].removeprefix("_c"))]) for row in csv.reader(file)]
    return {**entry, "inferred_type": "Integral"} if all(map(float.is_integer, cells)) else entry


@golden
def test_a_small_data_set_gives_the_container_s_statistics():
    statistics, _ = data_quality(SDK / "data_quality" / "baseline_dataset.csv", header=False)
    expected = loaded(SDK / "data_quality" / "statistics.json")
    assert {key: statistics[key] for key in ("version", "dataset")} == {
        key: expected[key] for key in ("version", "dataset")
    }
    for found, wanted in zip(statistics["features"], expected["features"], strict=True):
        wanted = told_whole(wanted)
        assert (found["name"], found["inferred_type"]) == (wanted["name"], wanted["inferred_type"])
        ours, theirs = found["numerical_statistics"], wanted["numerical_statistics"]
        for name in ("common", "mean", "sum", "min", "max", "distribution"):
            assert ours[name] == theirs[name], (found["name"], name)
        assert ours["std_dev"] == pytest.approx(theirs["std_dev"], rel=1e-12)


@golden
def test_a_small_data_set_gives_the_container_s_constraints():
    _, constraints = data_quality(SDK / "data_quality" / "baseline_dataset.csv", header=False)
    expected = loaded(SDK / "data_quality" / "good_cases" / "constraints.json")
    assert constraints["features"] == [told_whole(each) for each in expected["features"]]
    ours, theirs = constraints["monitoring_config"], expected["monitoring_config"]
    assert ours["distribution_constraints"].items() >= theirs["distribution_constraints"].items()
    assert {**ours, "distribution_constraints": 0} == {**theirs, "distribution_constraints": 0}


@golden
def test_a_large_data_set_agrees_up_to_the_sketch():
    statistics, constraints = data_quality(CARDIO / "cardio_cleaned.csv")
    expected = {f["name"]: f for f in loaded(CARDIO / "statistics.json")["features"]}
    rules = {f["name"]: f for f in loaded(CARDIO / "constraints.json")["features"]}
    shared = [f for f in statistics["features"] if f["name"] in expected]
    assert len(shared) == 12
    for feature in shared:
        wanted = expected[feature["name"]]
        assert feature["inferred_type"] == wanted["inferred_type"]
        ours, theirs = feature["numerical_statistics"], wanted["numerical_statistics"]
        assert list(ours) == list(theirs)
        for name in ("common", "min", "max", "completeness"):
            assert ours[name] == theirs[name]
        for name in ("mean", "sum", "std_dev"):
            assert ours[name] == pytest.approx(theirs[name], rel=1e-9)
        distinct = theirs["approximate_num_distinct_values"]
        assert ours["approximate_num_distinct_values"] == pytest.approx(distinct, rel=0.05, abs=1)
        mine, real = ours["distribution"]["kll"], theirs["distribution"]["kll"]
        assert mine["sketch"]["parameters"] == real["sketch"]["parameters"]
        for one, other in zip(mine["buckets"], real["buckets"], strict=True):
            assert (one["lower_bound"], one["upper_bound"]) == (other["lower_bound"], other["upper_bound"])
            assert abs(one["count"] - other["count"]) < 0.004 * 68_385
        weight = sum(len(level) << height for height, level in enumerate(mine["sketch"]["data"]))
        assert weight == 68_385
    for feature in constraints["features"]:
        if feature["name"] in rules:
            assert feature == rules[feature["name"]]
    assert constraints["monitoring_config"] == loaded(CARDIO / "constraints.json")["monitoring_config"]


@golden
def test_regression_quality_is_the_container_s():
    """The golden file was made with label and prediction swapped; so is this call."""
    with (SDK / "model_quality" / "baseline_dataset.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    label, prediction = (np.array([float(row[name]) for row in rows]) for name in ("Label", "Prediction"))
    statistics, constraints = model_quality(prediction, label)
    expected = loaded(SDK / "model_quality" / "statistics.json")
    assert {k: statistics[k] for k in ("version", "dataset")} == {
        k: expected[k] for k in ("version", "dataset")
    }
    rules = loaded(SDK / "model_quality" / "good_cases" / "constraints.json")["regression_constraints"]
    for metric, wanted in expected["regression_metrics"].items():
        found = statistics["regression_metrics"][metric]
        assert found["value"] == pytest.approx(wanted["value"], rel=1e-12)
        assert found["standard_deviation"] == wanted["standard_deviation"] == "NaN"
        rule = constraints["regression_constraints"][metric]
        assert rule["comparison_operator"] == rules[metric]["comparison_operator"]
        assert rule["threshold"] == found["value"]


def test_from_200_rows_on_each_metric_has_a_deviation_that_repeats():
    rng = np.random.default_rng(5)
    truth = rng.normal(size=200)
    predictions = truth + rng.normal(size=200)
    once, _ = model_quality(truth, predictions)
    again, _ = model_quality(truth, predictions)
    assert once == again
    for metric in once["regression_metrics"].values():
        assert 0 < metric["standard_deviation"] < 0.5
    fewer, _ = model_quality(truth[:199], predictions[:199])
    assert all(metric["standard_deviation"] == "NaN" for metric in fewer["regression_metrics"].values())


def test_truth_and_predictions_are_read_as_the_run_writes_them():
    body = b'{"predictions": [{"score": 1.5}]}\n{"predictions": [{"score": 2.0}]}\n'
    statistics, constraints = model_quality(b"id,target\na,1.0\nb,2.0\n", body)
    assert statistics["regression_metrics"]["mae"]["value"] == 0.25
    json.dumps([statistics, constraints], allow_nan=False)
    with pytest.raises(BadPredictions, match="2 rows were asked"):
        model_quality(b"id,target\na,1.0\nb,2.0\n", b"1\n")


def test_a_truth_that_never_varies_has_no_rule_for_r2():
    statistics, constraints = model_quality(np.ones(5), np.zeros(5))
    assert statistics["regression_metrics"]["r2"]["value"] == "NaN"
    assert list(constraints["regression_constraints"]) == ["mae", "mse", "rmse"]


def test_errors_of_two_windows_add_up():
    rng = np.random.default_rng(6)
    truth, found = rng.normal(size=90), rng.normal(size=90)
    added = RegressionErrors.of(truth[:20], found[:20]) + RegressionErrors.of(truth[20:], found[20:])
    whole = RegressionErrors.of(truth, found)
    for metric, value in added.metrics().items():
        assert math.isclose(value, whole.metrics()[metric], rel_tol=1e-9)


def test_another_kind_of_problem_is_refused():
    with pytest.raises(ValueError, match="only 'Regression'"):
        model_quality(np.ones(2), np.ones(2), "BinaryClassification")
