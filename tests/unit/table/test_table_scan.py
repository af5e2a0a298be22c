"""Every reader finds the same in the same cells: native, pyarrow, CSV, Parquet, JSON Lines, captured requests."""

from __future__ import annotations

import csv
import gzip
import io
import json
import math
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.refusals import refused

from tidegate.core import bounds
from tidegate.core.errors import BadDrop
from tidegate.core.grammar import csv_head
from tidegate.table import native
from tidegate.table.hashing import number_hashes, word_hash
from tidegate.table.profile import ColumnProfile, Profile
from tidegate.table.profile.distinct import ANY
from tidegate.table.scan import (
    blocks,
    profile_csv,
    profile_file,
    profile_files,
    profile_records,
    read_capture,
)
from tidegate.table.scan.arrow_csv import profile_with_arrow
from tidegate.table.scan.arrow_texts import cells_of
from tidegate.table.scan.json_lines import objects_of
from tidegate.table.scan.native_reader import NativeReader

DATA = Path(__file__).parents[4] / "shared" / "data" / "model-monitor"
KERNEL = native.load()
with_kernel = pytest.mark.skipif(KERNEL is None, reason="there is no C compiler on this machine")
ODD = [
    "",
    " ",
    "NA",
    "n/A",
    "?",
    "true",
    "FALSE",
    "1e999",
    "-0",
    "+5",
    "-.5",
    "5.",
    ".",
    "-",
    "1e",
    "1e5",
    "1E-3",
]
ODD += [
    "é",
    "naïve",
    "0x10",
    "1_000",
    "inf",
    "12345678901234567890",
    "0.1",
    "a,b",
    'say "so"',
    "two\nlines",
    "a\r\nb",
]
CELLS = st.one_of(
    st.sampled_from(ODD),
    st.floats(allow_nan=False).map(repr),
    st.integers(-(10**20), 10**20).map(str),
    st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12),
)


def same(one: ColumnProfile, other: ColumnProfile) -> None:
    assert one.types == other.types
    assert one.categories() == other.categories()
    assert one.distinct.smallest.tolist() == other.distinct.smallest.tolist()
    assert sorted(np.concatenate(one.sketch.levels)) == sorted(np.concatenate(other.sketch.levels))
    assert (one.moments.least, one.moments.most) == (other.moments.least, other.moments.most)
    # In blocks numbers are added in another order: numbers that cancel leave the error of the largest.
    largest = max(abs(one.moments.least), abs(one.moments.most))
    spare = 1e-12 * largest if np.isfinite(largest) else 0.0
    assert one.moments.mean == pytest.approx(other.moments.mean, rel=1e-12, abs=spare, nan_ok=True)


def written(rows: list[list[str]], end: str = "\n") -> str:
    def quoted(cell: str) -> str:
        return '"' + cell.replace('"', '""') + '"' if any(mark in cell for mark in ',"\r\n') else cell

    header = [f"c{at}" for at in range(len(rows[0]))]
    return "".join(",".join(map(quoted, row)) + end for row in [header, *rows])


@pytest.mark.slow
@with_kernel
@given(st.lists(CELLS, min_size=1, max_size=40))
@settings(max_examples=200, deadline=None)
def test_the_kernel_and_pyarrow_find_the_same_in_the_same_texts(texts):
    array = pa.array([*texts, None], pa.string())
    ours, theirs = NativeReader(KERNEL, 1).texts(array), cells_of(array)
    same(ColumnProfile.of(ours), ColumnProfile.of(theirs))
    assert ours.values.tolist() == theirs.values.tolist()
    assert ours.numerals == theirs.numerals


