"""A quality that falls slowly is seen by the truths of several checks, and one that does not is left alone."""

from __future__ import annotations

import numpy as np
import pytest
from benchmarks.verdict_quality import QualityWatch, truths

from tidegate.core.monitor import QUALITY_FALSE_ALARMS
from tidegate.table.quality.answers import Answers, quality_files
from tidegate.table.quality.judge import judge
from tidegate.table.watch.known import LAST, Known, Truth


def verdicts(
    watch: QualityWatch, rng: np.random.Generator, growth: list[float], rows: int = 200
) -> list[str]:
    return [watch.check(truths(rng, rows, worse))["verdict"] for worse in growth]


@pytest.mark.slow
def test_a_fall_too_small_for_one_check_is_found_in_several_and_its_end_is_seen_at_once():
    rng = np.random.default_rng(1)
    watch = QualityWatch(rng)
    assert set(verdicts(watch, rng, [1.0] * 10)) == {"ok"}
    fallen = verdicts(watch, rng, [1.13] * 30)
    first = fallen.index("drift")
    assert 1 <= first < 20
    assert fallen[first:].count("drift") >= 0.6 * (30 - first)
    assert verdicts(watch, rng, [1.0] * 10).count("drift") <= 1


@pytest.mark.slow
def test_a_slow_fall_is_found_before_it_is_large():
    rng = np.random.default_rng(2)
    found = verdicts(QualityWatch(rng), rng, [1 + 0.005 * at for at in range(60)])
    assert 5 < found.index("drift") < 40


@pytest.mark.slow
@pytest.mark.parametrize("alike", [0.0, 0.9])
def test_checks_of_a_model_as_good_as_it_was_stay_within_their_budget_at_a_hundred_times_its_rate(alike):
    rng = np.random.default_rng(3)
    rate, checks = 100 * QUALITY_FALSE_ALARMS, 60
    watch = QualityWatch(rng, rate)
    told = [watch.check(truths(rng, 200, alike=alike))["verdict"] for _ in range(checks)]
    assert told.count("drift") <= 3, f"{rate * checks:.1f} may be expected"


def test_what_the_last_truths_show_is_told_as_that():
    rng = np.random.default_rng(4)

    def drawn(rows: int, worse: float) -> Answers:
        pairs = truths(rng, rows, worse)
        return Answers("Regression", pairs["target"], pairs["prediction"])

    statistics, rules = quality_files(drawn(4000, 1.0))
    given, before = drawn(250, 1.12), drawn(3000, 1.12)
    alone = judge(given, rules, statistics, least_rows=200)
    found = judge(given, rules, statistics, least_rows=200, before=before)
    assert (alone.verdict, found.verdict, found.denied) == ("ok", "drift", False)
    assert "by the last 3,250 known truths" in found.sentence.plain
    document = found.to_dict()
    told = {each["metric_name"]: each["description"] for each in document["violations"]}
    lately = document["metrics"]["mae"]["lately"]
    assert (lately["rows"], document["rows"]) == (3250, 250)
    assert f"Metric mae with {lately['value']} +/- " in told["mae"]
    denied = judge(drawn(250, 1.0), rules, statistics, least_rows=200, before=before)
    assert (denied.verdict, denied.denied) == ("ok", True)


def test_the_truths_that_came_before_are_the_model_s_own_the_last_ones_and_each_once():
    known = Known({f"e{at}": Truth(at, "m1", float(at), -float(at), f"{at:05}") for at in range(LAST + 50)})
    known.truths["other"] = Truth(9, "m2", 1.0, 1.0, "00009")
    own = [f"e{at}" for at in range(LAST + 30, LAST + 50)]
    before = known.before("m1", own, "")
    assert before["prediction"].tolist() == [float(at) for at in range(30, LAST + 30)]
    assert before["target"].tolist() == [-each for each in before["prediction"]]
    assert known.since(own) == f"{LAST + 30:05}"
    assert known.before("m1", own, f"{LAST + 20:05}")["prediction"].tolist() == [
        LAST + 20.0 + at for at in range(10)
    ]
    assert known.before("m1", own, known.since(own)) is None
    assert known.before("m3", own, "") is None
    assert known.since([]) == ""
