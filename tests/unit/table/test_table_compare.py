"""A window is compared with its baseline: each fault is found in the right column, and nothing else is."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path

import numpy as np
import pytest
from tests.unit.refusals import refused

from tidegate.core.errors import BadConstraints
from tidegate.table.compare import compare, exit_message
from tidegate.table.compare.false_alarms import q_values
from tidegate.table.constraints import Constraints, suggest
from tidegate.table.profile import Profile, read_statistics
from tidegate.table.scan import profile_file, profile_records

DATA = Path(__file__).parents[4] / "shared" / "data" / "model-monitor"
golden = pytest.mark.skipif(not DATA.is_dir(), reason="the golden files are not on this machine")
ROWS = 3000


def rows_of(seed: int, count: int) -> list[dict]:
    rng = np.random.default_rng(seed)
    return [
        {
            "size": f"{size:.3f}",
            "year": str(year),
            "make": "ABCDE"[make],
            "gap": None if gap < 0.2 else f"{gap:.2f}",
            "note": f"free text {note}",
        }
        for size, year, make, gap, note in zip(
            rng.lognormal(3, 1, count),
            rng.integers(1990, 2024, count),
            rng.choice(5, count, p=[0.4, 0.3, 0.15, 0.1, 0.05]),
            rng.random(count),
            rng.integers(0, 10**6, count),
            strict=True,
        )
    ]


@pytest.fixture(scope="module")
def baseline() -> Profile:
    return profile_records(rows_of(1, ROWS))


@pytest.fixture(scope="module")
def constraints(baseline) -> Constraints:
    return Constraints.read(suggest(baseline))


def faulty(change) -> Profile:
    rows = rows_of(2, 1000)
    for at, row in enumerate(rows):
        change(at, row)
    return profile_records(rows)


FAULTS = {
    "other type": (lambda at, row: row.update(year="unknown") if at % 20 == 0 else None, "year", "data_type_check"),
    "fractions": (lambda at, row: row.update(year=row["year"] + ".5"), "year", "data_type_check"),
    "gaps": (lambda at, row: row.update(size="") if at % 10 == 0 else None, "size", "completeness_check"),
    "more gaps": (lambda at, row: row.update(gap=None) if at % 8 == 0 else None, "gap", "completeness_check"),
    "negative": (lambda at, row: row.update(size="-" + row["size"]) if at % 50 == 0 else None, "size", "non_negative_check"),
    "new category": (lambda at, row: row.update(make="Z") if at % 25 == 0 else None, "make", "categorical_values_check"),
    "column gone": (lambda at, row: row.pop("gap"), "gap", "missing_column_check"),
    "column new": (lambda at, row: row.update(surprise="1"), "surprise", "extra_column_check"),
    "shift": (lambda at, row: row.update(size=str(float(row["size"]) * 1.5)), "size", "baseline_drift_check"),
    "scale": (lambda at, row: row.update(year=str(2007 + (int(row["year"]) - 2007) // 3)), "year", "baseline_drift_check"),
    "categories": (lambda at, row: row.update(make="D") if at % 4 == 0 else None, "make", "baseline_drift_check"),
    "heavy hitter": (lambda at, row: row.update(note="same") if at % 4 == 0 else None, "note", "baseline_drift_check"),
    "units": (lambda at, row: row.update(size=str(float(row["size"]) * 1000)), "size", "baseline_drift_check"),
}  # fmt: skip


@pytest.mark.parametrize("fault", sorted(FAULTS))
def test_one_injected_fault_is_found_and_the_right_column_named(baseline, constraints, fault):
    change, column, check = FAULTS[fault]
    found = compare(baseline, constraints, faulty(change))
    assert check in {each.check for each in found.violations if column in each.columns}
    assert {name for each in found.violations for name in each.columns} == {column}
    verdict = found.verdict()
    assert verdict.verdict == ("drift" if check == "baseline_drift_check" else "bad data")
    assert verdict.worst == (column,)
    assert verdict.reason.plain.startswith(f"{column}: ")
    json.dumps(found.to_dict(), allow_nan=False)


def test_an_unchanged_window_is_ok(baseline, constraints):
    found = compare(baseline, constraints, faulty(lambda at, row: None))
    assert found.violations == ()
    assert found.verdict().verdict == "ok"


def test_too_few_rows_are_never_called_ok(baseline, constraints):
    found = compare(baseline, constraints, profile_records(rows_of(4, 199)))
    assert found.verdict().verdict == "insufficient"
    assert compare(baseline, constraints, Profile()).verdict().verdict == "insufficient"
    assert found.verdict(least_rows=100).verdict == "ok"


@pytest.mark.slow
def test_windows_like_the_baseline_raise_few_false_alarms_however_wide_the_table():
    rng = np.random.default_rng(5)
    wide = {f"n{at}": rng.normal(size=2000) for at in range(36)}
    wide |= {f"c{at}": rng.choice(list("abcdefgh"), 2000) for at in range(24)}

    def window(rows: np.ndarray) -> Profile:
        from tidegate.table.profile import Cells, ColumnProfile
        from tidegate.table.profile.frequencies import Frequencies, Numerals
        from tidegate.table.profile.value_types import ValueTypes

        columns = {}
        for name, values in wide.items():
            taken = values[rows]
            if name[0] == "n":
                cells = Cells(ValueTypes(fractional=len(rows)), taken, Numerals(None))
            else:
                texts, counts = np.unique(taken, return_counts=True)
                counted = Frequencies(dict(zip(texts.tolist(), counts.tolist(), strict=True)))
                cells = Cells(ValueTypes(string=len(rows)), texts=counted)
            columns[name] = ColumnProfile.of(cells)
        return Profile(len(rows), columns)

    baseline = window(np.arange(2000))
    constraints = Constraints.read(suggest(baseline))
    alarms = sum(
        compare(baseline, constraints, window(rng.integers(0, 2000, 200))).verdict().verdict == "drift"
        for _ in range(30)
    )
    assert alarms <= 2


def test_without_control_of_false_alarms_the_rules_are_model_monitor_s(baseline, constraints):
    window = profile_records(rows_of(3, 60))
    bare = compare(baseline, constraints, window, false_alarms=None)
    for column in bare.columns.values():
        if column.moved is not None and "robust" in column.moved.measures:
            assert column.moved.distance == column.moved.measures["robust"].distance
    gaps = compare(baseline, constraints, faulty(lambda at, row: None), false_alarms=None)
    worse = gaps.columns["gap"].missing / 1000 > 1 - constraints.columns["gap"].completeness
    assert worse == any(each.check == "completeness_check" for each in gaps.violations)


@pytest.mark.parametrize("false_alarms", [None, 0.05])
@pytest.mark.parametrize("method", ["Robust", "Simple"])
def test_the_distance_that_is_shown_is_the_one_in_the_violation_s_words(baseline, method, false_alarms):
    document = suggest(baseline)
    settings = document["monitoring_config"]["distribution_constraints"]
    settings["comparison_method"] = method
    moved = faulty(lambda at, row: row.update(size=str(float(row["size"]) * 2)))
    found = compare(baseline, Constraints.read(document), moved, false_alarms=false_alarms)
    shown = {each["name"]: each["distance"] for each in found.to_dict()["columns"] if "distance" in each}
    [told] = [each["description"] for each in found.to_dict()["violations"] if each["feature_name"] == "size"]
    assert f"Baseline drift distance: {shown['size']} exceeds" in told


def test_editing_one_suggestion_leaves_the_next_as_it_is(baseline):
    edited = suggest(baseline)
    edited["monitoring_config"]["distribution_constraints"]["comparison_method"] = "Simple"
    kept = suggest(baseline)["monitoring_config"]["distribution_constraints"]
    assert kept["comparison_method"] == "Robust"


def test_settings_change_what_is_checked(baseline):
    document = suggest(baseline)

    def found(change) -> set[str]:
        edited = json.loads(json.dumps(document))
        change(edited)
        window = faulty(lambda at, row: row.update(make="D" if at % 4 == 0 else row["make"]))
        return {each.check for each in compare(baseline, Constraints.read(edited), window).violations}

    def each(name: str, value: object):
        return lambda doc: doc["monitoring_config"]["distribution_constraints"].update({name: value})

    assert found(lambda doc: None) == {"baseline_drift_check"}
    assert found(each("categorical_comparison_threshold", 0.9)) == set()
    assert found(each("perform_comparison", "Disabled")) == set()
    assert found(each("categorical_drift_method", "ChiSquared")) == {"baseline_drift_check"}
    assert found(lambda doc: doc["monitoring_config"].update(evaluate_constraints="Disabled")) == set()
    off = {"monitoring_config_overrides": {"evaluate_constraints": "Disabled"}}
    assert found(lambda doc: doc["features"][2]["string_constraints"].update(off)) == set()


def test_a_small_share_of_new_categories_can_be_allowed(baseline):
    document = suggest(baseline)
    document = {
        **document,
        "monitoring_config": {**document["monitoring_config"], "domain_content_threshold": 0.9},
    }
    change = FAULTS["new category"][0]
    assert compare(baseline, Constraints.read(document), faulty(change)).violations == ()


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ({}, "features: expected a list"),
        ({"features": [{"name": 3}]}, r"features\[0\].name"),
        ({"features": [{"name": "x", "completeness": 3}]}, "x.completeness: expected a share"),
        ({"features": [{"name": "x", "inferred_type": "Integer"}]}, "did you mean 'Integral'"),
        ({"features": [], "monitoring_config": {"evaluate_constraints": "yes"}}, "Enabled, Disabled"),
        (
            {
                "features": [],
                "monitoring_config": {"distribution_constraints": {"comparison_method": "robust"}},
            },
            "comparison_method: 'robust' is not one of Robust, Simple; did you mean 'Robust'",
        ),
    ],
)
def test_constraints_that_mean_nothing_are_refused_by_their_place(document, words):
    with refused(BadConstraints, words):
        Constraints.read(document)


def test_a_profile_is_kept_and_read_back(baseline, constraints):
    kept = Profile.from_bytes(baseline.to_bytes())
    assert kept.statistics() == baseline.statistics()
    window = faulty(FAULTS["shift"][0])
    assert compare(kept, constraints, window).to_dict() == compare(baseline, constraints, window).to_dict()
    assert len(baseline.to_bytes()) < 60_000 * len(baseline.columns)


@pytest.mark.parametrize(
    "damage", [lambda raw: b"", lambda raw: raw[:-9], lambda raw: b"x" + raw, lambda raw: raw[:40]]
)
def test_a_damaged_profile_is_refused(baseline, damage):
    from tidegate.table.profile.keep import BadProfile

    with pytest.raises(BadProfile, match="profile the data again"):
        Profile.from_bytes(damage(baseline.to_bytes()))


def test_statistics_read_back_serve_as_a_baseline(baseline, constraints):
    told = read_statistics(json.loads(json.dumps(baseline.statistics())))
    quiet = compare(told, constraints, faulty(lambda at, row: None))
    assert quiet.verdict().verdict == "ok"
    for fault in ("shift", "categories", "gaps"):
        found = compare(told, constraints, faulty(FAULTS[fault][0]))
        assert found.verdict().worst[0] == FAULTS[fault][1]


def test_benjamini_and_hochberg_by_hand():
    assert q_values([0.04, 0.01, 0.03, 0.9]) == pytest.approx([0.16 / 3, 0.04, 0.16 / 3, 0.9])
    assert q_values([]) == []


@pytest.mark.slow
def test_a_week_is_the_sum_of_its_hours_and_soon_told(constraints):
    hours = [profile_records(rows_of(seed, 100)).to_bytes() for seed in range(168)]
    begin = time.process_time()
    week = Profile.sum_of(map(Profile.from_bytes, hours))
    compare(week, constraints, week)
    assert time.process_time() - begin < 0.5  # 0.05 s here; benchmarks/windows.py has 20 columns
    assert week.rows == 16_800
    assert week.columns["make"].types.present == 16_800


class TestGolden:
    @golden
    def test_model_monitor_s_own_baseline_finds_no_fault_in_its_own_data(self):
        home = DATA / "sagemaker-python-sdk" / "quality_check_step" / "data_quality"
        told = read_statistics(json.loads((home / "statistics.json").read_text()))
        window = profile_file(home / "baseline_dataset.csv", header=False)
        for case, expected in (("good_cases", []), ("bad_cases", ["_c5"])):
            rules = Constraints.read(json.loads((home / case / "constraints.json").read_text()))
            for rate in (None, 0.05):
                found = compare(told, rules, window, false_alarms=rate)
                assert [each.feature_name for each in found.violations] == expected

    @golden
    def test_columns_that_a_window_lacks_are_told_in_the_container_s_words(self):
        home = DATA / "aai540-cardio"
        told = read_statistics(json.loads((home / "statistics.json").read_text()))
        rules = Constraints.read(json.loads((home / "constraints.json").read_text()))
        window = profile_file(home / "cardio_cleaned.csv")
        shared = [name for name in rules.columns if name in window.columns]
        found = compare(told, rules.only(shared), window.only(shared), false_alarms=None)
        assert found.violations == ()
        few = compare(told, rules.only(shared[:-1]), window.only(shared))
        [extra] = few.violations_document()["violations"]
        printed = (
            DATA / "notebook-outputs" / "apmalinsky+AAI-540-FinalProject__05_ModelMonitoring__cell47.txt"
        ).read_text()
        assert extra["feature_name"] in printed and extra["constraint_check_type"] in printed
        numbers = re.compile(r"\d+")
        assert numbers.sub("N", extra["description"]) in numbers.sub("N", printed)

    @golden
    def test_a_wrong_type_and_a_gap_are_told_in_the_container_s_words(self, baseline, constraints):
        printed = (
            DATA
            / "notebook-outputs"
            / "aws+amazon-sagemaker-examples__sm-model_monitor_introduction__cell51.txt"
        ).read_text()
        rows = [{"n": "1.5" if at < 4 else "1"} for at in range(1000)]
        ours = profile_records(rows)
        rules = Constraints.read({"features": [{"name": "n", "inferred_type": "Integral"}]})
        [found] = compare(ours, rules, ours).violations
        number = re.compile(r"Only [\d.]+%")
        assert number.sub("", found.description) == number.sub(
            "", re.search(r"Data type match.*?data is Integral\.", printed)[0]
        )
        theirs = json.loads(
            (DATA / "sagemaker-python-sdk" / "monitor" / "constraint_violations.json").read_text()
        )
        words = {each["constraint_check_type"]: each["description"] for each in theirs["violations"]}
        for fault, check in (("gaps", "completeness_check"), ("new category", "categorical_values_check")):
            found = compare(baseline, constraints, faulty(FAULTS[fault][0]))
            [mine] = [each for each in found.violations if each.check == check]
            pattern = r"Value: [\d.]+ does not meet the constraint requirement! "
            assert re.fullmatch(pattern, mine.description) and re.fullmatch(pattern, words[check])


def test_the_end_of_a_check_is_told_as_the_container_tells_it():
    assert exit_message(0) == "Completed: Job completed successfully with no violations."
