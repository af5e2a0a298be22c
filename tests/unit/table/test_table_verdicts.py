"""The laws of a verdict: nothing alarms by accident, nothing small alarms, and what matters is found soon."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tidegate.core.monitor import DATA_FALSE_ALARMS, false_alarms, quiet_days, rates
from tidegate.table.compare import compare
from tidegate.table.compare.shares import SharesChanged
from tidegate.table.compare.unseen import unseen
from tidegate.table.constraints import Constraints, suggest
from tidegate.table.constraints.read import ColumnConstraints
from tidegate.table.drift import Categories
from tidegate.table.drift.tails import more_marked, other_share
from tidegate.table.profile import Cells, ColumnProfile, Profile
from tidegate.table.profile.frequencies import Frequencies, Numerals
from tidegate.table.profile.succession import Succession
from tidegate.table.profile.value_types import ValueTypes
from tidegate.table.scan import profile_records
from tidegate.table.watch.recent import ROWS, Recent

DAY = date(2024, 1, 1)
SHARES = np.array([0.3, 0.2, 0.2, 0.1, 0.1, 0.05, 0.03, 0.015, 0.004, 0.001])


def numbers(values: np.ndarray) -> ColumnProfile:
    return ColumnProfile.of(Cells(ValueTypes(fractional=len(values)), values, Numerals(None)))


def flags(values: np.ndarray) -> ColumnProfile:
    found, counts = np.unique(values, return_counts=True)
    counted = {str(int(v)): int(c) for v, c in zip(found, counts, strict=True)}
    return ColumnProfile.of(Cells(ValueTypes(integral=len(values)), values.astype(float), Numerals(counted)))


def texts(values) -> ColumnProfile:
    found, counts = np.unique(values, return_counts=True)
    counted = Frequencies.of(dict(zip(found.tolist(), counts.tolist(), strict=True)))
    return ColumnProfile.of(Cells(ValueTypes(string=len(values)), texts=counted))


def table(rng: np.random.Generator, rows: int, shift: float = 0.0) -> Profile:
    columns = {f"n{at}": numbers(rng.lognormal(shift if at == 0 else 0.0, 1, rows)) for at in range(6)}
    columns |= {f"c{at}": texts(rng.choice(list("abcdefghij"), rows, p=SHARES)) for at in range(4)}
    columns |= {f"f{at}": flags(rng.random(rows) < 0.2) for at in range(2)}
    return Profile(rows, columns)


def rules(baseline: Profile) -> Constraints:
    return Constraints.read(suggest(baseline))


def checks_of(found) -> set[tuple[str, str]]:
    return {(column, each.check) for each in found.violations for column in each.columns}


@pytest.mark.parametrize("predicted", [False, True])
def test_numbers_far_outside_are_bad_data_unless_the_model_made_them(predicted):
    rng = np.random.default_rng(3)
    baseline = Profile(1000, {"n": numbers(rng.normal(size=1000))})
    window = Profile(1000, {"n": numbers(np.where(rng.random(1000) < 0.05, 999.0, rng.normal(size=1000)))})
    column = ColumnConstraints("n", "Fractional", predicted=predicted)
    found = compare(baseline, Constraints({"n": column}), window)
    assert checks_of(found) == (set() if predicted else {("n", "range_check")})


@pytest.mark.parametrize("word", ["NA", "null", "NaN", "None", "?"])
@pytest.mark.parametrize("known", [False, True])
def test_a_word_for_nothing_is_a_gap_unless_the_baseline_holds_it_as_a_text(word, known):
    towns = ["Oslo", "Bergen", word if known else "Bodø"]
    baseline = profile_records({"town": towns[at % 3]} for at in range(900))
    window = profile_records({"town": [*towns, word][at % 4]} for at in range(900))
    checks = checks_of(compare(baseline, rules(baseline), window))
    assert (("town", "completeness_check") in checks) is not known
    assert ("town", "categorical_values_check") not in checks


class TestNothingAlarmsByAccident:
    @pytest.mark.slow
    @pytest.mark.parametrize("rows", [200, 1000])
    def test_unchanged_windows_alarm_less_often_than_they_may_even_at_a_rate_a_hundred_times_too_high(
        self, rows
    ):
        rng = np.random.default_rng(rows)
        alarms = 0
        for _ in range(6):
            baseline = table(rng, 2000)
            for _ in range(10):
                found = compare(baseline, rules(baseline), table(rng, rows), false_alarms=0.05)
                alarms += bool(found.violations)
        assert alarms <= 7  # 3 of 60 at most are to be expected; 7 is beyond the 97th of a hundred

    def test_the_rate_of_checks_adds_up_to_one_alarm_in_ninety_days_whatever_the_schedule(self):
        for every, checks in (("15 minutes", 90 * 96), ("1 hour", 90 * 24), ("1 day", 90)):
            assert false_alarms(every) * checks == pytest.approx(1)
            assert quiet_days(every) == 90
        rate = rates("1 hour")
        assert sum(rate) == pytest.approx(1 / 2160)
        assert rate.data == DATA_FALSE_ALARMS

    def test_what_a_check_may_spend_is_saved_up_since_the_last_that_concluded(self):
        at = "2024-05-04T00:00:00+00:00"
        later = rates("1 hour", "2024-05-03T00:00:00+00:00", "2024-04-24T00:00:00+00:00", at)
        assert later.data == pytest.approx(24 * rates("1 hour").data)
        assert later.quality == pytest.approx(0.05 * 0.2)  # never more than one check in twenty
        assert rates("1 hour", at, at, at) == rates("1 hour")

    @pytest.mark.parametrize("odd", ["-4", "", "many"])
    def test_one_odd_cell_of_three_thousand_is_nothing_and_eight_of_a_hundred_are_bad_data(self, odd):
        rng = np.random.default_rng(1)

        def made(share: float) -> Profile:
            rows = rng.lognormal(0, 1, 3000)
            cells = [odd if at < share * 3000 else f"{value:.3f}" for at, value in enumerate(rows)]
            return profile_records({"x": cell} for cell in cells)

        baseline = made(0)
        one = compare(baseline, rules(baseline), made(1 / 3000))
        assert one.verdict().verdict == "ok"
        many = compare(baseline, rules(baseline), made(0.08)).verdict()
        assert (many.verdict, many.bad_data.severity, many.drift.severity) == ("bad data", "act", "none")
        some = compare(baseline, rules(baseline), made(0.02)).verdict()
        assert (some.verdict, some.bad_data.severity) == ("bad data", "watch")

    def test_the_baseline_s_own_rows_and_a_few_more_are_no_news(self):
        rng = np.random.default_rng(2)
        makes = [f"make {at}" for at in range(60)]
        rows = rng.choice(makes, 5000).tolist()
        baseline = Profile(5000, {"make": texts(rows)})
        window = Profile(5002, {"make": texts([*rows, "never seen", "nor this"])})
        assert compare(baseline, rules(baseline), window).violations == ()

    @pytest.mark.parametrize("known", [80, 2000])
    def test_texts_that_are_nearly_all_different_do_not_alarm_and_one_that_is_everywhere_does(self, known):
        rng = np.random.default_rng(known)

        def notes(rows: int) -> list[str]:
            return [f"note {at}" for at in rng.integers(0, 10**9, rows)]

        baseline = Profile(known, {"note": texts(notes(known))})
        assert compare(baseline, rules(baseline), Profile(500, {"note": texts(notes(500))})).violations == ()
        window = Profile(500, {"note": texts([*notes(350), *["same"] * 150])})
        assert ("note", "baseline_drift_check") in checks_of(compare(baseline, rules(baseline), window))

    @pytest.mark.slow
    def test_rows_that_are_alike_alarm_no_more_than_others(self):
        rng = np.random.default_rng(3)

        def walk(rows: int, keep: float) -> Profile:
            found = np.empty((rows, 8))
            found[0] = rng.normal(size=8)
            for at in range(1, rows):
                found[at] = keep * found[at - 1] + np.sqrt(1 - keep**2) * rng.normal(size=8)
            columns = {f"n{at}": numbers(found[:, at]) for at in range(6)}
            columns |= {f"f{at}": flags(found[:, 6 + at] > 0.8) for at in range(2)}
            return Profile(rows, columns)

        baseline = walk(4000, 0.0)
        limits = rules(baseline)
        for keep in (0.5, 0.9, 0.98):
            alarms = sum(bool(compare(baseline, limits, walk(300, keep)).violations) for _ in range(40))
            assert alarms <= 1, keep
        found = compare(baseline, limits, walk(1000, 0.9)).columns["n0"]
        assert found.rows_for_one > 4


class TestWhatMattersIsFound:
    @pytest.mark.parametrize("now", [0.40, 0.05])
    def test_a_flag_of_22_percent_that_goes_to_40_is_drift_as_the_words_would_be(self, now):
        rng = np.random.default_rng(4)
        for make, words in ((flags, None), (texts, np.array(["no", "yes"]))):
            drawn = [rng.random(3000) < share for share in (0.22, now)]
            before, after = ((d if words is None else words[d.astype(int)]) for d in drawn)
            baseline = Profile(3000, {"x": make(before)})
            found = compare(baseline, rules(baseline), Profile(3000, {"x": make(after)}))
            assert checks_of(found) == {("x", "baseline_drift_check")}
            assert found.columns["x"].distance == pytest.approx(abs(now - 0.22), abs=0.04)

    @pytest.mark.slow
    def test_a_shift_too_small_for_one_window_is_found_in_several_and_its_end_is_seen_at_once(self):
        rng = np.random.default_rng(5)
        baseline = table(rng, 5000)
        limits, recent, kept = rules(baseline), Recent(), {}
        told = []
        for at in range(40):
            window = table(rng, 200, shift=0.33 if 8 <= at < 28 else 0.0)
            before = Profile.sum_of([kept[place] for place in recent.places])
            found = compare(baseline, limits, window, before=before)
            recent, kept[f"{at}"] = recent.after(kept.get(recent.newer), window, f"{at}", found.denied)
            of_it = [each.sentence.plain for each in found.violations if "n0" in each.columns]
            over = found.columns["n0"].over
            assert all((f"(by the last {over:,} rows)" in words) == (over > 200) for words in of_it)
            told.append("n0" in {column for each in found.violations for column in each.columns})
        assert not any(told[:8])
        first = told.index(True)
        assert first - 8 < 15  # 3,000 rows
        # One window may be enough by luck; from 3,000 rows on it is told every time.
        assert all(told[23:28])
        assert sum(told[28:]) <= 2

    def test_what_is_kept_of_the_last_rows_is_bounded_and_the_same_when_repeated(self):
        recent, kept = Recent(), {}
        for at in range(50):
            window = Profile(150, {"x": numbers(np.arange(150.0) + at)})
            newer = kept.get(recent.newer)
            again = recent.after(newer, window, f"{at}", False)
            recent, kept[f"{at}"] = recent.after(newer, window, f"{at}", False)
            assert again[0] == recent == Recent.from_dict(recent.to_dict())
            assert again[1].to_bytes() == kept[f"{at}"].to_bytes()
            assert sum(kept[place].rows for place in recent.places) <= 2 * (ROWS + 150)
        assert Recent.from_dict(None) == Recent()

    def test_what_changed_is_said_where_it_changed_if_the_mean_does_not_show_it(self):
        rng = np.random.default_rng(8)
        heavy = rng.lognormal(-6, 2.5, 4000)
        baseline = Profile(4000, {"x": numbers(heavy)})
        window = Profile(4000, {"x": numbers(np.where(heavy < np.quantile(heavy, 0.7), heavy / 30, heavy))})
        [found] = compare(baseline, rules(baseline), window).violations
        assert "of the values are at most" in found.sentence.plain
        assert "were before" in found.sentence.plain


class TestDates:
    def made(self, first: date, days: int, rows: int = 400, seed: int = 1) -> Profile:
        rng = np.random.default_rng(seed)
        drawn = [(first + timedelta(int(at))).isoformat() for at in rng.integers(0, days, rows)]
        return profile_records({"day": each} for each in drawn)

    @pytest.mark.parametrize(
        ("first", "days", "verdict"),
        [
            (DAY, 180, "ok"),  # the same half year
            (DAY + timedelta(180), 7, "ok"),  # the week after
            (DAY + timedelta(250), 30, "ok"),  # a month that came later
            (DAY + timedelta(3650), 180, "drift"),  # ten years later
            (DAY - timedelta(3650), 180, "drift"),
            (DAY, 20, "drift"),  # of the half year only the first days
        ],
    )
    def test_time_goes_on_and_does_not_jump(self, first, days, verdict):
        baseline = self.made(DAY, 180, 1500)
        found = compare(baseline, rules(baseline), self.made(first, days, seed=2))
        assert found.verdict().verdict == verdict

    def test_days_of_the_past_that_move_on_with_time_are_as_before(self):
        """Such as the first registration of cars that come a year later."""
        baseline = self.made(date(2000, 1, 1), 8000, 1500)
        later = self.made(date(2001, 1, 1), 8000, 500, seed=2)
        assert compare(baseline, rules(baseline), later).violations == ()

    def test_weeks_that_follow_each_other_never_alarm_however_long(self):
        baseline = self.made(DAY, 60, 1500)
        limits, before, fronts = rules(baseline), None, {}
        for week in range(40):
            window = self.made(DAY + timedelta(60 + 7 * week), 7, 300, seed=week)
            found = compare(baseline, limits, window, before=before, fronts=fronts)
            assert found.violations == (), week
            before, fronts = window, found.fronts
        jump = self.made(DAY + timedelta(5000), 7, 300)
        for _ in range(3):  # and a jump goes on being one
            found = compare(baseline, limits, jump, before=before, fronts=fronts)
            assert found.verdict().verdict == "drift"
            before, fronts = jump, found.fronts


class TestTests:
    @given(st.integers(0, 40), st.integers(1, 60), st.integers(0, 40), st.integers(1, 60))
    @settings(max_examples=80, deadline=None)
    def test_fisher_s_test_is_the_hypergeometric_tail_and_never_nothing(
        self, marked, rows, before, rows_before
    ):
        from math import comb

        marked, before = min(marked, rows), min(before, rows_before)
        marks, every = marked + before, rows + rows_before
        tail = sum(
            comb(marks, k) * comb(every - marks, rows - k)
            for k in range(marked, min(marks, rows) + 1)
            if rows - k <= every - marks
        ) / comb(every, rows)
        found = more_marked(marked, rows, before, rows_before)
        grown = marked * rows_before > before * rows
        assert found == pytest.approx(tail if grown else 1.0, rel=1e-6)
        assert 0 < found <= 1
        assert other_share(marked, rows, before, rows_before) == other_share(
            rows - marked, rows, rows_before - before, rows_before
        )

    @pytest.mark.parametrize(("rows", "before"), [(10**6, 10**6), (3000, 10**7)])
    def test_no_probability_is_0_however_large_the_windows(self, rows, before):
        assert 0 < more_marked(rows, rows, 0, before) < 1e-300

    def test_unseen_categories_are_as_rare_as_their_test_says(self):
        rng = np.random.default_rng(6)
        shares = 1 / np.arange(1, 401)
        shares /= shares.sum()

        def counted(rows: int) -> Categories:
            drawn = np.bincount(rng.choice(400, rows, p=shares))
            return Categories({str(at): int(n) for at, n in enumerate(drawn) if n}, rows)

        found = [unseen(counted(2000), counted(500), 1.0)[2] for _ in range(300)]
        assert sum(p < 0.05 for p in found) <= 25
        rows, effect, p = unseen(counted(2000), Categories({**counted(500).counts, "new": 40}, 540), 1.0)
        assert rows >= 40 and effect > 0.05 and p < 1e-12

    @pytest.mark.parametrize("kinds", [2, 12])
    def test_changes_of_shares_are_as_rare_as_their_test_says(self, kinds):
        rng = np.random.default_rng(kinds)
        shares = rng.dirichlet(np.ones(kinds))

        def drawn(rows: int) -> Categories:
            return Categories(
                {str(at): int(n) for at, n in enumerate(rng.multinomial(rows, shares)) if n}, rows
            )

        found = [SharesChanged(drawn(3000), drawn(300)).p_value for _ in range(300)]
        assert sum(p < 0.05 for p in found) <= 25

    def test_what_follows_each_other_is_told_from_what_was_sorted(self):
        rng = np.random.default_rng(7)
        values = rng.normal(size=4000)
        assert Succession.of(values).rows_for_one == 1.0
        assert Succession.of(np.sort(values)).rows_for_one == 1.0
        assert Succession.of(np.repeat(values[:400], 10)).rows_for_one > 5
        codes = rng.integers(0, 4, 4000).astype(float)
        assert Succession.of_codes(codes).rows_for_one < 1.2
        assert Succession.of_codes(np.sort(codes)).rows_for_one == 1.0
        assert Succession.of_codes(np.repeat(codes[:400], 10)).rows_for_one > 5

    @given(st.lists(st.lists(st.integers(0, 3), max_size=30), max_size=5))
    @settings(max_examples=40, deadline=None)
    def test_successions_add(self, blocks):
        parts = [Succession.of_codes(np.array(block, dtype=float)) for block in blocks]
        assert Succession.sum_of(parts) == sum(parts, Succession())
