"""A row's part depends on the row alone."""

from __future__ import annotations

import csv
import io
import math

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tidegate.core.errors import BadDrop
from tidegate.core.spec import ModelSpec, Split
from tidegate.table.columns import Categories, Numbers, Table
from tidegate.table.read import read_drop
from tidegate.table.split import PARTS, assign, row_hashes, shuffled, split

SHARES = Split()


def make(rows: list[tuple[float, str, float]], ids: list[str] | None = None) -> Table:
    names = sorted({row[1] for row in rows})
    texts = sorted(set(ids or []))
    return Table(
        "t",
        {
            "x": Numbers(np.array([row[0] for row in rows])),
            "c": Categories(np.array([names.index(row[1]) for row in rows], np.int32), tuple(names)),
        },
        np.array([row[2] for row in rows]),
        None if ids is None else Categories(np.array([texts.index(i) for i in ids], np.int32), tuple(texts)),
        np.arange(1, len(rows) + 1),
    )


def parts_of(table: Table) -> dict[int, str]:
    return {row: part for part, rows in assign(table, SHARES).items() for row in rows.tolist()}


ROWS = st.lists(
    st.tuples(st.floats(allow_infinity=False), st.sampled_from("abcd"), st.integers(0, 9).map(float)),
    min_size=1,
    max_size=40,
)


@pytest.mark.slow
@given(ROWS, st.randoms(use_true_random=False))
@settings(max_examples=60, deadline=None)
def test_a_row_keeps_its_part_when_rows_are_reordered_and_appended(rows, random):
    before = parts_of(make(rows))
    order = list(range(len(rows)))
    random.shuffle(order)
    after = parts_of(make([rows[at] for at in order] + [(1.5, "new", 3.0)]))
    assert [after[place] for place in range(len(rows))] == [before[at] for at in order]


@given(ROWS)
@settings(max_examples=60, deadline=None)
def test_every_row_is_in_one_part_and_equal_rows_in_the_same(rows):
    parts = parts_of(make([*rows, *rows]))
    assert sorted(parts) == list(range(2 * len(rows)))
    assert all(parts[at] == parts[at + len(rows)] for at in range(len(rows)))


@given(st.lists(st.text(min_size=1, max_size=5), min_size=1, max_size=30))
@settings(max_examples=40, deadline=None)
def test_with_an_id_only_the_id_counts(ids):
    one = parts_of(make([(1.0, "a", float(at)) for at in range(len(ids))], ids))
    other = parts_of(make([(2.0, "b", -float(at)) for at in range(len(ids))], ids))
    assert one == other


def test_rows_without_an_id_are_told_apart_by_their_content():
    table = make([(float(at), "a", 1.0) for at in range(100)], ["x"] * 100)
    gaps = Table(
        table.name, table.columns, table.target, Categories(np.full(100, -1, np.int32), ()), table.numbers
    )
    assert len(set(row_hashes(table).tolist())) == 1
    assert len(set(row_hashes(gaps).tolist())) == 100


def test_the_order_in_which_the_model_lists_its_columns_does_not_matter():
    table = make([(float(at), "ab"[at % 2], 1.0) for at in range(50)])
    turned = Table("t", dict(reversed(table.columns.items())), table.target, None, table.numbers)
    assert parts_of(table) == parts_of(turned)


def test_two_columns_that_swap_their_values_make_another_row():
    one, two = Numbers(np.array([1.0])), Numbers(np.array([2.0]))
    straight = Table("t", {"a": one, "b": two}, np.array([1.0]), None, np.array([1]))
    swapped = Table("t", {"a": two, "b": one}, np.array([1.0]), None, np.array([1]))
    assert row_hashes(straight)[0] != row_hashes(swapped)[0]


