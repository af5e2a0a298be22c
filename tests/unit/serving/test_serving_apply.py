"""What an endpoint's recipe container accepts, answers and refuses."""

from __future__ import annotations

import ast
import json
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.waiting import quick_enough

from tidegate.serving import bundle
from tidegate.serving.apply import MANY_ROWS, BadRequest, Recipe, UnsupportedContent
from tidegate.serving.bundle import CODE

NUMBER = {"impute": 5.0, "indicator": True, "scale": None}
RECIPE = {
    "version": 1,
    "model": "cars",
    "target": "Price",
    "algorithm": "xgboost",
    "inputs": ["KM", "Fuel", "sold", "Age", "new"],
    "columns": [
        {"name": "KM", "type": "numeric", **NUMBER, "scale": {"mean": 1.0, "std": 2.0}},
        {"name": "Fuel", "type": "categorical", "levels": ["Diesel", "Gas"]},
        {
            "name": "sold",
            "type": "date",
            "parts": ["year", "month", "day", "weekday"],
            "impute": [2020.0, 6.0, 15.5, 3.0],
            "indicator": False,
            "scale": None,
        },
        {"name": "Age", "type": "integer", "impute": 7.0, "indicator": False, "scale": None},
        {"name": "new", "type": "boolean", "impute": 1.0, "indicator": True, "scale": None},
    ],
    "outputs": [
        *("KM", "KM is missing", "Fuel=Diesel", "Fuel=Gas", "Fuel=(other)"),
        *("sold.year", "sold.month", "sold.day", "sold.weekday", "Age", "new", "new is missing"),
    ],
}
RECIPE_READY = Recipe(RECIPE)
ROW = "5,Gas,2024-05-31,3,yes"
ENCODED = [2.0, 0.0, 0.0, 1.0, 0.0, 2024.0, 5.0, 31.0, 4.0, 3.0, 1.0, 0.0]
RECORD = {"KM": 5, "Fuel": "Gas", "sold": "2024-05-31", "Age": 3, "new": True}


@pytest.fixture(scope="module")
def recipe():
    return Recipe(RECIPE)


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (ROW, "text/csv"),
        (ROW + "\n", "text/csv; charset=utf-8"),
        (b"\xef\xbb\xbf" + ROW.encode() + b"\r\n", "TEXT/CSV"),
        ('" 5 ","Gas","2024-05-31T08:00:00Z",3.0,TRUE', "text/csv"),
        (json.dumps(RECORD), "application/json"),
        (json.dumps([RECORD]), "application/json"),
        (json.dumps({"instances": [RECORD]}), "application/json"),
        (json.dumps({"instances": [list(RECORD.values())]}), "application/json"),
        (json.dumps(dict(reversed(RECORD.items()))), "application/jsonlines"),
        (json.dumps({**RECORD, "KM": "5.0", "new": 1}) + "\n", "application/jsonlines"),
    ],
)
def test_every_way_to_send_a_row_encodes_the_same(recipe, body, kind):
    assert recipe.floats(body, kind) == [ENCODED]
    assert [[float(cell) for cell in recipe.encode(body, kind).split(",")]] == [ENCODED]


def test_gaps_are_imputed_and_marked(recipe):
    imputed = [2.0, 1.0, 0.0, 0.0, 1.0, 2020.0, 6.0, 15.5, 3.0, 7.0, 1.0, 1.0]
    assert recipe.floats("NA,?,none,, null ", "text/csv") == [imputed]
    assert recipe.floats("{}", "application/json") == [imputed]
    assert recipe.floats('{"KM": NaN, "Fuel": null}', "application/json") == [imputed]


def test_an_unknown_category_is_other(recipe):
    assert recipe.floats("5,Steam,2024-05-31,3,yes", "text/csv")[0][2:5] == [0.0, 0.0, 1.0]


@pytest.mark.parametrize(
    ("sent", "level"), [(3, "3"), (3.0, "3"), (2.5, "2.5"), (True, "true"), (" 3 ", "3")]
)
def test_a_category_sent_as_a_json_value_is_the_text_a_csv_would_hold(sent, level):
    doors = {"name": "Doors", "type": "categorical", "levels": [level, "zzz"]}
    recipe = Recipe({"version": 1, "inputs": ["Doors"], "columns": [doors], "outputs": ["a", "b", "c"]})
    assert recipe.encode(json.dumps({"Doors": sent}), "application/json") == "1,0,0"


def test_rows_keep_their_order(recipe):
    body = "\n".join(f"{at},Gas,2024-05-31,3,yes" for at in range(1, 9, 2))
    assert [row[0] for row in recipe.floats(body, "text/csv")] == [0.0, 1.0, 2.0, 3.0]


