"""A file that was tampered with is either read as Python's own reader reads it, or refused in one sentence."""

from __future__ import annotations

import gzip
import random

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tidegate.core.errors import BadDrop
from tidegate.core.spec import ModelSpec
from tidegate.table.columns import Categories
from tidegate.table.read import read_drop
from tidegate.table.read.csv_trouble import rows_of
from tidegate.table.read.values import PARSERS, is_missing

SPEC = ModelSpec.from_dict(
    {
        "name": "cars",
        "target": "y",
        "features": {"KM": "numeric", "Age": "integer", "Fuel": "categorical", "Sold": "date"},
        "algorithms": {"xgboost": None},
    }
)
PLAIN = "y,KM,Age,Fuel,Sold\n" + "".join(f"{at}.5,46986,{at},Diesel,2024-05-31\n" for at in range(24))
JUNK = ['"', '""', ",", "\n", "\r", "\r\n", "\ufeff", "\u2028", "\x1c", "\x85", "\x0b", "\xa0", "nan", " "]
JUNK += ["-nan", "+", "'", "\\", ";", "\t", '"\n"', "?", "é"]


@pytest.mark.slow
@given(st.lists(st.tuples(st.integers(19, len(PLAIN)), st.sampled_from(JUNK)), min_size=1, max_size=2))
@settings(max_examples=150, deadline=None)
def test_a_disturbed_csv_is_read_right_or_refused(tmp_path_factory, changes):
    text = PLAIN
    for at, junk in changes:
        text = text[:at] + junk + text[at:]
    path = tmp_path_factory.mktemp("odd") / "drop.csv"
    path.write_bytes(text.encode())
    try:
        table = read_drop(path, SPEC, "drop.csv")
    except BadDrop as bad:
        assert bad.plain.startswith("drop.csv") and "\n" not in bad.plain
        assert bad.row is not None or "quotation" in bad.plain or "rows; at least" in bad.plain
        return
    rows = [cells for _, cells in rows_of(path, False)][1:]
    assert table.target.tolist() == [PARSERS["numeric"](cells[0]) for cells in rows]
    for place, (name, feature) in enumerate(SPEC.features.items(), 1):
        column = table.columns[name]
        texts = [cells[place] for cells in rows]
        if isinstance(column, Categories):
            assert column.texts() == [None if is_missing(text) else text.strip() for text in texts]
        else:
            assert list(map(repr, column.values.tolist())) == [
                repr(PARSERS[feature.type](text)) for text in texts
            ]


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("at", ["y,KM,Age,Fuel,Sold\n", PLAIN[: len(PLAIN) // 2].rsplit("\n", 1)[0] + "\n"])
def test_a_byte_order_mark_within_a_file_is_text_wherever_it_stands(tmp_path, packed, at):
    # pyarrow takes one away from the beginning of whatever it is given, and it is not given the header.
    text = PLAIN.replace(at, at + "\ufeff", 1).encode()
    path = tmp_path / "drop.csv"
    path.write_bytes(gzip.compress(text) if packed else text)
    with pytest.raises(BadDrop, match=r"holds .*not a finite number"):
        read_drop(path, SPEC, "drop.csv")


@pytest.mark.parametrize("seed", range(60))
def test_a_disturbed_parquet_file_is_read_or_refused(tmp_path, seed):
    made = {
        "y": [1.5] * 30,
        "KM": [2.5] * 30,
        "Age": [3] * 30,
        "Fuel": ["Gas"] * 30,
        "Sold": ["2024-01-01"] * 30,
    }
    pq.write_table(pa.table(made), tmp_path / "drop")
    content = bytearray((tmp_path / "drop").read_bytes())
    dice = random.Random(seed)
    for _ in range(3):
        content[dice.randrange(4, len(content))] = dice.randrange(256)
    (tmp_path / "drop").write_bytes(content)
    try:
        assert read_drop(tmp_path / "drop", SPEC, "drop.parquet").rows >= 20
    except BadDrop as bad:
        assert bad.plain.startswith("drop.parquet") and "\n" not in bad.plain
