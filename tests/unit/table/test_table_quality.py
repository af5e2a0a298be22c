"""Model quality of regressions and classifiers: the metrics, Model Monitor's files, alarms that are no accident."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest

from tidegate.table.quality.answers import Answers, problem_of, quality_files
from tidegate.table.quality.classification import auc, binary_metrics, multiclass_metrics
from tidegate.table.quality.judge import judge
from tidegate.table.watch.quality import judge as in_production


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
    assert (found["trueNegativeRate"], found["falsePositiveRate"]) == (0.8, 0.2)
    assert found["f1"] == pytest.approx(2 / 3)


def test_metrics_of_many_classes_by_hand():
    truth, answers = np.array(["a", "a", "b", "c"]), np.array(["a", "b", "b", "a"])
    found = multiclass_metrics(truth, answers)
    assert found["accuracy"] == found["weightedRecall"] == 0.5
    assert found["weightedPrecision"] == pytest.approx(0.5 * 0.5 + 0.25 * 0.5)
    assert found["weightedF1"] == pytest.approx(0.5 * 0.5 + 0.25 * 2 / 3)


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


@pytest.mark.slow
@pytest.mark.parametrize("kind", MAKERS)
def test_a_worse_model_alarms_in_the_container_s_words_and_an_equal_one_does_not(kind):
    make = MAKERS[kind]
    statistics, constraints = quality_files(make(1))
    quiet = judge(make(2), constraints, statistics, least_rows=200)
    assert quiet.verdict == "ok"
    worse = judge(make(3, **WORSE[kind]), constraints, statistics, least_rows=200)
    assert worse.verdict == "drift"
    document = worse.to_dict()
    assert document["violations"]
    for each in document["violations"]:
        words = r"Metric \w+ with [\d.e-]+ \+/- [\d.e-]+ was (Less|Greater)ThanThreshold '[-\d.e]+'"
        assert re.fullmatch(words, each["description"])
    for each in worse.metrics:
        assert each.low <= each.value <= each.high
    few = judge(make(3, 100, **WORSE[kind]), constraints, statistics, least_rows=200)
    assert few.verdict == "insufficient"


@pytest.mark.parametrize("kind", MAKERS)
@pytest.mark.parametrize("rows", [1, 2, 3])
def test_few_truths_are_too_few_and_nothing_breaks_not_even_over_a_single_one(kind, rows):
    statistics, constraints = quality_files(MAKERS[kind](1))
    found = judge(MAKERS[kind](2, rows), constraints, statistics, least_rows=200)
    assert (found.verdict, found.rows) == ("insufficient", rows)
    eager = judge(MAKERS[kind](2, rows), constraints, statistics, least_rows=1, before=MAKERS[kind](3, 50))
    json.dumps(eager.to_dict(), allow_nan=False)


def test_metrics_are_named_in_camel_case_as_the_container_does_and_the_half_f_is_left_out():
    statistics, constraints = quality_files(multiclass(1))
    found = judge(multiclass(3, right=0.5), constraints, statistics, least_rows=200)
    assert "weightedF2" in {each.name for each in found.metrics if each.fallen}
    names = {name for make in MAKERS.values() for name in make(1).metrics()}
    assert not any("_" in name or "0" in name for name in names)


def test_files_of_before_with_underscores_in_names_are_still_read():
    statistics, constraints = quality_files(multiclass(1))

    def old(rules: dict) -> dict:
        return {{"weightedF2": "weighted_f2"}.get(name, name): rule for name, rule in rules.items()}

    section = "multiclass_classification_constraints"
    found = judge(multiclass(3, right=0.5), {section: old(constraints[section])}, statistics, least_rows=200)
    assert "weightedF2" in {each.name for each in found.metrics if each.fallen}


@pytest.mark.slow
def test_the_rule_of_production_is_the_rule():
    """What a check asks of matched predictions and what the benchmark asks is one function."""
    before = regression(1)
    statistics, constraints = quality_files(before)
    for seed in range(2, 12):
        given = regression(seed, 400, noise=1 + seed / 40)
        pairs = {"target": given.truth, "prediction": given.answers}
        checked = in_production(pairs, {}, constraints, 200, statistics)
        del checked["bias"]
        assert checked == judge(given, constraints, statistics, least_rows=200).to_dict()
    scores = binary(3, skill=0.4)
    pairs = {"target": scores.truth.astype(float), "prediction": scores.scores}
    statistics, constraints = quality_files(binary(1))
    assert problem_of(constraints) == "BinaryClassification"
    assert in_production(pairs, {}, constraints, 200, statistics)["verdict"] == "drift"


@pytest.mark.slow
@pytest.mark.parametrize("rows", [200, 2000])
@pytest.mark.parametrize("errors", ["normal", "heavy"])
def test_models_no_worse_than_at_training_alarm_hardly_ever(rows, errors):
    def make(rng: np.random.Generator, count: int) -> Answers:
        truth = rng.normal(10, 4, count)
        noise = rng.normal(0, 1, count) if errors == "normal" else rng.standard_t(4, count)
        return Answers("Regression", truth, truth + noise)

    rng = np.random.default_rng(rows)
    alarms = 0
    for _ in range(12):
        statistics, constraints = quality_files(make(rng, 3000))
        for _ in range(5):
            found = judge(make(rng, rows), constraints, statistics, least_rows=200, false_alarms=0.05)
            alarms += found.verdict == "drift"
    assert alarms <= 7  # 3 expected of 60 at a rate that is two hundred times that of production


def test_an_error_a_sixth_larger_is_found_and_one_of_no_importance_is_not():
    statistics, constraints = quality_files(regression(1, 4000))
    small = judge(regression(2, 100_000, noise=1.03), constraints, statistics, least_rows=200)
    assert small.verdict == "ok"
    large = judge(regression(3, 4000, noise=1.18), constraints, statistics, least_rows=200)
    assert {each.name for each in large.metrics if each.fallen} >= {"mae", "rmse"}


def test_a_threshold_that_somebody_edited_holds_to_the_letter():
    statistics, constraints = quality_files(regression(1))
    constraints["regression_constraints"]["rmse"]["threshold"] *= 0.97
    found = judge(regression(2), constraints, statistics, least_rows=200)
    assert [each.name for each in found.metrics if each.fallen] == ["rmse"]


@pytest.mark.parametrize("noise", [0.0, 1.0])
def test_a_baseline_without_any_error_is_no_trouble(noise):
    statistics, constraints = quality_files(regression(1, noise=0.0))
    found = judge(regression(2, noise=noise), constraints, statistics, least_rows=200)
    assert found.verdict == ("drift" if noise else "ok")
    json.dumps(found.to_dict(), allow_nan=False)


def test_another_problem_is_refused():
    with pytest.raises(ValueError, match="none of Regression"):
        quality_files(Answers("Ranking", np.ones(2), np.ones(2)))
