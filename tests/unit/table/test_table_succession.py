"""How many independent rows consecutive rows tell as much as: estimated well, added up, used by every test."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tidegate.core.monitor import DATA_FALSE_ALARMS
from tidegate.table.compare import compare
from tidegate.table.compare.alike import alike
from tidegate.table.constraints import Constraints, suggest
from tidegate.table.drift.tails import unsure
from tidegate.table.profile import Cells, ColumnProfile, Profile
from tidegate.table.profile.frequencies import Numerals
from tidegate.table.profile.succession import LOOKED_AT, Succession
from tidegate.table.profile.value_types import ValueTypes
from tidegate.table.quality.answers import Answers
from tidegate.table.watch.cells import read_column
from tidegate.table.watch.recent import REMEMBERED, Recent


def walk(rng: np.random.Generator, rows: int, keep: float) -> np.ndarray:
    """Draw normal values, each correlated by so much with the one before."""
    found = rng.normal(size=rows)
    for at in range(1, rows):
        found[at] = keep * found[at - 1] + math.sqrt(1 - keep**2) * found[at]
    return found


def time_of(keep: float) -> float:
    """Give the integrated autocorrelation time of whether such values are above their median."""
    return 1 + 4 / math.pi * sum(math.asin(keep**lag) for lag in range(1, 2000))


def numbers(values: np.ndarray) -> ColumnProfile:
    return ColumnProfile.of(Cells(ValueTypes(fractional=len(values)), values, Numerals(None)))


class TestTheEstimate:
    @pytest.mark.parametrize("keep", [0.2, 0.5, 0.9])
    @pytest.mark.parametrize("rows", [200, 1000])
    def test_many_short_windows_tell_as_much_as_a_long_one(self, keep, rows):
        rng = np.random.default_rng(rows)
        windows = [Succession.of(walk(rng, rows, keep)) for _ in range(20_000 // rows)]
        found = Succession.sum_of(windows)
        assert found.rows_for_one == pytest.approx(time_of(keep), rel=0.2)
        assert found.freedom > 50

    @pytest.mark.parametrize("rows", [100, 200, 1000])
    def test_independent_rows_lose_almost_nothing(self, rows):
        rng = np.random.default_rng(rows)
        for make in (Succession.of, lambda values: Succession.of_codes((values * 2).astype(int))):
            found = [make(rng.normal(size=rows)).rows_for_one for _ in range(60)]
            assert np.median([1 / each for each in found]) == 1.0
            assert np.quantile([1 / each for each in found], 0.1) >= 0.9

    def test_one_window_tells_that_its_rows_are_alike_and_how_little_it_knows_by_how_much(self):
        rng = np.random.default_rng(1)
        found = [Succession.of(walk(rng, 200, 0.9)) for _ in range(40)]
        assert np.median([each.rows_for_one for each in found]) > 4
        assert np.median([each.freedom for each in found]) < 10

    def test_what_is_known_less_well_makes_less_sure(self):
        # Student's t: the quantile of 0.001 of the normal distribution is 3.0902.
        assert unsure(0.001, 10) == pytest.approx(0.00571, rel=0.03)
        assert unsure(0.001, 3) == pytest.approx(0.0269, rel=0.05)
        assert unsure(1e-9, 1e6) == pytest.approx(1e-9, rel=0.01)
        for p in (0.0, 0.5, 0.7, 1.0):
            assert unsure(p, 5) == p
        assert unsure(5e-324, 4) > 1e-10

    @given(st.lists(st.lists(st.integers(0, 3), max_size=40), max_size=6), st.integers(0, 6))
    @settings(max_examples=30, deadline=None)
    def test_it_adds_whatever_the_parts_and_is_the_same_when_read_back(self, blocks, cut):
        parts = [Succession.of_codes(np.array(block, dtype=float)) for block in blocks]
        whole = Succession.sum_of(parts)
        halves = Succession.sum_of(parts[:cut]) + Succession.sum_of(parts[cut:])
        assert halves.kept == pytest.approx(whole.kept)
        assert Succession.read(whole.kept) == whole
        assert halves.rows_for_one == pytest.approx(whole.rows_for_one)

    def test_what_was_kept_before_these_sums_were_is_nothing(self):
        assert Succession.read((1000, 125.0)) == Succession()
        assert Succession.read(()) == Succession()
        assert (Succession().rows_for_one, Succession().freedom) == (1.0, math.inf)

    def test_remembered_for_long_it_counts_for_no_more_than_so_many_values_and_says_the_same(self):
        rng = np.random.default_rng(2)
        found = Succession.sum_of(Succession.of(walk(rng, 500, 0.5)) for _ in range(20))
        less = found.at_most(4000)
        assert less.values == 4000
        assert less.rows_for_one == pytest.approx(found.rows_for_one)
        assert found.at_most(20_000) == found

    def test_numbers_are_looked_at_block_by_block(self):
        values = walk(np.random.default_rng(3), 3 * LOOKED_AT, 0.8)
        parts = [Succession.of(values[at : at + LOOKED_AT]) for at in range(0, len(values), LOOKED_AT)]
        assert Succession.of_all(values) == Succession.sum_of(parts)


class TestWhatIsMarked:
    def test_marks_that_come_in_runs_tell_and_a_single_run_or_none_tells_nothing(self):
        rng = np.random.default_rng(4)
        runs = np.repeat(rng.random(100) < 0.2, 10)
        assert Succession.of_marks(runs).rows_for_one > 4
        assert Succession.of_marks(rng.random(1000) < 0.2).rows_for_one == 1.0
        for none in (np.zeros(1000, bool), np.ones(1000, bool), np.arange(1000) < 80, np.arange(1000) > 900):
            assert Succession.of_marks(none) == Succession()

    @pytest.mark.parametrize(
        ("kind", "cells"), [("numeric", "{:.2f}"), ("integer", "{:.0f}"), ("categorical", "c{:.0f}")]
    )
    @pytest.mark.parametrize("odd", ["", "NA?"])
    def test_a_window_s_columns_know_how_their_gaps_follow_each_other(self, kind, cells, odd):
        rng = np.random.default_rng(5)
        missing = np.repeat(rng.random(60) < 0.3, 10)
        sent = [odd if gone else cells.format(rng.normal(50, 9)) for gone in missing]
        _, profile = read_column(pa.array(sent), kind, ("NA?",) if kind == "categorical" else ())
        assert profile.gaps == Succession.of_marks(missing)
        again = Profile.from_bytes(Profile(600, {"x": profile}).to_bytes())
        assert again.columns["x"].gaps == profile.gaps
        assert again.in_no_order().columns["x"].gaps == Succession()

    def test_gaps_that_always_came_in_runs_are_counted_as_runs_and_those_of_a_sudden_row_by_row(self):
        rng = np.random.default_rng(6)

        def window(share: float) -> Profile:
            gone = np.repeat(rng.random(20) < share, 20)
            sent = ["" if each else f"{rng.normal():.6f}" for each in gone]
            return Profile(400, {"x": read_column(pa.array(sent), "numeric")[1]})

        baseline = Profile.sum_of(window(0.10) for _ in range(12))
        limits = Constraints.read(suggest(baseline))
        before = Profile.sum_of(window(0.10) for _ in range(8))
        assert alike(window(0.1), before)["x"].gaps.rows_for_one > 8
        grown = window(0.3)
        assert not compare(baseline, limits, grown, before=before).violations
        assert compare(baseline, limits, grown, before=before.in_no_order()).violations


class TestTheOrderOfLastRows:
    def test_it_is_remembered_far_longer_than_the_rows_and_each_window_counts_once(self):
        rng = np.random.default_rng(7)
        recent, kept, windows = Recent(), {}, []
        for at in range(40):
            windows.append(Profile(200, {"x": numbers(walk(rng, 200, 0.7))}))
            newer = kept.get(recent.newer)
            recent, kept[f"{at}"] = recent.after(newer, windows[-1], f"{at}", at == 20)
        known = recent.before([kept[place] for place in recent.places])
        every = Succession.sum_of(each.columns["x"].succession for each in windows)
        assert known.columns["x"].succession.kept == pytest.approx(every.kept)
        assert known.rows < every.values < REMEMBERED
        assert Recent().before([]) == Profile()

    def test_a_caller_who_begins_to_send_what_is_alike_is_seen_at_once(self):
        rng = np.random.default_rng(8)
        before = Profile.sum_of(Profile(200, {"x": numbers(rng.normal(size=200))}) for _ in range(50))

        def seen(keep: float) -> float:
            windows = [Profile(400, {"x": numbers(walk(rng, 400, keep))}) for _ in range(15)]
            return float(np.median([alike(each, before)["x"].rows.rows_for_one for each in windows]))

        assert seen(0.0) == 1.0
        assert seen(0.95) > 5

    def test_no_column_tells_more_than_half_of_them_allow(self):
        rng = np.random.default_rng(9)
        columns = {f"x{at}": numbers(walk(rng, 1000, 0.9)) for at in range(3)}
        found = alike(Profile(1000, {**columns, "y": numbers(rng.normal(size=1000))}), Profile())
        assert found["y"].rows.rows_for_one > 5
        assert found["y"].values.rows_for_one == 1.0


@pytest.mark.slow
@pytest.mark.parametrize("keep", [0.5, 0.9])
def test_checks_of_rows_that_are_alike_stay_within_their_budget_at_fifty_times_its_rate(keep):
    rng = np.random.default_rng(11)

    def drawn(rows: int, keep: float) -> Profile:
        columns = {f"n{at}": numbers(walk(rng, rows, keep)) for at in range(5)}
        gone = walk(rng, rows, keep) < -1.3
        found = numbers(rng.normal(size=int((~gone).sum())))
        types = ValueTypes(fractional=int((~gone).sum()), missing=int(gone.sum()))
        columns["gaps"] = replace(found, types=types, gaps=Succession.of_marks(gone))
        return Profile(rows, columns)

    baseline = drawn(4000, 0.0)
    limits, recent, kept = Constraints.read(suggest(baseline)), Recent(), {}
    alarms, checks, rate = 0, 150, 50 * DATA_FALSE_ALARMS
    for at in range(checks):
        window, before = drawn(200, keep), recent.before([kept[place] for place in recent.places])
        found = compare(baseline, limits, window, before=before, false_alarms=rate)
        alarms += bool(found.violations)
        recent, kept[f"{at}"] = recent.after(kept.get(recent.newer), window, f"{at}", found.denied)
    assert alarms <= 8, f"{checks * rate:.1f} may be expected"


def test_errors_that_are_alike_are_known_by_the_order_of_the_answers_if_they_have_one():
    rng = np.random.default_rng(10)
    truth = rng.normal(size=2000)
    given = Answers("Regression", truth, truth + walk(rng, 2000, 0.9), in_order=True)
    errors, both = given.alike(given)
    assert errors.rows_for_one > 3
    assert both >= errors
    unordered = Answers("Regression", given.truth, given.answers)
    assert {each.rows_for_one for each in unordered.alike(unordered)} == {1.0}
    chosen = walk(rng, 2000, 0.9) > 0
    labels = np.where(chosen, "1", "0")
    classes = Answers("BinaryClassification", labels, np.full(2000, "1"), in_order=True)
    assert classes.alike(classes)[0].rows_for_one > 5
