"""What a soak calls flat is flat, and what grows is not."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from benchmarks.cloud_samples import Sample
from benchmarks.soak_verdict import LIMITS, judge, plot, slope

QUIET = Sample(0.0, 180.0, 60, 170, 0.0, 1500.0, 33, 50.0, 5000)
RESTS, EVERY_SECONDS = 18, 200.0


def rests(mb_an_hour: float, spread: float, warm_up: float = 0.0) -> list[Sample]:
    dice = random.Random(1)
    found = []
    for number in range(RESTS):
        seconds = number * EVERY_SECONDS
        memory = 180.0 + mb_an_hour * seconds / 3600 + dice.gauss(0, spread)
        found.append(replace(QUIET, seconds=seconds, daemon_mb=memory - (warm_up if number < 4 else 0.0)))
    return found


@pytest.mark.parametrize(
    ("mb_an_hour", "spread", "word"),
    [
        (0.0, 1.0, "flat"),
        (LIMITS["daemon_mb"] / 2, 0.5, "flat"),
        (LIMITS["daemon_mb"] * 3, 1.0, "grows"),
        (0.0, 40.0, "undecided"),
    ],
)
def test_what_grows_is_told_from_what_varies(mb_an_hour: float, spread: float, word: str):
    assert judge(rests(mb_an_hour, spread))["daemon_mb"].word == word


def test_warming_up_is_no_growth():
    assert judge(rests(0.0, 1.0, warm_up=60.0))["daemon_mb"].word == "flat"


def test_few_rests_decide_nothing():
    assert {each.word for each in judge(rests(0.0, 1.0)[:4]).values()} == {"undecided"}


def test_a_steady_rise_is_found_exactly():
    rise, half = slope([(hour / 10, 3.0 * hour / 10) for hour in range(10)])
    assert (rise, half) == (pytest.approx(3.0), pytest.approx(0.0, abs=1e-9))


def test_the_plot_has_every_figure_with_its_verdict():
    samples = rests(0.0, 1.0)
    drawn = plot(samples, list(range(RESTS)), judge(samples))
    assert drawn.count("<polyline") == len(LIMITS) + 1
    assert drawn.count("<circle") == RESTS * (len(LIMITS) + 1)
    assert "daemon mb: flat" in drawn
