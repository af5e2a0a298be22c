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
from tidegate.table.profile import data_quality
from tidegate.table.profile.column import ColumnProfile
from tidegate.table.profile.data_quality import profile_csv
from tidegate.table.profile.distinct import Distinct
from tidegate.table.profile.frequencies import MOST_TEXTS, Frequencies
from tidegate.table.profile.kll import Sketch
from tidegate.table.profile.moments import Moments
from tidegate.table.profile.value_types import ValueTypes

NUMBERS = st.lists(st.floats(-1e6, 1e6), max_size=60)
TEXTS = st.lists(
    st.one_of(
        st.integers(-50, 50).map(str),
        st.floats(-100, 100).map(repr),
        st.sampled_from(["", "NA", "true", "a", "b ", "1e999", "+5", "-.5", "5.", "é"]),
    ),
    max_size=60,
)


def profile(texts: list[str]) -> ColumnProfile:
    return ColumnProfile.of(pa.array(texts, pa.string()))


@given(TEXTS, TEXTS)
@settings(max_examples=60, deadline=None)
def test_the_profile_of_two_windows_is_the_sum_of_their_profiles(one, other):
    added, whole = profile(one) + profile(other), profile(one + other)
    assert added.types == whole.types
    assert added.frequencies.ranked() == whole.frequencies.ranked()
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
        (["3.0"], "Fractional"),
        (["1e5"], "Fractional"),
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
    assert types == ValueTypes(integral=1, fractional=1, boolean=1, string=2, missing=2)
    assert types.completeness == pytest.approx(5 / 7)


class TestSketch:
    def test_up_to_k_values_are_kept_in_the_order_they_came(self):
        values = np.random.default_rng(1).normal(size=2048)
        sketch = Sketch.of(values[:1000]) + Sketch.of(values[1000:])
        assert len(sketch.levels) == 1 and sketch.levels[0].tolist() == values.tolist()

    @pytest.mark.parametrize("blocks", [1, 7, 100])
    def test_ranks_are_within_half_a_percent_however_the_data_came(self, blocks):
        values = np.random.default_rng(2).lognormal(size=100_000)
        sketch = Sketch()
        for block in np.array_split(values, blocks):
            sketch = sketch + Sketch.of(block)
        edges = np.quantile(values, np.linspace(0, 1, 21)).tolist()
        ranks = np.cumsum(sketch.counts(edges)) / len(values)
        assert np.abs(ranks - np.linspace(0.05, 1, 20)).max() < 0.005

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
    values = np.random.default_rng(size).normal(size=size)
    none = np.empty(0, np.uint64)
    distinct = Distinct.of(values[: size // 2], none) + Distinct.of(values[size // 4 :], none)
    assert distinct.count == pytest.approx(size, rel=0.1)


def test_few_texts_are_counted_and_many_are_given_up_for_good():
    few = Frequencies.of({"a": 1}) + Frequencies.of({"b": 3, "a": 2})
    assert few.ranked() == [("a", 3), ("b", 3)]
    many = Frequencies.of({str(at): 1 for at in range(MOST_TEXTS)}) + few
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


def test_blocks_add_up_to_the_whole(tmp_path):
    rng = np.random.default_rng(1)
    pairs = zip(rng.normal(size=5000), rng.integers(0, 9, 5000), strict=True)
    (tmp_path / "t.csv").write_text("x,w\n" + "\n".join(f"{x:.3f},{w}" for x, w in pairs))
    whole = profile_csv(tmp_path / "t.csv")
    pieces = profile_csv(tmp_path / "t.csv", block_bytes=4096)
    for name, one in whole.items():
        other = pieces[name]
        assert (one.types, one.frequencies) == (other.types, other.frequencies)
        assert one.distinct.count == other.distinct.count
        assert one.sketch.count == other.sketch.count == one.moments.count == 5000
        for what in ("mean", "deviation", "total", "least", "most"):
            assert getattr(one.moments, what) == pytest.approx(getattr(other.moments, what), rel=1e-9)


def test_a_header_alone_cannot_be_profiled(tmp_path):
    (tmp_path / "t.csv").write_text("a,b\n")
    with pytest.raises(BadDrop, match="no rows"):
        data_quality(tmp_path / "t.csv")
