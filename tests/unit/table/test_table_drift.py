"""Each measure of drift is its formula, and says so with an example that runs."""

from __future__ import annotations

import doctest
import importlib
import math
import pkgutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tidegate.table import drift
from tidegate.table.drift import OF_CATEGORIES, OF_NUMBERS, Categories, Numbers
from tidegate.table.drift.robust import robust
from tidegate.table.drift.simple import simple
from tidegate.table.drift.tails import chi_squared_tail, kolmogorov_tail
from tidegate.table.profile import ColumnProfile
from tidegate.table.profile.column import Cells
from tidegate.table.profile.frequencies import Numerals
from tidegate.table.profile.kll import RANK_ERROR
from tidegate.table.profile.value_types import ValueTypes

FILES = [module.name for module in pkgutil.iter_modules(drift.__path__)]
SAMPLES = st.lists(st.integers(-20, 20), min_size=1, max_size=50)
COUNTS = st.dictionaries(st.sampled_from("abcdef"), st.integers(1, 50), min_size=1)


def numbers(values: np.ndarray) -> Numbers:
    column = ColumnProfile.of(Cells(ValueTypes(fractional=len(values)), values, Numerals(None)))
    return Numbers.of(column)


@pytest.mark.parametrize("file", FILES)
def test_the_examples_of_each_file_are_right(file):
    assert doctest.testmod(importlib.import_module(f"tidegate.table.drift.{file}")).failed == 0


@pytest.mark.parametrize("file", sorted(set(FILES) - {"bins", "measure", "sample", "tails"}))
def test_each_measure_names_what_it_is_for_its_formula_and_its_source(file):
    module = importlib.import_module(f"tidegate.table.drift.{file}")
    assert all(f"\n{word}: " in module.__doc__ for word in ("Applies to", "Formula", "Source"))
    assert any(name.split("_of_")[0] == file for name in vars(module))
    assert file in {**OF_NUMBERS, **OF_CATEGORIES}


@pytest.mark.parametrize("name", sorted(OF_NUMBERS))
@given(SAMPLES)
@settings(max_examples=25, deadline=None)
def test_numbers_are_at_no_distance_from_themselves(name, values):
    sample = Numbers.sampled(values)
    assert OF_NUMBERS[name](sample, sample).distance == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("name", sorted(OF_CATEGORIES))
@given(COUNTS)
@settings(max_examples=25, deadline=None)
def test_categories_are_at_no_distance_from_themselves(name, counts):
    sample = Categories(counts, sum(counts.values()))
    assert OF_CATEGORIES[name](sample, sample).distance == pytest.approx(0, abs=1e-9)


@given(SAMPLES, SAMPLES)
@settings(max_examples=60, deadline=None)
def test_the_simple_distance_is_deequ_s_on_every_case(one, other):
    """Deequ, Distance.numericalDistance: the largest difference of two maps of ranks, over the values of both."""
    expected = max(
        abs(sum(v <= point for v in one) / len(one) - sum(v <= point for v in other) / len(other))
        for point in {*one, *other}
    )
    n, m = len(set(one)), len(set(other))
    ours = Numbers.sampled(one), Numbers.sampled(other)
    assert simple(*ours).distance == pytest.approx(expected)
    allowed = max(0.0, expected - 1.8 * math.sqrt((n + m) / (n * m)))
    assert robust(*ours).distance == pytest.approx(allowed)


@given(COUNTS, COUNTS)
@settings(max_examples=60, deadline=None)
def test_the_distance_of_categories_is_deequ_s_on_every_case(one, other):
    n, m = sum(one.values()), sum(other.values())
    expected = max(abs(one.get(name, 0) / n - other.get(name, 0) / m) for name in {*one, *other})
    found = OF_CATEGORIES["l_infinity"](Categories(one, n), Categories(other, m)).distance
    assert found == pytest.approx(expected)


def test_distances_from_sketches_are_within_their_bound_of_the_true_ones():
    rng = np.random.default_rng(1)
    one, other = rng.normal(size=80_000), rng.normal(0.3, 1.2, 60_000)
    points = np.sort(np.concatenate([one, other]))
    true = np.abs(
        np.searchsorted(np.sort(one), points, "right") / len(one)
        - np.searchsorted(np.sort(other), points, "right") / len(other)
    ).max()
    assert simple(numbers(one), numbers(other)).distance == pytest.approx(true, abs=2 * RANK_ERROR)


@pytest.mark.slow
@pytest.mark.parametrize("rows", [50, 400, 20_000])
def test_p_values_of_unchanged_numbers_are_as_rare_as_they_say(rows):
    rng = np.random.default_rng(rows)
    baseline = numbers(rng.normal(size=20_000))
    measure = OF_NUMBERS["kolmogorov_smirnov"]
    found = [measure(baseline, numbers(rng.normal(size=rows))).p_value for _ in range(300)]
    assert sum(p < 0.05 for p in found) <= 25  # 15 expected; 25 is beyond the 99th of a hundred


def test_p_values_of_unchanged_categories_are_as_rare_as_they_say():
    rng = np.random.default_rng(2)
    shares = rng.dirichlet(np.ones(30))

    def drawn(rows: int) -> Categories:
        counts = rng.multinomial(rows, shares).tolist()
        return Categories({str(at): count for at, count in enumerate(counts) if count}, rows)

    found = [OF_CATEGORIES["chi_squared"](drawn(5000), drawn(400)).p_value for _ in range(300)]
    assert 4 <= sum(p < 0.05 for p in found) <= 25


@pytest.mark.parametrize(
    ("x", "freedom", "p"), [(0.5, 3, 0.918891), (25, 10, 0.005345), (110, 100, 0.232205)]
)
def test_the_tail_of_chi_squared_is_that_of_the_tables(x, freedom, p):
    assert chi_squared_tail(x, freedom) == pytest.approx(p, abs=1e-6)


def test_the_tail_of_kolmogorov_is_that_of_the_tables():
    assert kolmogorov_tail(1.3581, 1) == pytest.approx(0.05, abs=1e-4)
    assert kolmogorov_tail(1.6276, 1) == pytest.approx(0.01, abs=1e-4)


def test_the_page_on_drift_lists_each_measure_with_its_formula():
    page = (Path(__file__).parents[3] / "docs" / "drift.md").read_text("utf-8").replace("\\|", "|")
    for name in {**OF_NUMBERS, **OF_CATEGORIES}:
        told = importlib.import_module(f"tidegate.table.drift.{name}").__doc__
        formula = " ".join(told.split("Formula: ")[1].split("\nSource: ")[0].split())
        assert f"| `{name}` |" in page
        assert formula.rstrip(".") in page, name