def test_the_shares_are_met():
    rng = np.random.default_rng(1)
    table = make([(float(x), "a", 0.0) for x in rng.normal(size=20_000)])
    sizes = {part: len(rows) for part, rows in assign(table, SHARES).items()}
    for part in PARTS:
        assert sizes[part] / 20_000 == pytest.approx(getattr(SHARES, part), abs=0.01)


def test_a_part_without_rows_is_refused():
    with pytest.raises(BadDrop, match=r"none fell into the \w+ part"):
        split(make([(1.0, "a", 2.0)] * 30), SHARES)


def test_csv_and_parquet_of_the_same_table_split_the_same(tmp_path):
    spec = ModelSpec.from_dict(
        {
            "name": "m",
            "target": "y",
            "features": {"n": "numeric", "i": "integer", "c": "categorical", "d": "date", "b": "boolean"},
            "algorithms": {"xgboost": None},
        }
    )
    rng = np.random.default_rng(2)
    days = np.datetime64("2020-01-01") + rng.integers(0, 900, 300)
    table = pa.table(
        {
            "n": pa.array(rng.normal(size=300).astype(np.float32), mask=rng.random(300) < 0.1),
            "i": pa.array(rng.integers(0, 50, 300), mask=rng.random(300) < 0.1),
            "c": pa.array([f"level {k}" for k in rng.integers(0, 9, 300)]),
            "d": pa.array(days.tolist(), mask=rng.random(300) < 0.1),
            "b": pa.array(rng.random(300) < 0.5),
            "y": pa.array(rng.normal(size=300)),
        }
    )
    pq.write_table(table, tmp_path / "t.parquet")
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(table.column_names)
    columns = [
        ["" if v is None else str(np.float32(v)) if name == "n" else v for v in table[name].to_pylist()]
        for name in table.column_names
    ]
    writer.writerows(zip(*columns, strict=True))
    (tmp_path / "t.csv").write_text(text.getvalue())
    one = read_drop(tmp_path / "t.csv", spec, "t.csv")
    other = read_drop(tmp_path / "t.parquet", spec, "t.parquet")
    assert row_hashes(one).tolist() == row_hashes(other).tolist()


def test_the_hash_is_the_same_in_every_release():
    """A change here moves every user's rows between train and test."""
    table = make([(1.5, "a", 2.0), (float("nan"), "b", -0.0)], ["x", "y"])
    content = Table(table.name, table.columns, table.target, None, table.numbers)
    assert [row_hashes(table).tolist(), row_hashes(content).tolist()] == [
        [15182073451321537724, 8221987807821742693],
        [1753323417853880362, 15418768040348385470],
    ]


def rows_in_order(table: Table) -> list[tuple[str, ...]]:
    columns = [*map(repr, table.columns["x"].values.tolist())], table.columns["c"].texts()
    every = list(zip(*columns, map(repr, table.target.tolist()), strict=True))
    return [every[at] for at in shuffled(table).tolist()]


@pytest.mark.slow
@given(ROWS, st.randoms(use_true_random=False))
@settings(max_examples=60, deadline=None)
def test_a_file_in_another_order_trains_in_the_same(rows, random):
    again = rows.copy()
    random.shuffle(again)
    assert sorted(shuffled(make(rows)).tolist()) == list(range(len(rows)))
    # A gap's payload and a zero's sign are no part of a row.
    plain = [(x + 0.0 if x == x else math.nan, c, y) for x, c, y in rows]
    assert rows_in_order(make(plain)) == rows_in_order(
        make([(x + 0.0 if x == x else math.nan, c, y) for x, c, y in again])
    )


def test_a_sorted_file_and_rows_that_repeat_themselves_are_spread_over_the_whole():
    rows = [(float(at), "a", float(at)) for at in range(2000)] + [(1.5, "b", 3.0)] * 2000
    order = shuffled(make(rows))
    assert abs(np.corrcoef(np.arange(4000), order)[0, 1]) < 0.06
    repeated = np.add.reduceat(order >= 2000, range(0, 4000, 500))
    assert repeated.min() > 200 and repeated.max() < 300
