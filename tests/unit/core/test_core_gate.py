"""The gate: absolute and relative rules, each with the numbers in its sentence."""

from hypothesis import given
from hypothesis import strategies as st

from tidegate.core.figures import apart
from tidegate.core.gate import judge
from tidegate.core.spec import Gate


def interval(value: float, spread: float = 10.0) -> dict:
    return {"value": value, "low": value - spread, "high": value + spread}


def evaluation(
    candidate: float, champion: float | None = None, spread: float = 10.0, metric: str = "rmse"
) -> dict:
    return {
        "rows": 215,
        "confidence": 0.95,
        "candidate": {metric: interval(candidate)},
        "champion": None if champion is None else {metric: interval(champion)},
        "difference": None if champion is None else {metric: interval(candidate - champion, spread)},
    }


def test_a_candidate_within_the_threshold_passes_and_one_above_is_too_low_in_accuracy():
    gate = Gate(at_most=1350.0)
    assert judge(gate, evaluation(1200)).passed
    rejected = judge(gate, evaluation(1400.5))
    assert not rejected.passed
    assert rejected.reason == (
        "model accuracy too low: RMSE 1400 on 215 held-out rows is above 1350, the most allowed"
    )


def test_a_candidate_surely_worse_than_the_champion_is_rejected_with_both_numbers():
    judgement = judge(Gate(), evaluation(1300, champion=1100, spread=50))
    assert not judgement.passed
    assert "1300" in judgement.reason
    assert "1100" in judgement.reason
    assert "+150 to +250" in judgement.reason


def test_a_difference_within_chance_does_not_reject_but_is_not_better_either():
    close = evaluation(1110, champion=1100, spread=50)
    assert judge(Gate(against_champion="not_worse"), close).passed
    assert not judge(Gate(against_champion="better"), close).passed
    assert judge(Gate(against_champion="better"), evaluation(1000, champion=1100, spread=50)).passed


def test_without_a_champion_only_the_threshold_counts():
    judgement = judge(Gate(at_most=2000.0), evaluation(1200))
    assert [check.name for check in judgement.checks] == ["threshold", "champion"]
    assert judgement.passed


@given(st.sampled_from(["better", "not_worse", "off"]), st.floats(0, 4000))
def test_a_champion_that_is_named_and_gone_counts_as_none_and_is_told_whatever_the_gate_asks(against, rmse):
    gate = Gate(at_most=2000.0, against_champion=against)
    lost = judge(
        gate, evaluation(rmse) | {"champion_lost": "the model m, which Parameter Store names, is no more"}
    )
    assert lost.passed == judge(gate, evaluation(rmse)).passed
    told = [check.sentence for check in lost.checks if check.name == "champion"]
    assert told == [
        "there is no champion to compare with: the model m, which Parameter Store names, is no more"
    ]


def test_for_r2_more_is_better():
    gate = Gate(metric="r2", at_least=0.8)
    assert judge(gate, evaluation(0.9, metric="r2")).passed
    assert not judge(gate, evaluation(0.7, metric="r2")).passed
    assert judge(Gate(metric="r2"), evaluation(0.9, champion=0.8, spread=0.01, metric="r2")).passed
    assert not judge(Gate(metric="r2"), evaluation(0.7, champion=0.8, spread=0.01, metric="r2")).passed


def test_a_metric_that_cannot_be_told_does_not_pass():
    unknown = evaluation(0.0, champion=0.0, metric="r2")
    for side in ("candidate", "champion", "difference"):
        unknown[side]["r2"] = {"value": None, "low": None, "high": None}
    judgement = judge(Gate(metric="r2", at_least=0.5), unknown)
    assert not judgement.passed
    assert "R² cannot be told: the target is the same in all 215 held-out rows" in judgement.reason


def test_a_gate_that_asks_for_nothing_passes_and_says_so():
    judgement = judge(Gate(against_champion="off"), evaluation(9e9, champion=1))
    assert judgement.passed
    assert judgement.reason == "the gate asks for nothing"


@given(st.floats(0.01, 1e6), st.floats(0.01, 1e6), st.floats(0.01, 1e4))
def test_whoever_is_better_passes_not_worse(candidate, champion, spread):
    if candidate <= champion:
        assert judge(Gate(), evaluation(candidate, champion, spread)).passed


@given(st.floats(0.001, 1e6), st.floats(0.001, 1e6))
def test_the_sentence_never_says_that_a_number_is_above_itself(value, bound):
    shown, limit = apart(value, bound)
    assert (shown == limit) == (value == bound)
    sentence = judge(Gate(at_most=bound, against_champion="off"), evaluation(value)).checks[0].sentence
    assert sentence.startswith(f"RMSE {shown} on 215 held-out rows is ") and f" {limit}" in sentence


def test_a_champion_that_is_judged_on_rows_without_its_columns_is_told_as_such():
    judged = evaluation(1110, champion=1100, spread=50)
    assert "lack" not in judge(Gate(), judged).reason
    reason = judge(Gate(), {**judged, "champion_lacks": ["year", "make"]}).reason
    assert "the champion also reads 'year', 'make', which these rows lack" in reason
