"""Candidate and champion are judged on the same rows, with intervals that mean what they say."""

from __future__ import annotations

import json
import math
import time

import numpy as np
import pytest
from tests.unit.refusals import refused

from tidegate.core.errors import BadPredictions
from tidegate.table.evaluate import METRICS, evaluate


def truth_of(values) -> bytes:
    return b"id,target\n" + "".join(f"r{at},{v!r}\n" for at, v in enumerate(map(float, values))).encode()


def lines(values) -> bytes:
    return "".join(f"{float(v)!r}\n" for v in values).encode()


RNG = np.random.default_rng(7)
TARGET = RNG.normal(100, 20, 200)
GOOD = TARGET + RNG.normal(0, 5, 200)
BAD = TARGET + RNG.normal(2, 9, 200)


@pytest.fixture(autouse=True)
def the_same_numbers_in_every_order(monkeypatch):
    monkeypatch.setitem(globals(), "RNG", np.random.default_rng(8))


def test_the_values_are_the_textbook_ones():
    report = evaluate(truth_of(TARGET), lines(GOOD), None, "s")
    errors = GOOD - TARGET
    assert report["rows"] == 200 and report["confidence"] == 0.95 and report["resamples"] == 1000
    assert report["candidate"]["rmse"]["value"] == pytest.approx(math.sqrt((errors**2).mean()))
    assert report["candidate"]["mae"]["value"] == pytest.approx(np.abs(errors).mean())
    r2 = 1 - (errors**2).sum() / ((TARGET - TARGET.mean()) ** 2).sum()
    assert report["candidate"]["r2"]["value"] == pytest.approx(r2)
    assert report["champion"] is None and report["difference"] is None


def test_the_intervals_are_those_of_resampling_row_by_row():
    """The product of weights gives what a plain loop over resampled rows gives."""
    report = evaluate(truth_of(TARGET), lines(GOOD), lines(BAD), "s")
    rng = np.random.default_rng(1)
    loop = []
    for _ in range(4000):
        rows = rng.integers(0, 200, 200)
        loop.append([math.sqrt(((p[rows] - TARGET[rows]) ** 2).mean()) for p in (GOOD, BAD)])
    found = np.array(loop)
    for name, values in (("candidate", found[:, 0]), ("difference", found[:, 0] - found[:, 1])):
        low, high = np.percentile(values, [2.5, 97.5])
        assert report[name]["rmse"]["low"] == pytest.approx(low, abs=0.15)
        assert report[name]["rmse"]["high"] == pytest.approx(high, abs=0.15)


def test_a_better_candidate_has_a_difference_wholly_below_zero():
    difference = evaluate(truth_of(TARGET), lines(GOOD), lines(BAD), "s")["difference"]
    assert difference["rmse"]["high"] < 0 and difference["mae"]["high"] < 0 < difference["r2"]["low"]


def test_the_same_model_twice_differs_by_nothing():
    difference = evaluate(truth_of(TARGET), lines(GOOD), lines(GOOD), "s")["difference"]
    assert all(difference[metric] == {"value": 0.0, "low": 0.0, "high": 0.0} for metric in METRICS)


def test_pairing_narrows_the_difference_of_two_like_models():
    like = GOOD + RNG.normal(0, 0.1, 200)
    report = evaluate(truth_of(TARGET), lines(GOOD), lines(like), "s")
    width = {
        name: report[name]["rmse"]["high"] - report[name]["rmse"]["low"]
        for name in ("candidate", "difference")
    }
    assert width["difference"] < width["candidate"] / 10


def test_the_seed_fixes_the_intervals():
    once, again, other = (evaluate(truth_of(TARGET), lines(GOOD), None, seed) for seed in ("a", "a", "b"))
    assert once == again
    assert once["candidate"]["rmse"]["low"] != other["candidate"]["rmse"]["low"]


@pytest.mark.parametrize(
    "body",
    [
        lines(GOOD),
        ",".join(map(str, GOOD.tolist())).encode(),
        "".join(json.dumps({"score": v}) + "\n" for v in GOOD.tolist()).encode(),
        "".join(json.dumps({"predictions": [{"score": v}]}) + "\n" for v in GOOD.tolist()).encode(),
        json.dumps({"predictions": [{"score": v} for v in GOOD.tolist()]}).encode(),
        lines(GOOD).replace(b"\n", b"\r\n\r\n"),
    ],
)
def test_every_form_of_answer_is_read_the_same(body):
    assert evaluate(truth_of(TARGET), body, None, "s") == evaluate(truth_of(TARGET), lines(GOOD), None, "s")


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (lines(GOOD[:-1]), "the candidate's predictions number 199, and 200 rows were asked"),
        (lines([*GOOD, 1.0]), "number 201"),
        (b"", "number 0"),
        (lines([*GOOD[:9], math.nan, *GOOD[10:]]), "line 10 holds 'nan', which is not a finite number"),
        (lines([*GOOD[:9], math.inf, *GOOD[10:]]), "line 10 holds 'inf'"),
        (b"price\n" + lines(GOOD[1:]), "line 1 holds 'price'"),
        (b'{"score": null}', "line 1 holds 'None'"),
        (b'{"score": ', "line 1 is not JSON"),
        (b"\xff\xfe", "are not text"),
        (lines([1e200] * 200), "too large to be squared"),
    ],
)
def test_answers_that_do_not_fit_are_refused(body, sentence):
    with refused(BadPredictions, r"^the candidate.*") as caught:
        evaluate(truth_of(TARGET), body, None, "s")
    assert sentence in caught.value.plain


def test_the_champions_answers_are_called_the_champions():
    with pytest.raises(BadPredictions, match="the champion's predictions number 1"):
        evaluate(truth_of(TARGET), lines(GOOD), b"1", "s")


def test_a_truth_without_rows_is_refused():
    with pytest.raises(BadPredictions, match="no rows"):
        evaluate(b"id,target\n", b"", None, "s")


def test_a_target_that_never_varies_has_no_r2():
    report = evaluate(truth_of([5.0] * 30), lines(RNG.normal(5, 1, 30)), None, "s")
    assert report["candidate"]["r2"] == {"value": None, "low": None, "high": None}
    assert report["candidate"]["rmse"]["value"] > 0
    json.dumps(report, allow_nan=False)


def test_the_truth_may_be_a_file(tmp_path):
    (tmp_path / "truth.csv").write_bytes(truth_of(TARGET))
    assert evaluate(tmp_path / "truth.csv", lines(GOOD), None, "s")["rows"] == 200


def test_thousands_of_rows_take_about_a_second():
    target = RNG.normal(size=7000)
    began = time.process_time()
    evaluate(truth_of(target), lines(target + 1), lines(target + 2), "s")
    assert time.process_time() - began < 3
