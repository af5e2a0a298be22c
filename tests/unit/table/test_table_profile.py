"""Profiles add up, and what is read off them is what the data says."""

from __future__ import annotations

import json
import math

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tidegate.core.errors import BadDrop
from tidegate.table.baseline import data_quality
from tidegate.table.hashing import number_hashes
from tidegate.table.profile import ColumnProfile
from tidegate.table.profile.distinct import Distinct
from tidegate.table.profile.frequencies import MOST_NUMERALS, MOST_TEXTS, Frequencies, Numerals
from tidegate.table.profile.kll import RANK_ERROR, Sketch
from tidegate.table.profile.moments import Moments
from tidegate.table.profile.value_types import ValueTypes
from tidegate.table.scan.arrow_texts import cells_of

NUMBERS = st.lists(st.floats(-1e6, 1e6), max_size=60)
TEXTS = st.lists(
    st.one_of(
        st.integers(-50, 50).map(str),
        st.floats(-100, 100).map(repr),
        st.sampled_from(["", "NA", "true", "a", "b ", "1e999", "+5", "-.5", "5.", "é"]),
    ),
    max_size=60,
)
COUNTS = st.dictionaries(st.integers(0, 3000).map(str), st.integers(1, 9), max_size=2000)


def profile(texts: list[str]) -> ColumnProfile:
    return ColumnProfile.of(cells_of(pa.array(texts, pa.string())))


@pytest.mark.slow
@given(TEXTS, TEXTS)
@settings(max_examples=60, deadline=None)
def test_the_profile_of_two_windows_is_the_sum_of_their_profiles(one, other):
    added, whole = profile(one) + profile(other), profile(one + other)
    assert added.types == whole.types
    assert added.frequencies.ranked() == whole.frequencies.ranked()
    assert added.numerals == whole.numerals
    assert added.categories() == whole.categories()
    assert added.distinct.smallest.tolist() == whole.distinct.smallest.tolist()
    assert sorted(added.sketch.levels[0]) == sorted(whole.sketch.levels[0])
    assert added.moments.count == whole.moments.count
    assert (added.moments.least, added.moments.most) == (whole.moments.least, whole.moments.most)
    for part in ("total", "m2"):
        assert getattr(added.moments, part) == pytest.approx(getattr(whole.moments, part), abs=1e-6)


@given(NUMBERS, NUMBERS)
@settings(max_examples=60, deadline=None)
def test_moments_are_those_of_numpy(one, other):
    moments = Moments.of(np.array(one)) + Moments.of(np.array(other))
    values = np.array([*one, *other])
    if not len(values):
        assert math.isnan(moments.mean) and math.isnan(moments.deviation)
        return
    assert moments.mean == pytest.approx(values.mean(), abs=1e-6)
    assert moments.deviation == pytest.approx(values.std(), abs=1e-6)


@pytest.mark.parametrize(
    ("texts", "inferred"),
    [
        (["1", "-2", "+3"], "Integral"),
        (["1", "2.5"], "Fractional"),
        (["3.0"], "Integral"),
        (["1e5"], "Integral"),
        (["3.0", "NA"], "Integral"),
        (["NA", "x"], "String"),
        (["1", "x"], "String"),
        (["true", "False"], "String"),
        (["true", "1"], "String"),
        (["", "NA"], "Unknown"),
        (["", "7"], "Integral"),
        (["1e999"], "String"),
        (["2024-05-31"], "String"),
    ],
)
def test_one_odd_value_decides_the_type(texts, inferred):
    assert profile(texts).types.inferred == inferred


def test_every_value_is_counted_by_its_type():
    types = profile(["1", "2.5", "true", "x", "", "NA", "1e999"]).types
    # Among texts NA is one of them; among numbers alone it is a missing one.
    assert types == ValueTypes(integral=1, fractional=1, boolean=1, string=3, missing=1)
    assert types.completeness == pytest.approx(6 / 7)
    assert profile(["1", "2.5", "", "NA"]).types == ValueTypes(integral=1, fractional=1, missing=2)


def in_order(values: np.ndarray, order: str) -> np.ndarray:
    ordered = np.sort(values)
    half = len(values) // 2
    zigzag = np.ravel(np.column_stack([ordered[:half], ordered[half:][::-1]]))
    return {"random": values, "sorted": ordered, "reversed": ordered[::-1].copy(), "zigzag": zigzag}[order]