@pytest.mark.slow
@with_kernel
@given(
    st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=50), st.integers(0, 17)
)
@settings(max_examples=200, deadline=None)
def test_the_kernel_reads_each_number_as_python_does(numbers, digits):
    texts = [repr(number) for number in numbers] + [f"{number:.{digits}e}" for number in numbers]
    texts += [f"{number:.{digits}f}" for number in numbers if abs(number) < 1e15]
    read = [float(text) for text in texts if math.isfinite(float(text))]
    assert NativeReader(KERNEL, 1).texts(pa.array(texts, pa.string())).values.tolist() == read
    # In CSV the kernel looks eight bytes ahead, over the end of the cell, but not of the block.
    lines = "\n".join(f"{text},{text}" for text in texts).encode()
    for column in NativeReader(KERNEL, 2).csv(bytearray(lines), len(lines), [ANY, ANY])[1]:
        assert np.concatenate(column.sketch.levels).tolist() == read
        # What is too large for a double is a text.
        texts_hashed = {word_hash(text) for text in texts if not math.isfinite(float(text))}
        assert set(column.distinct.smallest.tolist()) == texts_hashed | set(
            number_hashes(np.array(read)).tolist()
        )


@with_kernel
def test_the_kernel_copies_texts_with_a_nul_in_them():
    texts = ["a\0b", "", "c", "a\0b"]
    found = NativeReader(KERNEL, 1).texts(pa.array(texts, pa.string()))
    assert found.texts.counts == {"a\0b": 2, "c": 1}


@pytest.mark.slow
@with_kernel
@given(st.data(), st.integers(1, 4), st.sampled_from(["\n", "\r\n"]))
@settings(max_examples=100, deadline=None)
def test_csv_is_read_as_python_reads_it_wherever_blocks_end(tmp_path_factory, data, width, end):
    rows = data.draw(st.lists(st.lists(CELLS, min_size=width, max_size=width), min_size=1, max_size=12))
    rows = [row for row in rows if row != [""]] or [["x"] * width]
    path = tmp_path_factory.mktemp("csv") / "t.csv"
    path.write_bytes(written(rows, end).encode())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blocks, "BLOCK_BYTES", data.draw(st.integers(1, 300)))
        found = profile_csv(path)
    read = list(csv.reader(io.StringIO(path.read_bytes().decode(), newline="")))[1:]
    read = [row for row in read if row]
    assert found.rows == len(read)
    for at, column in enumerate(found.columns.values()):
        same(column, ColumnProfile.of(cells_of(pa.array([row[at] for row in read], pa.string()))))


@pytest.fixture(params=["native", "pyarrow"])
def reader(request, monkeypatch):
    if request.param == "native" and KERNEL is None:
        pytest.skip("there is no C compiler on this machine")
    if request.param == "pyarrow":
        monkeypatch.setattr(native, "load", lambda: None)
    return request.param


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("last", [True, False])
def test_every_line_end_is_read(tmp_path, reader, end, last):
    (tmp_path / "t.csv").write_bytes((end.join(["a,b", "1,x", "2,y", ""]) + ("3,z" + end * last)).encode())
    found = profile_file(tmp_path / "t.csv")
    assert found.rows == 3
    assert found.columns["a"].moments.total == 6.0
    assert found.columns["b"].categories() == {"x": 1, "y": 1, "z": 1}


def test_quotes_commas_newlines_and_a_byte_order_mark_are_read(tmp_path, reader):
    (tmp_path / "t.csv").write_bytes('\ufeff"a","b, c"\r\n"1","x\ny"\r\n2,"say ""so"""\r\n"3",\r\n'.encode())
    found = profile_file(tmp_path / "t.csv")
    assert found.rows == 3 and list(found.columns) == ["a", "b, c"]
    assert found.columns["a"].types.integral == 3
    assert found.columns["b, c"].categories() == {'say "so"': 1, "x\ny": 1}
    assert found.columns["b, c"].types.missing == 1


