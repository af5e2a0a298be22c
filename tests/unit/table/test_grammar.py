"""One grammar of CSV and of JSON Lines: every reader sees the rows and cells that Python's own readers see.

`pytest -m corpus` (make corpus) goes on for thousands of files.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tidegate.api.form import Form
from tidegate.api.problems import Problem
from tidegate.api.records import read_records
from tidegate.cli.errors import Trouble
from tidegate.cli.rows import read_rows
from tidegate.core.errors import BadDrop
from tidegate.core.grammar import Malformed, csv_text
from tidegate.core.spec import ModelSpec
from tidegate.table import native
from tidegate.table.columns import Categories
from tidegate.table.profile import ColumnProfile, Profile
from tidegate.table.read.csv_file import read_csv
from tidegate.table.read.look import look
from tidegate.table.scan import blocks, profile_csv
from tidegate.table.scan.arrow_texts import cells_of
from tidegate.table.score import Wanted
from tidegate.table.score.prepare import read_rows as read_scored

Table = list[list[str]]
NAMES = ["size", 'screen"', "a, b"]
WANTED = Wanted(dict.fromkeys(NAMES, "categorical"), None)
SPEC = ModelSpec.from_dict(
    {
        "name": "screens",
        "target": "size",
        "features": dict.fromkeys(NAMES[1:], "categorical"),
        "algorithms": {"xgboost": None},
    }
)
FORM = Form(dict.fromkeys(NAMES, "categorical"), None, "price")
ENDS = st.sampled_from(["\n", "\n", "\r\n", "\r"])
CELL = st.one_of(
    st.sampled_from(
        [
            "",
            " ",
            "x",
            '14" pipes',
            'so "called"',
            'say ""',
            "a;b",
            "a\tb",
            "é",
            "\ufeff",
            "\u2028",
            "\x0b",
            "it's",
        ]
    ),
    st.text('ab1 ",;\n\ré', max_size=6),
)


def written(cell: str, quote: bool) -> str:
    """Write a cell: in quotation marks where it must be, and where somebody wants it."""
    if quote or any(mark in cell for mark in ",\r\n") or cell.startswith('"'):
        return '"' + cell.replace('"', '""') + '"'
    return cell


@st.composite
def tables(draw: st.DrawFn) -> str:
    """A table as somebody may write it: with any line ends, blank lines and needless quotation marks."""
    rows = draw(st.lists(st.tuples(st.integers(0, 9).map(str), CELL, CELL), min_size=1, max_size=8))
    quotes = st.booleans()
    lines = [draw(st.sampled_from(["", "\ufeff"])), *draw(st.lists(ENDS, max_size=2))]
    for row in [NAMES, *rows]:
        cells = ",".join(written(cell, draw(quotes)) for cell in row)
        lines += [cells, draw(ENDS), *draw(st.lists(ENDS, max_size=1))]
    if draw(quotes):
        del lines[-1]  # the last record may end with the file
    return "".join(lines)


SOUP = st.text('1,,,"\n\rxé ', max_size=40).map(lambda soup: 'size,"screen""","a, b"\n' + soup)


def by_python(text: str) -> Table | None:
    """Read by Python's `csv`; None for a text that ends within quotation marks."""

    def rows(of: str) -> Table:
        return [row for row in csv.reader(io.StringIO(of, newline="")) if row]

    text = text.removeprefix("\ufeff")
    closed = rows(text + "\nthe end")[-1] == ["the end"]
    return rows(text) if closed else None


def shape_of(table: Table) -> str:
    return "whole" if all(len(row) == len(table[0]) for row in table) else "ragged"


def texts(table: Table, place: int) -> list[str | None]:
    return [row[place].strip() or None for row in table[1:]]


def same_profile(found: Profile, table: Table) -> None:
    assert found.rows == len(table) - 1
    if not found.rows:
        return
    assert list(found.columns) == [name.strip() for name in table[0]]
    for place, column in enumerate(found.columns.values()):
        cells = pa.array([row[place] for row in table[1:]], pa.string())
        wanted = ColumnProfile.of(cells_of(cells))
        assert column.types == wanted.types
        assert column.categories() == wanted.categories()


def trained(path: Path) -> list[list[str | None]]:
    table = read_csv(path, SPEC, "t.csv", look(path, "t.csv"))
    columns = [column.texts() for column in table.columns.values() if isinstance(column, Categories)]
    return [list(map(str, map(int, table.target.tolist()))), *columns] if table.rows else []