class TestSketch:
    def test_up_to_k_values_are_kept_in_the_order_they_came(self):
        values = np.random.default_rng(1).normal(size=2048)
        sketch = Sketch.of(values[:1000]) + Sketch.of(values[1000:])
        assert len(sketch.levels) == 1 and sketch.levels[0].tolist() == values.tolist()

    @pytest.mark.parametrize("order", ["random", "sorted", "reversed", "zigzag"])
    @pytest.mark.parametrize("blocks", [1, 7, 100, 3000])
    def test_ranks_are_within_the_bound_however_the_data_came(self, blocks, order):
        values = in_order(np.random.default_rng(2).lognormal(size=100_000), order)
        sketch = Sketch()
        for block in np.array_split(values, blocks):
            sketch = sketch + Sketch.of(block)
        edges = np.quantile(values, np.linspace(0, 1, 21)).tolist()
        ranks = np.cumsum(sketch.counts(edges)) / len(values)
        assert np.abs(ranks - np.linspace(0.05, 1, 20)).max() < RANK_ERROR

    @pytest.mark.parametrize("blocks", [1, 50])
    def test_heavy_ties_keep_their_shares(self, blocks):
        values = np.random.default_rng(4).choice([0.0, 1.0, 5.0], 60_000, p=[0.7, 0.2, 0.1])
        sketch = Sketch.sum_of(map(Sketch.of, np.array_split(values, blocks)))
        shares = np.array(sketch.counts([-0.5, 0.5, 1.5, 5.0])) / 60_000
        assert shares == pytest.approx([(values == v).mean() for v in (0.0, 1.0, 5.0)], abs=RANK_ERROR)

    def test_adding_many_at_once_is_as_good_as_one_by_one(self):
        parts = [np.random.default_rng(at).normal(at / 50, 1, 3000) for at in range(60)]
        values, sketch = np.concatenate(parts), Sketch.sum_of(map(Sketch.of, parts))
        edges = np.quantile(values, np.linspace(0, 1, 41)).tolist()
        ranks = np.cumsum(sketch.counts(edges)) / len(values)
        assert np.abs(ranks - np.linspace(0.025, 1, 40)).max() < RANK_ERROR
        assert sketch.count == len(values)

    def test_no_weight_is_lost_and_the_sketch_stays_small(self):
        sketch = Sketch()
        for size in (1, 4097, 3, 50_001, 2049):
            sketch = sketch + Sketch.of(np.random.default_rng(size).normal(size=size))
        assert sketch.count == 1 + 4097 + 3 + 50_001 + 2049
        assert sum(map(len, sketch.levels)) < 3 * 2048

    def test_the_same_data_gives_the_same_sketch(self):
        values = np.random.default_rng(3).normal(size=10_000)
        one, other = Sketch.of(values), Sketch.of(values)
        assert [level.tolist() for level in one.levels] == [level.tolist() for level in other.levels]

    def test_a_bucket_holds_its_lower_edge_and_the_last_one_both(self):
        assert Sketch.of(np.array([0.0, 1.0, 1.0, 2.0])).counts([0.0, 1.0, 2.0]) == [1.0, 3.0]


@pytest.mark.parametrize("size", [100, 5_000, 200_000])
def test_distinct_values_are_estimated_within_a_tenth(size):
    hashes = number_hashes(np.random.default_rng(size).normal(size=size))
    distinct = Distinct.of([hashes[: size // 2]]) + Distinct.of([hashes[size // 4 :]])
    assert distinct.count == pytest.approx(size, rel=0.1)


@given(st.lists(COUNTS, min_size=1, max_size=4))
@settings(max_examples=40, deadline=None)
def test_counts_of_texts_are_exact_while_few_and_within_what_was_lost_beyond(parts):
    found = Frequencies.sum_of([Frequencies.of(part) for part in parts])
    truth: dict[str, int] = {}
    for part in parts:
        for text, count in part.items():
            truth[text] = truth.get(text, 0) + count
    assert len(found.counts) <= MOST_TEXTS
    assert found.lost <= sum(truth.values()) / (MOST_TEXTS + 1)
    assert all(0 <= count - found.counts.get(text, 0) <= found.lost for text, count in truth.items())
    if len(truth) <= MOST_TEXTS:
        assert dict(found.counts) == truth


def test_a_heavy_hitter_among_many_rare_texts_is_found():
    counts = Frequencies.of({**{str(at): 1 for at in range(5000)}, "heavy": 900})
    assert counts.ranked()[0] == ("heavy", 899) and counts.lost == 1


def test_numerals_are_counted_as_written_and_too_many_are_given_up_for_good():
    few = Numerals({"1": 2}) + Numerals({"1.0": 1, "1": 1})
    assert few.counts == {"1": 3, "1.0": 1}
    many = Numerals({str(at + 2): 1 for at in range(MOST_NUMERALS)}) + few
    assert many.counts is None and (many + few).counts is None


def test_a_file_becomes_statistics_and_constraints(tmp_path):
    text = "x,word,free,gap\n" + "".join(f"{at - 3},{'ab'[at % 2]},text {at},\n" for at in range(150))
    (tmp_path / "t.csv").write_text(text)
    statistics, constraints = data_quality(tmp_path / "t.csv")
    json.dumps([statistics, constraints], allow_nan=False)
    assert statistics["dataset"] == {"item_count": 150}
    x, word, free, gap = statistics["features"]
    assert x["numerical_statistics"]["min"] == -3.0
    assert sum(b["count"] for b in x["numerical_statistics"]["distribution"]["kll"]["buckets"]) == 150
    assert word["string_statistics"]["distribution"]["categorical"]["buckets"] == [
        {"value": "a", "count": 75},
        {"value": "b", "count": 75},
    ]
    assert free["string_statistics"]["distinct_count"] == 150.0
    assert "distribution" not in free["string_statistics"]
    assert gap["inferred_type"] == "Unknown"
    assert [feature["completeness"] for feature in constraints["features"]] == [1.0, 1.0, 1.0, 0.0]
    assert constraints["features"][0]["num_constraints"] == {"is_non_negative": False}
    assert constraints["features"][1]["string_constraints"] == {"domains": ["a", "b"]}
    assert "string_constraints" not in constraints["features"][2]


def test_a_column_that_never_varies_has_buckets_of_no_width(tmp_path):
    (tmp_path / "t.csv").write_text("x\n" + "5\n" * 30)
    [feature] = data_quality(tmp_path / "t.csv")[0]["features"]
    counts = [b["count"] for b in feature["numerical_statistics"]["distribution"]["kll"]["buckets"]]
    assert counts == [0.0] * 9 + [30.0]


def test_a_header_alone_cannot_be_profiled(tmp_path):
    (tmp_path / "t.csv").write_text("a,b\n")
    with pytest.raises(BadDrop, match="no rows"):
        data_quality(tmp_path / "t.csv")
