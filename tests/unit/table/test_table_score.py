"""Scoring a file: whatever its format, good rows go on, bad ones are set aside by their number, none is lost."""

from __future__ import annotations

import csv
import gzip
import io
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tidegate.core.errors import BadDrop
from tidegate.core.usage import Scoring
from tidegate.serving.apply import Recipe
from tidegate.table.score import Wanted, prepare_scores
from tidegate.table.score import csv_rows as reader

KINDS = {"km": "numeric", "year": "integer", "make": "categorical", "auto": "boolean", "sold": "date"}
WANTED = Wanted(KINDS, "id")
LENIENT = Scoring(most_bad_share=1.0)
HEADER = "id,km,year,make,auto,sold,unused"
GOOD = "a1,10.5,2015,volvo,yes,2024-05-31,x"


def prepare(tmp_path: Path, body: bytes | str, scoring: Scoring = LENIENT, **more: object) -> dict:
    """Prepare a file; gives the counts, the rows that were written and those set aside."""
    source, out = tmp_path / "drop", tmp_path / "out"
    source.write_bytes(body if isinstance(body, bytes) else body.encode())
    out.mkdir()
    layouts = more.get("layouts", [list(KINDS)])
    counts = prepare_scores(source, WANTED, layouts, scoring, out, "cars.csv")
    rows = [
        json.loads(line)
        for part in sorted((out / "rows" / "0").glob("*"))
        for line in part.read_text().splitlines()
    ]
    rejects = out / "rejects.csv"
    aside = list(csv.DictReader(io.StringIO(rejects.read_text()))) if rejects.exists() else []
    return {**counts, "written": rows, "aside": aside, "out": out}


def lines(*rows: str) -> str:
    return "\n".join([HEADER, *rows]) + "\n"


def as_json_lines(*rows: dict) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


JSON_ROW = {"id": "a1", "km": 10.5, "year": 2015, "make": "volvo", "auto": True, "sold": "2024-05-31"}


def as_parquet(*rows: dict) -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(list(rows)), out, row_group_size=2)
    return out.getvalue()


@pytest.mark.parametrize(
    ("body", "row"),
    [
        (lines(GOOD), 2),
        (gzip.compress(lines(GOOD).encode()), 2),
        (b"\xef\xbb\xbf" + lines(GOOD).replace("\n", "\r\n").encode(), 2),
        (lines('a1," 10.5 ",2015.0," volvo",TRUE,2024-05-31T08:00:00Z,"x,y\nz"'), 2),
        (as_json_lines(JSON_ROW), 1),
        (gzip.compress(as_json_lines(JSON_ROW).encode()), 1),
        (as_json_lines({**JSON_ROW, "km": "10.5", "year": 2015.0, "auto": 1, "other": [1]}), 1),
        (as_parquet({**JSON_ROW, "other": 1}), 1),
    ],
    ids=["csv", "gzip", "bom and crlf", "quoted", "json lines", "json gzip", "json texts", "parquet"],
)
def test_a_row_is_the_same_whatever_the_file_it_came_in(tmp_path, body, row):
    got = prepare(tmp_path, body)
    assert (got["rows"], got["good"], got["rejected"]) == (1, 1, 0)
    features = [10.5, 2015, "volvo", True, "2024-05-31"]
    assert got["written"] == [{"row": row, "id": "a1", "features": features}]
    table = pq.read_table(got["out"] / "inputs.parquet").to_pylist()
    assert [str(value) for value in table[0].values()] == [
        *(str(row), "a1", "10.5", "2015", "volvo", "True", "2024-05-31", "None")
    ]


@pytest.mark.parametrize(
    ("bad", "column", "reason"),
    [
        ("a2,abc,2015,volvo,yes,,x", "km", "'abc' is not a number"),
        ("a2,inf,2015,volvo,yes,,x", "km", "'inf' is not a number"),
        ("a2,1,20.5,volvo,yes,,x", "year", "'20.5' is not a whole number"),
        ("a2,1,1e30,volvo,yes,,x", "year", "'1e30' is too large: 64 bits hold -2**63 to 2**63 - 1"),
        ("a2,1,2015,volvo,perhaps,,x", "auto", "'perhaps' is not true or false"),
        ("a2,1,2015,volvo,yes,2023-02-29,x", "sold", "'2023-02-29' is not a date such as"),
        ("a2,abc,20.5,volvo,yes,,x", "km, year", "'abc' is not a number; '20.5' is not a whole number"),
        ("a2,1,2015", "", "3 fields, expected 7 as in the header"),
        ("a2,1,2015,volvo,yes,,x,y", "", "8 fields, expected 7 as in the header"),
    ],
)
@pytest.mark.parametrize("quoted", [False, True])
def test_a_bad_row_of_csv_is_set_aside_by_the_line_an_editor_shows(tmp_path, bad, column, reason, quoted):
    first = GOOD.replace("volvo", '"volvo\ncars"') if quoted else GOOD
    got = prepare(tmp_path, lines(first, "", bad, GOOD))
    assert (got["rows"], got["good"], got["rejected"]) == (3, 2, 1)
    [aside] = got["aside"]
    assert (aside["row"], aside["column"], aside["raw"]) == ("5" if quoted else "4", column, bad)
    assert reason in aside["reason"]
    assert [row["row"] for row in got["written"]] == ([2, 6] if quoted else [2, 5])


