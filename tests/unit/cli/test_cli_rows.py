"""Rows to predict are read from what people have, and refused with the place of what is wrong."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.cli.errors import Trouble
from tidegate.cli.rows import MOST_ROWS, csv_chunks, read_rows

FEATURES = ["KM", "Fuel"]


@pytest.mark.parametrize(
    "text",
    [
        "KM,Fuel\n1,Diesel\n",
        "\ufeffFuel,KM,Other\r\nDiesel,1,x\r\n",
        '{"KM": 1, "Fuel": "Diesel"}',
        '[{"KM": 1, "Fuel": "Diesel"}]',
        '{"instances": [{"KM": 1, "Fuel": "Diesel"}]}',
        '\n{"KM": 1, "Fuel": "Diesel"}\n\n',
    ],
)
def test_csv_json_and_json_lines_give_the_same_row(text: str) -> None:
    assert list(csv_chunks(read_rows(text, FEATURES, "x"), FEATURES)) == [(1, "KM,Fuel\n1,Diesel\n")]


def test_a_value_that_one_record_lacks_is_missing() -> None:
    rows = read_rows('{"KM": 1, "Fuel": "Diesel"}\n{"KM": null, "Fuel": true}\n{"KM": 2}', FEATURES, "x")
    assert list(csv_chunks(rows, FEATURES)) == [(3, "KM,Fuel\n1,Diesel\n,true\n2,\n")]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "x is empty"),
        ("KM,Fuel\n", "no rows"),
        ("km,Fuel\n1,a\n", "Is 'km' meant to be 'KM'?"),
        ("KM,Fuel\n1,a\n1,a,b\n", "line 3: 3 fields"),
        ('{"KM": 1, "Fuel": "a"}\n{"KM": }', "line 2: this is not JSON"),
        ("[1, 2]", "record 1 is not an object"),
    ],
)
def test_what_cannot_be_read_is_told_with_its_place(text: str, sentence: str) -> None:
    with pytest.raises(Trouble, match=r"^x") as told:
        read_rows(text, FEATURES, "x")
    assert sentence in told.value.message
    assert told.value.remedy


def test_many_rows_go_in_requests_of_bounded_size() -> None:
    rows = [{"KM": number} for number in range(MOST_ROWS * 2 + 1)]
    chunks = list(csv_chunks(rows, ["KM"]))
    assert [count for count, _ in chunks] == [MOST_ROWS, MOST_ROWS, 1]
    assert [line for _, text in chunks for line in text.split()[1:]] == [str(n) for n in range(len(rows))]
    assert {text.split()[0] for _, text in chunks} == {"KM"}


@given(
    st.lists(st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=20), min_size=1, max_size=5)
)
def test_any_text_survives_the_way_to_the_api(values: list[str]) -> None:
    names = [f"c{position}" for position in range(len(values))]
    [(_, text)] = csv_chunks([dict(zip(names, values, strict=True))], names)
    assert list(csv.reader(io.StringIO(text, newline=""))) == [names, values]