def test_a_type_that_changes_late_in_the_file_is_counted_by_value(tmp_path, reader):
    (tmp_path / "t.csv").write_text("x\n" + "7\n" * 600_000 + "1.5\nred\n")
    [column] = profile_file(tmp_path / "t.csv").columns.values()
    assert column.types.listed == (600_000, 1, 0, 1, 0)
    assert column.types.inferred == "String"
    assert column.categories() == {"7": 600_000, "1.5": 1, "red": 1}


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"a,b\n1,2\n3\n", "line 3: 1 field, expected 2"),
        (b"a,b\n1,2\n3,4,5\n", "line 3: 3 fields, expected 2"),
        (b'a,b\n1,"2\n3,4\n', "quotation mark"),
        (b"a,b\n1,\xff\n", "not UTF-8 text: line 2"),
        (b"a,b\n1,\x00\n", "NUL byte in line 2"),
        (b"a,a\n1,2\n", "two columns called 'a'"),
        (b"", "is empty"),
        (b"\n\n", "no text"),
        (b"PK\x03\x04zip", "Excel"),
        (b'{"a": 1}\n{"a": \n', "line 2: this is not JSON"),
        (b'{"a": 1}\n[1]\n', "line 2: this is no JSON object"),
        (b"PAR1 and no more", "damaged Parquet"),
        (b"\x1f\x8b\x08 and no more", "damaged gzip"),
    ],
)
def test_what_cannot_be_read_is_told_in_words(tmp_path, reader, body, words):
    (tmp_path / "t.csv").write_bytes(body)
    with refused(BadDrop, words):
        profile_file(tmp_path / "t.csv")


def test_a_gzipped_file_is_read(tmp_path, reader):
    (tmp_path / "t.csv.gz").write_bytes(gzip.compress(b"x\n1\n2\n"))
    assert profile_file(tmp_path / "t.csv.gz").columns["x"].moments.total == 3.0


def test_a_header_alone_has_columns_and_no_rows(tmp_path, reader):
    (tmp_path / "t.csv").write_text("a,b\n")
    assert profile_file(tmp_path / "t.csv").rows == 0


@pytest.mark.slow
def test_many_blocks_in_threads_give_what_one_pass_gives(tmp_path):
    rng = np.random.default_rng(1)
    rows = 150_000
    cells = zip(rng.normal(50, 9, rows), rng.integers(0, 9, rows), rng.integers(0, 4000, rows), strict=True)
    (tmp_path / "t.csv").write_text("x,w,s\n" + "".join(f"{x:.4f},{w},word {s}\n" for x, w, s in cells))
    seen: list[int] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blocks, "BLOCK_BYTES", 1 << 17)
        pieces = profile_csv(tmp_path / "t.csv", progress=seen.append)
    with (tmp_path / "t.csv").open("rb") as stream:
        whole = profile_with_arrow(tmp_path / "t.csv", ["x", "w", "s"], csv_head(stream))
    assert sum(seen) == (tmp_path / "t.csv").stat().st_size
    assert pieces.rows == whole.rows == rows
    for name, one in pieces.columns.items():
        other = whole.columns[name]
        assert one.types == other.types and one.numerals == other.numerals
        assert one.distinct.smallest.tolist() == other.distinct.smallest.tolist()
        assert one.sketch.count == one.types.numbers
        for what in ("mean", "deviation", "total", "least", "most"):
            assert getattr(one.moments, what) == pytest.approx(
                getattr(other.moments, what), rel=1e-9, nan_ok=True
            )
    assert pieces.columns["s"].distinct.count == pytest.approx(4000, rel=0.1)


