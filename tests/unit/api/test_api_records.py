"""The bodies that the API takes and refuses: always records that fit, or a problem that says where and what."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from tidegate.api.form import SCHEMAS, Form
from tidegate.api.model import MOST_RECORDS
from tidegate.api.problems import MOST_ERRORS, Problem
from tidegate.api.records import read_records

FORM = Form(
    {"km": "numeric", "year": "integer", "make": "categorical", "automatic": "boolean", "sold": "date"},
    "listing",
    "price",
)
GOOD = {"km": 9000.5, "year": 2020, "make": "volvo", "automatic": True, "sold": "2024-05-31"}
SCHEMA = Draft202012Validator(FORM.schema(), format_checker=Draft202012Validator.FORMAT_CHECKER)


def read(body: str | bytes, content_type: str = "application/json") -> list[dict]:
    return read_records(body if isinstance(body, bytes) else body.encode(), content_type, FORM)


def refused(body: str | bytes, content_type: str = "application/json") -> Problem:
    with pytest.raises(Problem) as refusal:
        read(body, content_type)
    return refusal.value


@pytest.mark.parametrize("body", [GOOD, [GOOD], {"records": [GOOD]}, {"records": GOOD}], ids=str)
def test_one_record_a_list_and_a_wrapped_list_are_the_same(body):
    assert read(json.dumps(body)) == [GOOD]


def test_without_a_content_type_the_body_is_json():
    assert read(json.dumps(GOOD), "") == [GOOD]


def test_csv_is_read_with_a_header_in_any_order_and_without_one():
    cells = {"km": "9", "year": "2020", "make": "a, b", "automatic": "yes", "sold": "2024-05-31"}
    assert read('9,2020,"a, b",yes,2024-05-31\r\n', "text/csv") == [cells]
    assert read('year,km,make,automatic,sold\n2020,9,"a, b",yes,2024-05-31', "text/csv") == [cells]
    assert read("\ufeffkm\n9\n\n", "text/csv; charset=utf-8") == [{"km": "9"}]


def test_the_type_s_parameter_settles_whether_there_is_a_header():
    form = Form({"make": "categorical"}, None, "price")
    assert read_records(b"make\n", "text/csv; header=absent", form) == [{"make": "make"}]
    assert "no such field" in refused("fiat\n", "text/csv; header=present").detail


def test_absent_null_and_empty_are_missing_and_not_refused():
    assert read('{"km": null}') == [{"km": None}]
    assert read("km,make\n,\n", "text/csv") == [{"km": "", "make": ""}]


REFUSED = [
    ('{"km": 1', 400, "is not JSON"),
    ("", 400, "is not JSON"),
    ('{"km": NaN}', 400, "NaN is no JSON; write null"),
    ('{"km": -Infinity}', 400, "no JSON"),
    ("9" * 5000, 400, "too many digits"),
    ("[" * 100_000, 400, "nested too deeply"),
    ('{"make": "é"}'.encode("latin-1"), 400, "not UTF-8"),
    (json.dumps(GOOD).encode("utf-16"), 400, "not UTF-8"),
    ('{"make": "\ufffd"}', 400, "not UTF-8 text (character 11)"),
    ("7", 422, "neither a record"),
    ("[]", 422, "no records"),
    ("[[1, 2]]", 422, "expected an object"),
    ("[{}]", 422, "record 1: the record is empty"),
    ('{"records": [{"km": 1}], "model": "x"}', 422, "leave it out"),
    ('{"km": "1"}', 422, "record 1, field 'km': expected a number, found the text '1'"),
    ('{"km": true}', 422, "expected a number"),
    ('{"km": [1]}', 422, "found a list"),
    ('{"km": {"a": 1}}', 422, "found an object"),
    ('{"km": 1e999}', 422, "too large"),
    (f'{{"km": {"9" * 400}}}', 422, "too large"),
    ('{"year": 2020.5}', 422, "expected a whole number"),
    ('{"automatic": "maybe"}', 422, "expected true or false"),
    ('{"automatic": 2}', 422, "expected true or false"),
    ('{"sold": "2024-02-30"}', 422, "expected a date"),
    ('{"sold": "NA"}', 422, "or null"),
    ('{"make": "\\ud800"}', 422, "surrogate"),
    ('{"make": "a\\u0000b"}', 422, "NUL"),
    (json.dumps({"make": "x" * 1001}), 422, "at most 1,000"),
    ('{"maker": "x"}', 422, "did you mean 'make'?"),
    ('{"price": 9000}', 422, "this is what the model predicts"),
    ('{"listing": [1], "km": 2}', 422, "expected a text or a whole number"),
]


@pytest.mark.parametrize(("body", "status", "words"), REFUSED, ids=lambda each: str(each)[:30])
def test_bad_json_is_refused_in_a_sentence(body, status, words):
    problem = refused(body)
    assert problem.status == status
    assert words in problem.detail


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        ("", 422, "no records"),
        ("km,year\n", 422, "no records"),
        ('"9', 400, "not CSV"),
        ("1,2\n", 422, "the row has 2 cells, expected 5"),
        ("km,year\n1,2\n1\n", 422, "record 2: the row has 1 cell, expected 2"),
        ("km,km\n1,2\n", 422, "the header names it twice"),
        ("km,price\n1,2\n", 422, "this is what the model predicts"),
        ("km\nabc\n", 422, "record 1, field 'km': expected a number, found 'abc'"),
        ("km\n1e999\n", 422, "expected a number"),
        ("km\n1e31\n", 422, "too large; at most 1.26765e+30"),
        (",".join(["km"] * 100_000) + "\n1", 422, "twice"),
        (",".join(f"c{n}" for n in range(100_000)) + "\n1", 422, "expected 5"),
    ],
    ids=lambda each: str(each)[:30],
)
def test_bad_csv_is_refused_in_a_sentence(body, status, words):
    problem = refused(body, "text/csv")
    assert problem.status == status
    assert words in problem.detail


@pytest.mark.parametrize("kind", ["application/xml", "text/csv; charset=utf-16", "multipart/form-data", ";"])
def test_another_type_or_charset_is_refused(kind):
    assert refused(json.dumps(GOOD), kind).status == 415


def test_too_many_records_are_refused_with_what_to_do_instead():
    problem = refused(json.dumps([{"km": 1}] * (MOST_RECORDS + 1)))
    assert problem.status == 422
    assert "batch scoring" in problem.detail
    assert len(read(json.dumps([{"km": 1}] * MOST_RECORDS))) == MOST_RECORDS


@pytest.mark.slow
def test_every_fault_is_told_up_to_a_bound():
    document = refused(json.dumps([{"km": "x", "year": 1.5}, {"q": 1}])).to_dict("r1")
    assert [(each.get("record"), each.get("field")) for each in document["errors"]] == [
        (1, "km"),
        (1, "year"),
        (2, "q"),
    ]
    assert document["detail"].endswith("(2 more faults)")
    many = refused(json.dumps({f"c{n}": n for n in range(100_000)})).to_dict("r1")
    assert len(many["errors"]) == MOST_ERRORS


values = st.none() | st.booleans() | st.integers(-3, 3) | st.floats(allow_nan=False) | st.text(max_size=4)
values |= st.sampled_from(["yes", "no", "2024-05-31", "1", 1e308, [], {}])
fields = st.sampled_from([*FORM.features, "listing", "price", "other"])


@pytest.mark.slow
@given(st.dictionaries(fields, values, max_size=4))
def test_a_record_is_taken_exactly_when_the_published_schema_takes_it(record):
    body = json.dumps(record).encode()
    try:
        taken = bool(read_records(body, "application/json", FORM))
    except Problem as problem:
        assert 400 <= problem.status < 500
        taken = False
    # What JSON cannot carry (Infinity) is refused before any schema is asked.
    if b"Infinity" not in body:
        assert taken == SCHEMA.is_valid(record)


@given(st.binary(max_size=60), st.sampled_from(["application/json", "text/csv", "text/csv; header=present"]))
def test_whatever_the_bytes_the_answer_is_records_or_a_problem(body, kind):
    try:
        assert read_records(body, kind, FORM)
    except Problem as problem:
        assert 400 <= problem.status < 500
        json.loads(problem.to_body("r1"))


def test_every_type_of_a_feature_has_a_schema():
    from tidegate.core.spec import FEATURE_TYPES

    assert set(SCHEMAS) == set(FEATURE_TYPES)