@pytest.mark.parametrize(
    ("body", "kind", "parts"),
    [
        ("5,Gas,2024-05-31,3", "text/csv", ["record 1 has 4 fields, expected 5", "KM, Fuel"]),
        (ROW + "\n" + ROW + ",1", "text/csv", ["record 2 has 6 fields"]),
        ("KM,Fuel,sold,Age,new\n" + ROW, "text/csv", ["record 1 is a header row"]),
        (ROW + "\nfar,Gas,2024-05-31,3,1", "text/csv", ["record 2, field 'KM'", "a number, found 'far'"]),
        ("1_0,Gas,2024-05-31,3,1", "text/csv", ["field 'KM'", "'1_0'"]),
        ("inf,Gas,2024-05-31,3,1", "text/csv", ["field 'KM'", "'inf'"]),
        ("٣,Gas,2024-05-31,3,1", "text/csv", ["field 'KM'"]),
        ("5,Gas,31/05/2024,3,1", "text/csv", ["field 'sold'", "a date such as 2024-05-31"]),
        ("5,Gas,2023-02-29,3,1", "text/csv", ["field 'sold'", "'2023-02-29'"]),
        ("5,Gas,2024-05-31,3.5,1", "text/csv", ["field 'Age'", "a whole number, found '3.5'"]),
        ("5,Gas,2024-05-31,3,2", "text/csv", ["field 'new'", "true or false, found '2'"]),
        ('{"km": 5}', "application/json", ["record 1", "unknown field 'km'", "did you mean 'KM'?"]),
        ('{"KM": [5]}', "application/json", ["record 1, field 'KM'", "found '[5]'"]),
        ('{"KM": true}', "application/json", ["field 'KM'", "a number, found 'true'"]),
        ('{"KM": 1e999}', "application/json", ["field 'KM'", "a number"]),
        ('{"KM": ' + "9" * 400 + "}", "application/json", ["field 'KM'", "a number"]),
        ('{"KM": Infinity}', "application/json", ["field 'KM'", "found 'Infinity'"]),
        ('{"Fuel": {"a": 1}}', "application/json", ["field 'Fuel'", "expected a text"]),
        ('{"sold": 20240531}', "application/json", ["field 'sold'", "a date"]),
        ("[1]", "application/json", ["record 1 is not a JSON object"]),
        ("[[1, 2]]", "application/json", ["record 1 has 2 values, expected 5"]),
        ("3", "application/json", ["neither a JSON object"]),
        ("{", "application/json", ["the body is not JSON"]),
        (json.dumps(RECORD) + "\n{", "application/jsonlines", ["record 2 is not JSON"]),
        ("", "text/csv", ["no rows"]),
        ("[]", "application/json", ["no rows"]),
        (" \n", "application/jsonlines", ["no rows"]),
        (b"5,\xe9", "text/csv", ["not UTF-8", "byte 3"]),
    ],
)
def test_a_bad_request_is_told_by_record_and_field(recipe, body, kind, parts):
    for encode in (recipe.encode, recipe.floats):
        with pytest.raises(BadRequest) as caught:
            encode(body, kind)
        for part in parts:
            assert part in str(caught.value)


CELLS = {
    "KM": st.sampled_from([0, 0.0, 1, 1.0, 2.5, "2.5", " 1", None, "NA"]),
    "Fuel": st.sampled_from(["Gas", "Diesel", " Gas", "Steam", None, 1, 1.0, True, "1", 2.5]),
    "sold": st.sampled_from(["2024-05-31", "2024-05-31T08:00", None, "?"]),
    "Age": st.sampled_from([3, 3.0, "3", "3.0", None]),
    "new": st.sampled_from([True, 1, 1.0, "yes", 0, False, None]),
}


@pytest.mark.slow
@given(st.lists(st.fixed_dictionaries(CELLS), min_size=MANY_ROWS, max_size=80), st.booleans())
@settings(max_examples=30, deadline=None)
def test_many_rows_encode_to_what_each_of_them_does_alone(rows, tripled):
    body = "\n".join(map(json.dumps, rows * 3 if tripled else rows))
    expected = [RECIPE_READY.floats(line, "application/jsonlines")[0] for line in body.split("\n")]
    encoded = RECIPE_READY.encode(body, "application/jsonlines").split("\n")
    assert [[float(cell) for cell in line.split(",")] for line in encoded] == expected


@pytest.mark.parametrize("cell", ["far", True, [5], {"a": 1}])
def test_a_bad_row_among_many_is_told_by_its_number(recipe, cell):
    rows = [RECORD] * 200 + [{**RECORD, "KM": cell}] + [RECORD] * 50
    with pytest.raises(BadRequest, match="record 201, field 'KM'"):
        recipe.encode("\n".join(map(json.dumps, rows)), "application/jsonlines")


def test_another_content_type_is_refused_with_the_ones_that_are_read(recipe):
    with pytest.raises(UnsupportedContent, match=r"application/x-npy.*text/csv"):
        recipe.encode(b"", "application/x-npy")


def test_a_recipe_of_another_version_is_refused():
    with pytest.raises(ValueError, match="version 3"):
        Recipe({**RECIPE, "version": 3})


def test_one_row_takes_microseconds(recipe):
    def once() -> float:
        began = time.perf_counter()
        for _ in range(200):
            recipe.encode(ROW, "text/csv")
        return (time.perf_counter() - began) / 200

    quick_enough(once, 50e-6)


@pytest.mark.parametrize("name", CODE)
def test_the_code_needs_the_standard_library_alone(name):
    tree = ast.parse((Path(bundle.__file__).parent / name).read_text("utf-8"), feature_version=(3, 9))
    imported = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            imported |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported.add(node.module)
    ours = {f"tidegate.serving.{Path(other).stem}" for other in CODE} | {Path(other).stem for other in CODE}
    assert {module.split(".")[0] for module in imported - ours} <= sys.stdlib_module_names