@pytest.mark.parametrize(
    ("bad", "column", "reason"),
    [
        ({**JSON_ROW, "km": "far"}, "km", "'far' is not a number"),
        ({**JSON_ROW, "km": True}, "km", "'true' is not a number"),
        ({**JSON_ROW, "km": 10**400}, "km", "is not a number"),
        ({**JSON_ROW, "year": 20.5}, "year", "'20.5' is not a whole number"),
        ({**JSON_ROW, "make": ["volvo"]}, "make", "a text is expected there"),
        ({**JSON_ROW, "sold": 20240531}, "sold", "'20240531' is not a date"),
        ([1, 2], "", "not a JSON object"),
    ],
)
def test_a_bad_row_of_json_lines_is_set_aside(tmp_path, bad, column, reason):
    got = prepare(tmp_path, as_json_lines(JSON_ROW, bad, JSON_ROW))
    assert (got["rows"], got["good"], got["rejected"]) == (3, 2, 1)
    assert (got["aside"][0]["row"], got["aside"][0]["column"]) == ("2", column)
    assert reason in got["aside"][0]["reason"]


def test_a_line_that_is_no_json_is_set_aside_as_it_is(tmp_path):
    got = prepare(tmp_path, as_json_lines(JSON_ROW) + '{"id": «a2»\n\n' + as_json_lines(JSON_ROW))
    assert got["aside"][0]["raw"] == '{"id": «a2»'
    assert "this is not JSON" in got["aside"][0]["reason"]
    assert [row["row"] for row in got["written"]] == [1, 4]


def test_a_bad_row_of_parquet_is_set_aside_with_its_values(tmp_path):
    rows = [{**JSON_ROW, "km": text} for text in ("1", "2", "far", "4")]
    got = prepare(tmp_path, as_parquet(*rows))
    assert [row["row"] for row in got["written"]] == [1, 2, 4]
    assert got["aside"][0]["row"] == "3"
    assert json.loads(got["aside"][0]["raw"])["km"] == "far"


