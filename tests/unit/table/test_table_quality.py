"""Model quality of regressions and classifiers: the metrics, Model Monitor's files, alarms that are no accident."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest

from tidegate.table.quality.classification import auc, binary_metrics, multiclass_metrics
from tidegate.table.quality.judge import Answers, compare_quality, quality_files


def regression(seed: int, rows: int = 2000, noise: float = 1.0) -> Answers:
    rng = np.random.default_rng(seed)
    truth = rng.normal(10, 4, rows)
    return Answers("Regression", truth, truth + rng.normal(0, noise, rows))


def binary(seed: int, rows: int = 2000, skill: float = 1.0) -> Answers:
    rng = np.random.default_rng(seed)
    truth = rng.random(rows) < 0.3
    scores = 1 / (1 + np.exp(-(rng.normal(0, 1, rows) + np.where(truth, skill, -skill))))
    labels = np.array(["0", "1"])
    return Answers(
        "BinaryClassification", labels[truth.astype(int)], labels[(scores > 0.5).astype(int)], "1", scores
    )


def multiclass(seed: int, rows: int = 2000, right: float = 0.8) -> Answers:
    rng = np.random.default_rng(seed)
    truth = rng.choice(["a", "b", "c"], rows, p=[0.6, 0.3, 0.1])
    return Answers(
        "MulticlassClassification",
        truth,
        np.where(rng.random(rows) < right, truth, rng.choice(["a", "b", "c"], rows)),
    )


MAKERS = {"regression": regression, "binary": binary, "multiclass": multiclass}
WORSE = {"regression": {"noise": 1.3}, "binary": {"skill": 0.6}, "multiclass": {"right": 0.65}}


def test_metrics_of_two_classes_by_hand():
    truth = np.array(["1", "1", "1", "0", "0", "0", "0", "0"])
    answers = np.array(["1", "1", "0", "1", "0", "0", "0", "0"])
    found = binary_metrics(truth, answers, "1")
    assert (found["recall"], found["precision"], found["accuracy"]) == (2 / 3, 2 / 3, 0.75)
    assert (found["true_negative_rate"], found["false_positive_rate"]) == (0.8, 0.2)
    assert found["f1"] == pytest.approx(2 / 3)


def test_metrics_of_many_classes_by_hand():
    truth, answers = np.array(["a", "a", "b", "c"]), np.array(["a", "b", "b", "a"])
    found = multiclass_metrics(truth, answers)
    assert found["accuracy"] == found["weighted_recall"] == 0.5
    assert found["weighted_precision"] == pytest.approx(0.5 * 0.5 + 0.25 * 0.5)
    assert found["weighted_f1"] == pytest.approx(0.5 * 0.5 + 0.25 * 2 / 3)


def test_the_area_under_the_curve_counts_pairs():
    rng = np.random.default_rng(1)
    is_true, scores = rng.random(80) < 0.4, rng.integers(0, 9, 80).astype(float)
    pairs = [(s > t) + 0.5 * (s == t) for s in scores[is_true] for t in scores[~is_true]]
    assert auc(is_true, scores) == pytest.approx(np.mean(pairs))
    assert np.isnan(auc(np.ones(3, dtype=bool), np.ones(3)))


@pytest.mark.parametrize("kind", MAKERS)
def test_the_files_are_model_monitor_s(kind):
    given = MAKERS[kind](1)
    statistics, constraints = quality_files(given)
    json.dumps([statistics, constraints], allow_nan=False)
    section = {"binary": "binary_classification", "multiclass": "multiclass_classification"}.get(kind, kind)
    assert statistics["dataset"] == {"item_count": 2000}
    for name, rule in constraints[f"{section}_constraints"].items():
        measured = statistics[f"{section}_metrics"][name]
        assert rule["threshold"] == measured["value"] and measured["standard_deviation"] > 0
    if kind != "regression":
        matrix = statistics[f"{section}_metrics"]["confusion_matrix"]
        assert sum(sum(line.values()) for line in matrix.values()) == 2000


@pytest.mark.parametrize("kind", MAKERS)
def test_a_worse_model_alarms_in_the_container_s_words_and_an_equal_one_does_not(kind):
    make = MAKERS[kind]
    statistics, constraints = quality_files(make(1))
    quiet = compare_quality(make(2), constraints, statistics)
    assert quiet.verdict().verdict == "ok"
    worse = compare_quality(make(3, **WORSE[kind]), constraints, statistics)
    assert worse.verdict().verdict == "drift"
    for each in worse.violations_document()["violations"]:
        words = r"Metric \w+ with [\d.e-]+ \+/- [\d.e-]+ was (Less|Greater)ThanThreshold '[-\d.e]+'"
        assert re.fullmatch(words, each["description"])
    for each in worse.metrics:
        assert each.low <= each.value <= each.high
    few = compare_quality(make(3, 100, **WORSE[kind]), constraints, statistics)
    assert few.verdict().verdict == "insufficient"


def test_metrics_are_named_in_camel_case_as_the_container_does():
    statistics, constraints = quality_files(multiclass(1))
    found = compare_quality(multiclass(3, right=0.5), constraints, statistics)
    assert any("Metric weightedF2 with" in each.description for each in found.metrics)


def test_equal_models_alarm_at_most_as_often_as_they_may():
    statistics, constraints = quality_files(regression(1))
    alarms = sum(
        compare_quality(regression(seed, 300), constraints, statistics).verdict().verdict == "drift"
        for seed in range(2, 62)
    )
    assert alarms <= 6
    bare = compare_quality(regression(2, 300), constraints, statistics, false_alarms=None)
    assert all(
        each.violated
        == (each.value < each.threshold if each.operator[0] == "L" else each.value > each.threshold)
        for each in bare.metrics
    )


def test_another_problem_is_refused():
    with pytest.raises(ValueError, match="none of Regression"):
        quality_files(Answers("Ranking", np.ones(2), np.ones(2)))
