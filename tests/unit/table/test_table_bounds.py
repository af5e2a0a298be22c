"""Bounds hold in every format before anything is unpacked, and work grows with the size, never with its square."""

from __future__ import annotations

import difflib
import gzip
import json
import sys
from pathlib import Path

import pyarrow as pa
import pytest
from tests.corpus import drops
from tests.fuzz.__main__ import build, fuzz
from tests.unit.refusals import refused

from tidegate.core import bounds
from tidegate.core.errors import BadConstraints, BadDrop
from tidegate.core.grammar import csv_head
from tidegate.core.usage import Scoring
from tidegate.table import native
from tidegate.table.constraints.read import Constraints
from tidegate.table.read import names
from tidegate.table.scan import profile_file, profile_records, records
from tidegate.table.score import Wanted, prepare_scores

WANTED = Wanted({"km": "numeric", "fuel": "categorical", "sold": "date"}, "id")


def scored(folder: Path, content: bytes) -> dict[str, int]:
    (folder / "drop").write_bytes(content)
    out = folder / "out"
    out.mkdir()
    return prepare_scores(folder / "drop", WANTED, [["km", "fuel", "sold"]], Scoring(), out, "new.parquet")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("what", "words"),
    [
        ("Parquet of 21 million rows", "21,000,000 rows, and at most 20,000,000"),
        ("Parquet of 2 million rows in few bytes", "which no table does"),
        ("Parquet of 20,000 columns", "20,007 columns, and at most 16,384"),
        ("Parquet with a cell of fifty megabytes", "row 1: column 'fuel' holds a text of more than"),
        ("Parquet with a cell too long in a column of numbers", "row 1: column 'km' holds a text of more"),
    ],
)
def test_a_file_to_score_is_held_to_the_bounds_of_one_to_train(tmp_path, what, words):
    with refused(BadDrop, words):
        scored(tmp_path, drops.CASES[what]())


@pytest.mark.slow
@pytest.mark.parametrize(
    "what",
    ["Parquet of 21 million rows", "Parquet of 20,000 columns", "Parquet with a cell of fifty megabytes"],
)
def test_a_profile_is_held_to_them_too(tmp_path, what):
    (tmp_path / "t.parquet").write_bytes(drops.CASES[what]())
    with refused(BadDrop, "t.parquet"):
        profile_file(tmp_path / "t.parquet")


@pytest.mark.parametrize("stored", [pa.date32(), pa.timestamp("ms"), pa.timestamp("us"), pa.timestamp("ns")])
def test_rows_with_days_beyond_the_calendar_are_set_aside_one_by_one(tmp_path, stored):
    most = 2**31 - 1 if stored == pa.date32() else 2**63 - 1 if stored != pa.timestamp("ns") else 2**62
    content = drops.parquet(sold=pa.array([0] * 29 + [most], stored))
    counts = scored(tmp_path, content)
    expected = (
        0 if stored == pa.timestamp("ns") else 1
    )  # nanoseconds end in the year 2262, a day of any calendar
    assert (counts["good"], counts["rejected"]) == (30 - expected, expected)
    profile_file(tmp_path / "drop")


def test_a_long_text_in_a_column_that_nobody_reads_is_nobody_s_trouble(tmp_path):
    assert scored(tmp_path, drops.parquet(other=["x" * 200_000] * 30))["good"] == 30


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_text_is_held_to_the_same_rows(tmp_path, monkeypatch, pack):
    monkeypatch.setattr(sys.modules["tidegate.table.read.look"], "MOST_ROWS", 20)
    with refused(BadDrop, "more than 20 lines"):
        scored(tmp_path, pack(drops.text().encode()))
    (tmp_path / "lines").mkdir()
    lines = "".join(json.dumps({"id": at, "km": 1, "fuel": "a", "sold": None}) + "\n" for at in range(30))
    with refused(BadDrop, "more than 20 lines"):
        scored(tmp_path / "lines", pack(lines.encode()))