def test_gaps_are_null_for_the_models_and_in_the_table(tmp_path):
    got = prepare(tmp_path, lines(",NA,?,,,null,x"))
    assert got["written"] == [{"row": 2, "id": None, "features": [None] * 5}]
    assert pq.read_table(got["out"] / "inputs.parquet").to_pylist()[0]["f0"] is None


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (HEADER, "has column names and no rows"),
        ("id,km,year,make,auto\n", "lacks the column 'sold'"),
        ("a,b\n1,2\n", "has none of the model's columns"),
        (
            lines(GOOD, 'a2,1,"open', *[GOOD] * 9000),
            "cars.csv, line 3: a cell has more than 131,072 bytes; most often a quotation mark",
        ),
        ("", "is empty (0 bytes)"),
        ("[" + json.dumps(JSON_ROW) + "]", "is a JSON array; write one object a line"),
        (as_json_lines({"id": "a", "km": 1}), "lacks columns 'year', 'make', 'auto', 'sold'"),
        (as_parquet({"id": "a", "km": 1}), "lacks columns 'year', 'make', 'auto', 'sold'"),
        (as_parquet(JSON_ROW)[:-20], "is a damaged Parquet file"),
        (lines("a1,far,2015,volvo,yes,,x"), "no row can be used; the first is row 2, column 'km': 'far'"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_in_words(tmp_path, body, words):
    with pytest.raises(BadDrop) as refusal:
        prepare(tmp_path, body)
    assert words in refusal.value.plain


@pytest.mark.parametrize(
    ("scoring", "words"),
    [
        (Scoring(), "1 of 5 rows is bad, more than scoring.most_bad_share, 0.1, allows; the first is row 4"),
        (Scoring(most_bad_share=0.2), None),
        (Scoring(most_bad_share=1, bad_rows="refuse"), "1 of 5 rows is bad, and scoring.bad_rows is refuse"),
    ],
)
def test_the_model_file_says_how_many_bad_rows_are_too_many(tmp_path, scoring, words):
    body = lines(GOOD, GOOD, "a3,far,2015,volvo,yes,,x", GOOD, GOOD)
    if words is None:
        assert prepare(tmp_path, body, scoring)["rejected"] == 1
    else:
        with pytest.raises(BadDrop) as refusal:
            prepare(tmp_path, body, scoring)
        assert words in refusal.value.plain
        assert (refusal.value.row, refusal.value.column) == (4, "km")


def test_models_that_read_other_columns_get_rows_of_their_own(tmp_path):
    got = prepare(tmp_path, lines(GOOD), layouts=[["km", "make"], ["sold", "km"]])
    [part] = (got["out"] / "rows" / "1").iterdir()
    assert got["written"][0]["features"] == [10.5, "volvo"]
    assert json.loads(part.read_text())["features"] == ["2024-05-31", 10.5]


def test_a_long_file_is_written_in_parts_that_instances_can_share(tmp_path, monkeypatch):
    monkeypatch.setattr(reader, "BLOCK_BYTES", 4096)
    monkeypatch.setattr("tidegate.table.score.prepare.PART_ROWS", 100)
    got = prepare(tmp_path, lines(*[GOOD] * 1000))
    assert [row["row"] for row in got["written"]] == list(range(2, 1002))
    files = sorted((got["out"] / "rows" / "0").iterdir())
    assert [len(path.read_text().splitlines()) for path in files] == [100] * 10


CELLS = st.sampled_from(
    [
        "",
        "1",
        "2.5",
        " 3",
        "-0",
        "1e3",
        "NA",
        "nan",
        "inf",
        "x",
        "ü",
        "1_0",
        "true",
        "yes",
        "2024-01-02",
        "a b",
    ]
)


@pytest.mark.slow
@given(
    rows=st.lists(st.lists(CELLS, min_size=6, max_size=8), min_size=1, max_size=30),
    blank=st.sets(st.integers(0, 30)),
    ends=st.sampled_from(["\n", "\r\n"]),
)
@settings(max_examples=60, deadline=None)
def test_a_block_reads_the_same_fast_and_row_by_row(tmp_path_factory, rows, blank, ends):
    text = ends.join([HEADER, *("" if at in blank else ",".join(row) for at, row in enumerate(rows))]) + ends
    path = tmp_path_factory.mktemp("rows") / "drop"
    path.write_text(text, newline="")
    seen = reader.Look(parquet=False)
    quick = list(reader.csv_rows(path, WANTED, "cars.csv", seen))
    slow = list(reader.csv_rows(path, WANTED, "cars.csv", reader.Look(parquet=False, quotes=True)))

    def told(blocks):
        rejects = [(r.row, r.column, r.reason) for block in blocks for r in block.rejects]
        numbers = [int(n) for block in blocks for n in block.numbers]
        cells = {
            name: [
                value
                for block in blocks
                for value in (
                    block.columns[name].texts()
                    if kind == "categorical"
                    else np.nan_to_num(block.columns[name].values, nan=-9e9).tolist()
                )
            ]
            for name, kind in KINDS.items()
        }
        return rejects, numbers, cells

    assert told(quick) == told(slow)


@pytest.mark.slow
@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "km": st.one_of(st.none(), st.floats(allow_nan=False, allow_infinity=False)),
                "make": st.one_of(st.none(), st.text(max_size=4)),
            }
        ),
        min_size=1,
        max_size=20,
    )
)
@settings(max_examples=60, deadline=None)
def test_a_recipe_makes_the_same_of_a_row_sent_raw_and_of_a_row_prepared(tmp_path_factory, rows):
    recipe = Recipe(
        {
            "version": 1,
            "inputs": ["km", "make"],
            "columns": [
                {
                    "name": "km",
                    "type": "numeric",
                    "impute": 5.0,
                    "indicator": True,
                    "scale": {"mean": 3.0, "std": 7.0},
                },
                {"name": "make", "type": "categorical", "levels": ["a", "b"]},
            ],
            "outputs": ["km", "km is missing", "a", "b", "other"],
        }
    )
    folder = tmp_path_factory.mktemp("parity")
    (folder / "drop").write_text(as_json_lines(*rows))
    wanted = Wanted({"km": "numeric", "make": "categorical"}, None)
    counts = prepare_scores(folder / "drop", wanted, [["km", "make"]], LENIENT, folder, "x")
    assert counts["good"] == len(rows)
    [part] = (folder / "rows" / "0").iterdir()
    prepared = "\n".join(
        json.dumps(json.loads(line)["features"]) for line in part.read_text().split("\n") if line
    )
    raw = as_json_lines(*rows)
    assert recipe.floats(prepared, "application/jsonlines") == recipe.floats(raw, "application/jsonlines")