def test_parquet_and_json_lines_tell_what_csv_tells(tmp_path):
    columns = {
        "whole": [1, 2, None, 2],
        "part": [1.0, 2.5, None, math.inf],
        "word": ["a", None, "b", "a"],
        "flag": [True, False, None, True],
    }
    (tmp_path / "t.csv").write_text("whole,part,word,flag\n1,1.0,a,true\n2,2.5,,false\n,,b,\n2,inf,a,true\n")
    pq.write_table(pa.table(columns), tmp_path / "t.parquet")
    rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    rows[3]["part"] = "inf"
    (tmp_path / "t.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    of_csv = profile_file(tmp_path / "t.csv")
    for name in ("t.parquet", "t.jsonl"):
        found = profile_file(tmp_path / name)
        assert found.rows == 4
        for column, expected in of_csv.columns.items():
            same(found.columns[column], expected)


@pytest.mark.slow
@given(
    st.lists(
        st.dictionaries(
            st.sampled_from(["a", "b", "c d", "é"]),
            st.one_of(
                st.none(),
                st.booleans(),
                st.integers(-(10**20), 10**20),
                st.floats(allow_infinity=False),
                st.sampled_from(ODD),
                st.text(max_size=5),
                st.lists(st.integers(), max_size=1),
            ),
            min_size=1,
        ),
        min_size=1,
        max_size=15,
    ),
    st.booleans(),
    st.integers(8, 400),
)
@settings(max_examples=100, deadline=None)
def test_json_lines_are_read_as_python_reads_them_wherever_blocks_end(tmp_path_factory, rows, escape, size):
    path = tmp_path_factory.mktemp("json") / "t.jsonl"
    path.write_text("".join(json.dumps(row, ensure_ascii=escape) + "\n" for row in rows), "utf-8", newline="")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blocks, "BLOCK_BYTES", size)
        found = profile_file(path)
    expected = profile_records(objects_of(path))
    assert found.rows == expected.rows == len(rows)
    assert set(found.columns) == set(expected.columns)
    for name, column in expected.columns.items():
        same(found.columns[name], column)


@pytest.mark.parametrize(
    "line", ['{"a": 01}', '{"a": .5}', '{"a": tru}', '{"a": 1', '{"a": 1} x', '{"a" 1}', "{'a': 1}"]
)
def test_a_line_that_is_no_json_is_told_by_its_number(tmp_path, reader, line):
    (tmp_path / "t.jsonl").write_text('{"a": 1}\n\n' + line + "\n")
    with pytest.raises(BadDrop, match=r"t\.jsonl, line 3: this is not JSON"):
        profile_file(tmp_path / "t.jsonl")


def test_a_number_stored_in_four_bytes_is_the_number_of_the_csv(tmp_path):
    pq.write_table(pa.table({"x": pa.array([0.1, 0.7], pa.float32())}), tmp_path / "t.parquet")
    assert profile_file(tmp_path / "t.parquet").columns["x"].sketch.levels[0].tolist() == [0.1, 0.7]


def test_dates_and_dictionaries_of_parquet_are_texts(tmp_path):
    import datetime

    table = pa.table(
        {
            "day": pa.array([datetime.date(2024, 5, 31)] * 2),
            "code": pa.array(["x", "y"]).dictionary_encode(),
            "none": pa.nulls(2),
        }
    )
    pq.write_table(table, tmp_path / "t.parquet")
    found = profile_file(tmp_path / "t.parquet")
    assert found.columns["day"].categories() == {"2024-05-31": 2}
    assert found.columns["code"].categories() == {"x": 1, "y": 1}
    assert found.columns["none"].types.missing == 2


def test_a_column_that_a_part_lacks_is_missing_there(tmp_path):
    (tmp_path / "a.csv").write_text("x,y\n1,2\n")
    (tmp_path / "b.csv").write_text("x\n3\n4\n")
    found = profile_files([tmp_path / "a.csv", tmp_path / "b.csv"])
    assert found.rows == 3
    assert (found.columns["y"].types.present, found.columns["y"].types.missing) == (1, 2)
    assert Profile() + found == found


