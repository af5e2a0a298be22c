"""Two samples of numbers: as rarely called different by chance as the test says, and found by any change."""

from __future__ import annotations

import numpy as np
import pytest

from tidegate.table.compare.alike import Alike, Worth
from tidegate.table.compare.evidence import Side
from tidegate.table.compare.numbers import greater, same_numbers
from tidegate.table.drift import Numbers
from tidegate.table.drift.simple import apart, simple
from tidegate.table.drift.tails import kolmogorov_tail, kuiper_tail
from tidegate.table.profile import Cells, ColumnProfile
from tidegate.table.profile.frequencies import Numerals
from tidegate.table.profile.value_types import ValueTypes

MAKES = {
    "normal": lambda rng, rows: rng.normal(size=rows),
    "tied": lambda rng, rows: np.round(rng.normal(size=rows), 1),
    "heavy": lambda rng, rows: rng.lognormal(0, 2, rows),
}


def side(values: np.ndarray, rows_for_one: float = 1.0) -> Side:
    column = ColumnProfile.of(Cells(ValueTypes(fractional=len(values)), values, Numerals(None)))
    return Side(column, Alike(Worth(rows_for_one)))


@pytest.mark.slow
@pytest.mark.parametrize("make", MAKES)
@pytest.mark.parametrize("rows", [200, 1000])
def test_samples_of_one_distribution_are_told_apart_as_rarely_as_said(make, rows):
    rng = np.random.default_rng(rows)
    found = [same_numbers(side(MAKES[make](rng, 5000)), side(MAKES[make](rng, rows))) for _ in range(150)]
    assert sum(p < 0.05 for p in found) <= 15  # 7.5 at the most are to be expected
    assert sum(p < 0.001 for p in found) <= 1


@pytest.mark.parametrize("shift", [0.4, -0.4])
def test_a_shift_shows_in_the_ranks_and_a_spread_on_both_sides(shift):
    rng = np.random.default_rng(1)
    baseline, rows = side(rng.normal(size=5000)), 400
    effective = 5000 * rows / (5000 + rows)
    for now in (rng.normal(size=rows) + shift, 1.6 * rng.normal(size=rows)):
        window = side(now)
        distance = simple(baseline.numbers, window.numbers).distance
        assert same_numbers(baseline, window) < kolmogorov_tail(distance, effective)
        assert same_numbers(baseline, window) < 1e-6


def test_rows_that_are_alike_make_less_sure():
    rng = np.random.default_rng(2)
    baseline, now = side(rng.normal(size=5000)), rng.normal(0.3, 1, 500)
    found = [same_numbers(baseline, side(now, alike)) for alike in (1.0, 4.0, 40.0)]
    assert found == sorted(found)
    assert found[0] < 1e-6 < 0.2 < found[2]


def test_the_greater_is_counted_as_in_all_pairs_and_distances_go_to_either_side():
    rng = np.random.default_rng(3)
    for _ in range(20):
        one, other = (rng.integers(0, 6, size).astype(float) for size in (9, 7))
        pairs = [(y > x) + (y == x) / 2 for x in one for y in other]
        numbers = Numbers.sampled(one.tolist()), Numbers.sampled(other.tolist())
        assert greater(*numbers) == pytest.approx(np.mean(pairs))
        below, above = apart(*numbers)
        assert max(below, above) == pytest.approx(simple(*numbers).distance)
        assert apart(*reversed(numbers)) == pytest.approx((above, below))


def test_a_sample_of_one_value_is_no_trouble():
    same = side(np.full(300, 7.0))
    assert same_numbers(same, same) == 1.0
    assert kuiper_tail(0.0, 100) == 1.0
