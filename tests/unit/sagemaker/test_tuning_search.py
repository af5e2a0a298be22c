"""What tuning searches in and how: ranges and their scales, the strategies, what is best and what is hopeless."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.local.sagemaker.errors import ValidationException
from tidegate.local.sagemaker.tuning.decide import Trial, hopeless_reason, is_hopeless, reason_to_end
from tidegate.local.sagemaker.tuning.ranges import Choices, Numbers, read_ranges
from tidegate.local.sagemaker.tuning.search import make_search

ETA = Numbers("eta", 0.01, 0.5)
DEPTH = Numbers("max_depth", 1, 6, whole=True)
BOOSTER = Choices("booster", ("gbtree", "dart"))


def numbers(name: str, least: str, most: str, **more: str) -> dict[str, Any]:
    return {"Name": name, "MinValue": least, "MaxValue": most, **more}


@given(
    unit=st.floats(0, 1),
    bounds=st.tuples(st.floats(1e-6, 0.5), st.floats(0.5, 0.999)),
    scaling=st.sampled_from(["Linear", "Logarithmic", "ReverseLogarithmic"]),
)
def test_a_place_leads_to_a_value_within_the_range_and_back(
    unit: float, bounds: tuple[float, float], scaling: str
) -> None:
    tuned = Numbers("x", *bounds, scaling=scaling)
    text = tuned.at(unit)
    assert bounds[0] <= float(text) <= bounds[1]
    place = tuned.place(text)
    assert place is not None
    assert float(tuned.at(place)) == pytest.approx(float(text), rel=1e-9)


def test_an_integer_range_gives_integers_and_reaches_both_ends() -> None:
    assert {DEPTH.at(step / 100) for step in range(101)} == {"1", "2", "3", "4", "5", "6"}


def test_a_logarithmic_range_has_its_middle_at_the_geometric_mean() -> None:
    assert float(Numbers("eta", 0.001, 10, scaling="Logarithmic").at(0.5)) == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("ranges", "sentence"),
    [
        ({}, "nothing to tune"),
        ({"IntegerParameterRanges": [numbers("n", "1", "2.5")]}, "needs an integer at both ends"),
        ({"ContinuousParameterRanges": [numbers("n", "low", "1")]}, "needs a number at both ends"),
        ({"ContinuousParameterRanges": [numbers("n", "2", "1")]}, "must not be greater"),
        ({"ContinuousParameterRanges": [numbers("n", "0", "inf")]}, "must not be greater"),
        ({"IntegerParameterRanges": [numbers("n", "0", "9", ScalingType="Logarithmic")]}, "greater than 0"),
        (
            {"IntegerParameterRanges": [numbers("n", "0", "9", ScalingType="ReverseLogarithmic")]},
            "0 <= x < 1",
        ),
        ({"AutoParameters": [{"Name": "eta", "ValueHint": "0.1"}]}, "not served"),
        (
            {
                "IntegerParameterRanges": [numbers("n", "0", "9")],
                "CategoricalParameterRanges": [{"Name": "n", "Values": ["a"]}],
            },
            "more than one range",
        ),
    ],
)
def test_a_range_that_cannot_be_searched_is_refused_in_a_sentence(
    ranges: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(ValidationException, match=sentence):
        read_ranges(ranges)


def test_a_grid_is_every_combination_once() -> None:
    search = make_search("Grid", [BOOSTER, Choices("d", ("1", "2", "3"))], maximize=False, seed=0)
    found = []
    while (values := search.propose()) is not None:
        found.append((values["booster"], values["d"]))
    assert len(found) == len(set(found)) == 6


@pytest.mark.parametrize("strategy", ["Random", "Bayesian"])
def test_the_same_seed_proposes_the_same(strategy: str) -> None:
    def proposals(seed: int) -> list[Any]:
        search = make_search(strategy, [ETA, DEPTH, BOOSTER], maximize=False, seed=seed)
        found = []
        for _ in range(6):
            values = search.propose()
            assert values is not None
            search.tell(values, float(values["eta"]))
            found.append(values)
        return found

    assert proposals(1) == proposals(1) != proposals(2)


@pytest.mark.parametrize("maximize", [True, False])
def test_bayesian_search_comes_nearer_to_the_best_than_chance(maximize: bool) -> None:
    def mean_distance(strategy: str) -> float:
        distances = []
        for seed in range(5):
            search = make_search(strategy, [ETA, DEPTH], maximize=maximize, seed=seed)
            for _ in range(25):
                values = search.propose()
                assert values is not None
                distance = abs(float(values["eta"]) - 0.3) + abs(int(values["max_depth"]) - 4)
                distances.append(distance)
                search.tell(values, -distance if maximize else distance)
        return sum(distances) / len(distances)

    assert mean_distance("Bayesian") < 0.8 * mean_distance("Random")


def test_bayesian_search_begins_where_a_parent_ended() -> None:
    def first(parents: list[tuple[str, float]]) -> float:
        search = make_search("Bayesian", [ETA], maximize=False, seed=3)
        for eta, objective in parents:
            search.tell({"eta": eta}, objective)
        values = search.propose()
        assert values is not None
        return float(values["eta"])

    known = [(f"{eta / 100}", abs(eta / 100 - 0.2)) for eta in range(1, 50)]
    assert abs(first(known) - 0.2) < 0.05 < abs(first([]) - 0.2)
    assert first([("0.9", 0.0), ("not a number", 0.0)]) == first([])  # outside the range nothing is learnt


def test_a_job_worse_than_the_median_of_averages_at_its_epoch_is_hopeless() -> None:
    earlier = [[4.0, 2.0, 1.0], [6.0, 4.0, 2.0], [8.0, 6.0, 3.0]]
    # The running averages at the second epoch are 3, 5, 7.
    assert is_hopeless([9.0, 5.1], earlier, maximize=False)
    assert not is_hopeless([9.0, 4.9], earlier, maximize=False)
    assert is_hopeless([9.0, 4.9], earlier, maximize=True)
    assert not is_hopeless([], earlier, maximize=False)
    assert not is_hopeless([9.0] * 4, earlier, maximize=False)  # nobody got that far


def trials(*objectives: float | None) -> list[Trial]:
    return [Trial("Completed", each) for each in objectives]


@pytest.mark.parametrize(
    ("objectives", "criteria", "ends"),
    [
        ((3.0, 2.0), {"TargetObjectiveMetricValue": 2.0}, True),
        ((3.0, 2.1), {"TargetObjectiveMetricValue": 2.0}, False),
        ((3.0, 2.0, 2.0, 2.5, None), {"BestObjectiveNotImproving": {"MaxNumberOfTrainingJobsNotImproving": 3}}, True),
        ((3.0, 2.0, 2.0, 2.5, 1.0), {"BestObjectiveNotImproving": {"MaxNumberOfTrainingJobsNotImproving": 3}}, False),
        ((3.0,), {}, False),
    ],
)  # fmt: skip
def test_tuning_ends_when_its_criteria_say_so(
    objectives: tuple[float | None, ...], criteria: dict[str, Any], ends: bool
) -> None:
    assert (reason_to_end(trials(*objectives), criteria, maximize=False) is not None) is ends


def test_a_tuning_job_fails_when_no_job_gives_an_objective() -> None:
    failed = [Trial("Failed", None)] * 2
    assert "All training jobs failed" in (hopeless_reason(failed, over=True) or "")
    assert hopeless_reason(failed, over=False) is None
    assert "after running 5 training jobs" in (hopeless_reason(trials(*[None] * 5), over=False) or "")
    assert hopeless_reason([*failed, *trials(1.0)], over=True) is None