class TestCapture:
    @staticmethod
    def line(data: str, answer: str, encoding: str = "CSV", kind: str = "text/csv", **meta: str) -> str:
        def side(mode: str, text: str) -> dict:
            return {"observedContentType": kind, "mode": mode, "data": text, "encoding": encoding}

        record = {
            "captureData": {"endpointInput": side("INPUT", data), "endpointOutput": side("OUTPUT", answer)},
            "eventMetadata": {"eventId": "e-1", "inferenceTime": "2026-01-01T00:00:00Z", **meta},
            "eventVersion": "0",
        }
        return json.dumps(record) + "\n"

    def test_rows_of_csv_requests_get_names_and_predictions(self, tmp_path):
        path = tmp_path / "c.jsonl"
        path.write_text(self.line("1,red\n2,", "0.5\n0.75\n", inferenceId="mine"))
        rows = list(read_capture(path, ["size", "colour"]))
        assert [(row.number, dict(row.cells), row.prediction) for row in rows] == [
            (0, {"size": "1", "colour": "red"}, "0.5"),
            (1, {"size": "2", "colour": ""}, "0.75"),
        ]
        assert {(row.event_id, row.inference_id) for row in rows} == {("e-1", "mine")}
        found = profile_file(path, columns=["size", "colour"])
        assert found.columns["prediction"].moments.total == 1.25
        assert found.columns["colour"].types.missing == 1

    def test_json_requests_have_names_of_their_own(self, tmp_path):
        path = tmp_path / "c.jsonl"
        body = json.dumps({"instances": [{"size": 1, "colour": None}, {"size": 2.0, "colour": "red"}]})
        answer = json.dumps({"predictions": [{"score": 0.5}, {"score": 1}]})
        path.write_text(self.line(body, answer, "JSON", "application/json"))
        found = profile_file(path)
        assert found.columns["size"].types.listed == (2, 0, 0, 0, 0)
        assert found.columns["prediction"].moments.total == 1.5

    def test_base64_is_read_by_its_content_type(self, tmp_path):
        import base64

        def packed(text: str) -> str:
            return base64.b64encode(text.encode()).decode()

        path = tmp_path / "c.jsonl"
        path.write_text(self.line(packed("4,blue"), packed("9"), "BASE64"))
        [row] = read_capture(path, ["size", "colour"])
        assert (dict(row.cells), row.prediction) == ({"size": "4", "colour": "blue"}, "9")

    @pytest.mark.parametrize(
        ("line", "words"),
        [
            ('{"captureData": {}}\n', "no capture record"),
            (line("1,2,3", "1"), "a row has 3 fields; expected 2"),
            (line("1,2\n3,4", "1"), "2 rows were asked and 1 answers"),
            (line("!", "1", "BASE64"), "base64 holds no text"),
        ],
    )
    def test_a_damaged_record_is_told_by_its_line(self, tmp_path, line, words):
        (tmp_path / "c.jsonl").write_text(line)
        with refused(BadDrop, f"c.jsonl, line 1.*{words}"):
            list(read_capture(tmp_path / "c.jsonl", ["a", "b"]))

    @pytest.mark.skipif(not DATA.is_dir(), reason="the golden files are not on this machine")
    def test_what_real_endpoints_captured_is_read(self):
        found = profile_file(DATA / "sagemaker-python-sdk" / "monitor" / "capture.jsonl")
        assert list(found.columns) == [*(f"_c{at}" for at in range(7)), "prediction"]
        assert found.columns["prediction"].types.fractional == found.rows > 10
        rows = list(read_capture(DATA / "sagemaker-python-sdk" / "monitor" / "captured-data.jsonl"))
        assert [(row.cells["_c0"], row.prediction) for row in rows[:3]] == [
            ("1.0", "3.5"),
            ("2.0", "4.0"),
            ("5.0", "5.5"),
        ]


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("t.csv", 'a,b\n1,x\n2,"{}"\n', "line 3: a cell has more than 131,072 bytes"),
        (
            "t.jsonl",
            '{{"a": "x"}}\n{{"a": "{}"}}\n',
            "line 2: this is longer than 1 MiB; write one object a line",
        ),
        ("c.jsonl", '{{"captureData": "{}"}}\n', "line 1: this is longer than 1 MiB"),
    ],
)
def test_a_line_too_long_for_memory_is_refused_by_its_number(tmp_path, monkeypatch, name, text, words):
    for bound in ("MOST_ROW_BYTES", "MOST_CAPTURE_LINE_BYTES"):
        monkeypatch.setattr(bounds, bound, 1 << 20)
    monkeypatch.setattr(blocks, "BLOCK_BYTES", 1 << 16)
    (tmp_path / name).write_text(text.format("y" * (3 << 20)))
    with refused(BadDrop, words):
        profile_file(tmp_path / name) if name[0] == "t" else list(read_capture(tmp_path / name))
