"""A classifier's quality expected from its chances: as simulation has it, with intervals that hold."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.table.estimate.classes import Calibration, expected_binary, expected_multiclass
from tidegate.table.quality.classification import binary_metrics, multiclass_metrics


def labels(values):
    return np.array([str(int(each)) for each in values])


@pytest.mark.slow
@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=60))
def test_calibrated_shares_rise_with_the_score_and_are_right_in_the_mean(rows):
    scores, truth = np.array([score for score, _ in rows]), np.array([hit for _, hit in rows])
    found = Calibration.fit(scores, truth)
    assert (np.diff(found.shares) > 0).all()
    chances = found.chances(np.sort(scores))
    assert ((chances >= 0) & (chances <= 1)).all()
    assert (np.diff(chances) >= -1e-12).all()
    again = Calibration.from_dict(json.loads(json.dumps(found.to_dict())))
    assert (again.chances(scores) == found.chances(scores)).all()


def test_overconfident_scores_are_calibrated():
    rng = np.random.default_rng(1)
    scores = rng.uniform(0, 1, 20_000)
    truth = rng.random(20_000) < 0.3 + 0.4 * scores  # it says 0 to 1, and means 0.3 to 0.7
    found = Calibration.fit(scores, truth).chances(np.array([0.1, 0.5, 0.9]))
    assert found == pytest.approx([0.34, 0.5, 0.66], abs=0.05)


@pytest.mark.slow
def test_expected_metrics_of_two_classes_are_those_of_many_truths_and_intervals_hold_them():
    rng = np.random.default_rng(2)
    chances = rng.beta(0.7, 0.9, 600)
    said = chances >= 0.5
    expected = expected_binary(chances, said)
    drawn: dict[str, list[float]] = {name: [] for name in expected}
    for _ in range(300):
        true = rng.random(600) < chances
        for name, value in binary_metrics(labels(true), labels(said), "1", chances).items():
            drawn[name].append(value)
    assert set(expected) == set(drawn)
    for name, values in drawn.items():
        assert expected[name]["value"] == pytest.approx(np.mean(values), abs=0.006), name
        if "low" in expected[name]:
            inside = [expected[name]["low"] <= each <= expected[name]["high"] for each in values]
            assert 0.9 < np.mean(inside) < 0.99, name


@pytest.mark.slow
def test_expected_metrics_of_many_classes_are_those_of_many_truths():
    rng = np.random.default_rng(3)
    chances = rng.dirichlet([0.5, 0.4, 0.6], 500)
    classes = ["a", "b", "c"]
    said = np.array(classes)[chances.argmax(axis=1)]
    expected = expected_multiclass(chances, said, classes)
    drawn: dict[str, list[float]] = {name: [] for name in expected}
    for _ in range(200):
        places = (rng.random(500)[:, None] > np.cumsum(chances, axis=1)[:, :-1]).sum(axis=1)
        for name, value in multiclass_metrics(np.array(classes)[places], said).items():
            drawn[name].append(value)
    for name, values in drawn.items():
        assert expected[name]["value"] == pytest.approx(np.mean(values), abs=0.006), name
        inside = [expected[name]["low"] <= each <= expected[name]["high"] for each in values]
        assert 0.9 < np.mean(inside) <= 1, name


def test_a_classifier_that_is_always_sure_is_expected_to_be_right():
    chances = np.array([0.0, 1.0, 1.0, 0.0])
    expected = expected_binary(chances, chances >= 0.5)
    for name in ("accuracy", "auc", "recall", "precision", "f1"):
        assert expected[name]["value"] == 1
    nobody = expected_binary(np.zeros(5), np.zeros(5, dtype=bool))
    assert math.isnan(nobody["auc"]["value"])
    assert nobody["accuracy"]["value"] == 1