def test_the_kernel_and_the_code_have_one_bound_for_cells():
    defined = native.SOURCE.read_text().split("#define MOST_CELL ", 1)[1].split()[0]
    assert int(defined) == bounds.MOST_CELL_BYTES


class Counted:
    """A stream that counts how many bytes were read of it."""

    def __init__(self, content: bytes) -> None:
        self._content, self.at = content, 0

    def read(self, size: int) -> bytes:
        piece = self._content[self.at : self.at + size]
        self.at += len(piece)
        return piece


@pytest.mark.slow
@pytest.mark.parametrize("columns", [1_000, 16_000])
def test_a_header_is_read_once_however_long_it_is(columns):
    content = (",".join(f"{'n' * 300}{at}" for at in range(columns)) + "\n1\n").encode()
    stream = Counted(content)
    head = csv_head(stream)
    assert head is not None and len(head.cells) == columns
    assert stream.at <= len(content)
    assert content[head.begins :] == b"1\n"


@pytest.mark.slow
def test_names_are_compared_with_few_however_many_there_are(monkeypatch):
    compared = []
    real = difflib.get_close_matches

    def counting(word, possibilities, *rest):
        compared.append(len(possibilities))
        return real(word, possibilities, *rest)

    monkeypatch.setattr(difflib, "get_close_matches", counting)
    wanted = [f"w{at}" for at in range(200)]
    with pytest.raises(BadDrop):
        names.find_columns(["w0", *(f"x{at}" for at in range(16_000))], wanted, "t.csv")
    assert sum(compared) <= names.SHOWN_NAMES * names.MOST_COMPARED


@pytest.mark.slow
def test_rows_of_ever_other_names_cost_what_they_hold(monkeypatch):
    looked_at = []
    real = records.text_cells

    def counting(array):
        looked_at.append(len(array))
        return real(array)

    monkeypatch.setattr(records, "text_cells", counting)
    found = profile_records({f"n{at}": at} for at in range(2_000))
    assert found.rows == 2_000 and found.columns["n7"].types.missing == 1_999
    assert sum(looked_at) == 2_000


@pytest.mark.slow
def test_rows_of_more_names_than_a_table_has_columns_are_refused():
    with refused(BadDrop, "more than 16,384 different names"):
        profile_records([{f"n{at}": at for at in range(bounds.MOST_COLUMNS + half)} for half in (0, 2)])


@pytest.mark.parametrize(
    ("place", "words"),
    [
        ({"monitoring_confg": {}}, "monitoring_confg: .* did you mean 'monitoring_config'"),
        ({"comparison_threshold": 0.2}, "comparison_threshold: .* it belongs into distribution_constraints"),
        ({"monitoring_config": {"comparison_threshold": 0.2}}, "it belongs into distribution_constraints"),
        ({"monitoring_config": {"datatype_check_treshold": 1}}, "did you mean 'datatype_check_threshold'"),
        ({"features": [{"name": "km", "completness": 1}]}, "km.completness: .* did you mean 'completeness'"),
        ({"features": [{"name": "km", "is_non_negative": True}]}, "it belongs into num_constraints"),
        ({"features": [{"name": "km", "num_constraints": {"domains": []}}]}, "into string_constraints"),
    ],
)
def test_a_misspelt_or_misplaced_key_of_constraints_is_told(place, words):
    with refused(BadConstraints, words):
        Constraints.read({"version": 0, "features": [], **place})


@pytest.mark.slow
def test_the_fuzzer_of_the_kernel_finds_nothing_and_leaves_nothing(tmp_path, monkeypatch, capfd):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    if build(tmp_path) is None:
        pytest.skip("there is no C compiler with sanitizers on this machine")
    (tmp_path / "kernel_fuzz").unlink()
    assert fuzz(1, 7) == 0
    assert "nothing was found" in capfd.readouterr().out
    assert list(tmp_path.iterdir()) == []