def scored(path: Path) -> tuple[list[list[str | None]], int, list[int]]:
    columns: list[list[str | None]] = [[] for _ in NAMES]
    lines: list[int] = []
    aside = 0
    for block in read_scored(path, WANTED, "t.csv"):
        for column, name in zip(columns, NAMES, strict=True):
            found = block.columns[name]
            assert isinstance(found, Categories)
            column += found.texts()
        lines += block.numbers.tolist()
        aside += len(block.rejects)
    return columns, aside, lines


def of_records(records: Sequence[Any]) -> Table:
    return [NAMES, *([row[name] for name in NAMES] for row in records)]


def refuses(read: Callable[[], Any], *refusals: type[Exception]) -> None:
    with pytest.raises(refusals) as caught:
        read()
    assert "\n" not in str(caught.value)


def check(folder: Path, text: str, block_bytes: int, kernel: bool) -> None:
    """Hold every reader to what Python's `csv` reads."""
    path = folder / "t.csv"
    path.write_bytes(text.encode())
    table = by_python(text)

    def profile() -> Profile:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(blocks, "BLOCK_BYTES", block_bytes)
            if not kernel:
                patch.setattr(native, "load", lambda: None)
            return profile_csv(path)

    def predicted() -> Table:
        return of_records(read_rows(text, NAMES, "t.csv"))

    def asked() -> Table:
        return of_records(read_records(text.encode(), "text/csv; header=present", FORM))

    whole_readers: list[Callable[[], Any]] = [profile, lambda: trained(path), predicted, asked]
    if table is None:
        with pytest.raises(Malformed):
            list(csv_text(text))
        for read in [*whole_readers, lambda: scored(path)]:
            refuses(read, BadDrop, Trouble, Problem)
        return
    assert [row for _, row in csv_text(text)] == table
    columns, aside, lines = scored(path)
    fitting = [row for row in table if len(row) == len(NAMES)]
    assert columns == [texts(fitting, place) for place in range(len(NAMES))]
    assert aside == len(table) - len(fitting)
    begins = [line for line, row in csv_text(text) if len(row) == len(NAMES)][1:]
    assert lines == begins
    if shape_of(table) == "ragged":
        for read in whole_readers:
            refuses(read, BadDrop, Trouble, Problem)
        return
    same_profile(profile(), table)
    if len(table) == 1:
        assert trained(path) == []
        return
    assert predicted() == table[:1] + table[1:]
    assert asked() == table
    if all(row[0].strip().isdigit() and row[0].isascii() for row in table[1:]):
        assert trained(path)[1:] == [texts(table, place) for place in (1, 2)]
        assert trained(path)[0] == [str(int(row[0])) for row in table[1:]]


def law(folder: Path, examples: int, kernel: bool) -> None:
    @settings(max_examples=examples, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(st.one_of(tables(), SOUP), st.integers(1, 200))
    @example('size,"screen""","a, b"\r1,2,3\n4,5,6\n', 64)  # a header that ends as no row does
    @example('size,screen",a;b\n'.replace("a;b", '"a, b"') + "1,2,3\n" * 50, 64)  # a mark in a header's cell
    @example("\r\n\n\ufeff".replace("\ufeff", "") + 'size,screen","a, b"\n1,2,3\n', 64)
    @example('size,screen","a, b"\n1,2,"3\n4,5,6\n', 64)
    @example('size,screen","a, b"\n1,2,"3"x"y\n', 64)
    def run(text: str, block_bytes: int) -> None:
        check(folder, text, block_bytes, kernel)

    run()


KERNELS = pytest.mark.parametrize(
    "kernel",
    [pytest.param(True, marks=pytest.mark.skipif(native.load() is None, reason="no C compiler")), False],
    ids=["native", "pyarrow"],
)


@pytest.mark.slow
@KERNELS
def test_every_reader_of_csv_sees_what_python_sees(tmp_path: Path, kernel: bool):
    law(tmp_path, 60, kernel)


@pytest.mark.corpus
@KERNELS
def test_every_reader_of_csv_sees_what_python_sees_in_thousands_of_files(tmp_path: Path, kernel: bool):
    law(tmp_path, 4000, kernel)
