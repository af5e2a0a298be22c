"""One prediction of several: every rule of `serving.combine`, and what is said of a rule that cannot be used."""

import doctest
import sys
import textwrap

import pytest
from tests.unit.refusals import refused

from tidegate.core import combine as module
from tidegate.core.combine import combine
from tidegate.core.errors import CombineFailed

THREE = {"xgboost": 1.0, "linear-learner": 5.0, "forest": 3.0}


@pytest.fixture
def own_rules(tmp_path, monkeypatch):
    (tmp_path / "pricing_rules.py").write_text(
        textwrap.dedent("""
        TABLE = {}

        def cautious(predictions):
            return 0.9 * min(predictions.values())

        def broken(predictions):
            return predictions["nobody"]

        def wordy(predictions):
            return "a lot"
        """)
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    yield
    module.own_rule.cache_clear()
    sys.modules.pop("pricing_rules", None)


def test_the_examples_in_its_documentation_hold():
    assert doctest.testmod(module).failed == 0


@pytest.mark.parametrize(
    ("rule", "expected"), [("max", 5.0), ("min", 1.0), ("mean", 3.0), ("median", 3.0)], ids=str
)
def test_a_plain_rule_combines(rule, expected):
    assert combine(rule, THREE) == expected


def test_weights_count_only_for_the_algorithms_that_answered():
    weights = {"xgboost": 3.0, "linear-learner": 1.0, "forest": 100.0}
    assert combine("weighted", {"xgboost": 1.0, "linear-learner": 5.0}, weights) == 2.0


def test_a_rule_of_ones_own_gets_the_predictions_by_name(own_rules):
    assert combine("pricing_rules:cautious", {"xgboost": 10.0, "forest": 20.0}) == 9.0


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("no_such_rules:best", "cannot be imported here"),
        ("pricing_rules:best", "has no 'best'"),
        ("pricing_rules:TABLE", "is not a function"),
        ("pricing_rules:broken", "failed: KeyError: 'nobody'"),
        ("pricing_rules:wordy", "answered 'a lot'; it must answer a finite number"),
    ],
)
def test_a_rule_of_ones_own_that_cannot_be_used_is_told_in_words(own_rules, rule, words):
    with refused(CombineFailed, words):
        combine(rule, THREE)
