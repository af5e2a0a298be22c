"""The filters of batch transform: which paths are taken, and what they choose."""

from __future__ import annotations

import pytest

from tidegate.local.sagemaker.jobs.filters import BadPath, NotThere, parse

ROW = ["7", "a", "b", "c"]
RECORD = {"id": 7, "x y": 1, "deep": {"list": [1, 2, 3]}, "SageMakerOutput": {"score": 0.5}}


@pytest.mark.parametrize(
    ("path", "chosen"),
    [
        ("$", ROW),
        ("$[0]", ["7"]),
        ("$[1:]", ["a", "b", "c"]),
        ("$[:2]", ["7", "a"]),
        ("$[1:3]", ["a", "b"]),
        ("$[0,3]", ["7", "c"]),
        ("$[ 3 , 0 ]", ["c", "7"]),
        ("$[-1]", ["c"]),
        ("$[0,-1]", ["7", "c"]),
        ("$[*]", ROW),
    ],
)
def test_a_row_is_chosen_from_by_index(path: str, chosen: list[str]) -> None:
    assert parse(path).choose_fields(ROW) == chosen


@pytest.mark.parametrize(
    ("path", "chosen"),
    [
        ("$", RECORD),
        ("$.id", 7),
        ("$['x y']", 1),
        ("$.deep.list[1:]", [2, 3]),
        ("$['id','SageMakerOutput']", {"id": 7, "SageMakerOutput": {"score": 0.5}}),
        ("$.SageMakerOutput.score", 0.5),
        ("$.deep.list[-1]", 3),
        ("$.deep.*", [[1, 2, 3]]),
        ("$.['id','x y']", {"id": 7, "x y": 1}),
    ],
)
def test_a_json_record_is_chosen_from_by_name_and_index(path: str, chosen: object) -> None:
    assert parse(path).choose(RECORD) == chosen


@pytest.mark.parametrize(
    "path", ["", "id", "$.", "$[1:2,4]", "$..id", "$.*.id", "$[0,1][0]", "$['a", "$[0]x"]
)
def test_what_sagemaker_does_not_take_is_refused_with_what_it_takes(path: str) -> None:
    with pytest.raises(BadPath, match=r"\$\[1:\]"):
        parse(path)


@pytest.mark.parametrize("path", ["$[4]", "$[0,9]", "$[5:]", "$[:9]", "$[-5]", "$[0,-5]"])
def test_an_index_beyond_the_row_is_an_error(path: str) -> None:
    with pytest.raises(NotThere, match="4 values"):
        parse(path).choose_fields(ROW)


def test_a_missing_name_is_an_error_that_says_which() -> None:
    with pytest.raises(NotThere, match="'price'"):
        parse("$['id','price']").choose(RECORD)


def test_a_name_does_not_suit_a_csv_row() -> None:
    assert parse("$[1:]").indexes_only
    assert not parse("$.id").indexes_only
