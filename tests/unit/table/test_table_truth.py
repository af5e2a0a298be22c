"""Ground truth as people drop it: every form of drop is read, alike, and a sentence for what is not."""

from __future__ import annotations

import gzip
import io
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tidegate.core.errors import BadDrop
from tidegate.table.truth import read_truth


def read(folder: Path, content: str | bytes, identity: str | None = "listing") -> list[tuple[str, float]]:
    path = folder / "drop"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return list(read_truth(path, "may.csv", identity=identity, target="price"))


def parquet(**columns: Any) -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.table(columns), out)
    return out.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        "listing,price\nc-1,9500\n",
        "\ufefflisting,price\r\nc-1,9500\r\n",
        "\n\n listing , price\rc-1,9500\r",
        "km,price,listing\n5,9500,c-1\n",
        "prediction_id,target\nc-1,9500.0\n",
        '"listing","price","said"\n"c-1","9500","two\nlines, ""quoted"""\n',
        gzip.compress(b"listing,price\nc-1,9500\n", mtime=0),
        '{"groundTruthData": {"data": "9500", "encoding": "CSV"}, "eventMetadata": {"eventId": "c-1"}}',
        '\ufeff{"listing": "c-1", "price": 9500}\n\n',
        '{"id": "c-1", "label": "9500"}',
        gzip.compress(b'{"id": "c-1", "label": 9500}\n', mtime=0),
        parquet(listing=["c-1"], price=[9500]),
        parquet(price=["9500"], id=pa.array(["c-1"]).dictionary_encode()),
    ],
)
def test_these_forms_are_read(tmp_path, content):
    assert read(tmp_path, content) == [("c-1", 9500.0)]


@pytest.mark.parametrize(
    "content",
    [
        "listing,price\n101,1\n",
        '{"listing": 101, "price": 1}',
        '{"listing": 101.0, "price": 1}',
        '{"listing": "101", "price": 1}',
        parquet(listing=[101], price=[1]),
        parquet(listing=[101.0], price=[1.0]),
    ],
)
def test_one_id_is_one_text_in_every_form(tmp_path, content):
    assert read(tmp_path, content) == [("101", 1.0)]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", ["is empty"]),
        ("listing,price\n", ["no rows"]),
        ("a,price\n1,2\n", ["no id column", "line 1", "listing"]),
        ("listing,cost\n1,2\n", ["no target column", "price"]),
        ("a,b\n1,2\n", ["no id column", "and no target column"]),
        ("listing;price\n1;2\n", ["separates its columns by semicolons", "commas"]),
        ("listing\tprice\n1\t2\n", ["separates its columns by tabs"]),
        ('listing,price\n1,"99,9"\n', ["line 2", "'99,9' is not a number", "decimal point"]),
        ("listing,price\n1,2\n3\n", ["line 3", "1 field, expected 2"]),
        ("listing,price\n1,cheap\n,5\n3,\n", ["line 2", "'cheap'", "line 3", "no id", "line 4", "no target"]),
        ("listing,price\n1,nan\n", ["line 2", "no target"]),
        ("listing,price\n" + "1,cheap\n" * 20, ["line 9", "and 12 more"]),
        ('listing,price\n1,"2\n', ["line 2", "never closed"]),
        ("listing,price\n1,\xff\n".encode("latin-1"), ["not UTF-8 text: line 2"]),
        ('{"listing": "a", "price": true}', ["line 1", "'true' is not a number"]),
        ("{not json", ["line 1", "not JSON"]),
        ('{"price": 5}', ["line 1", "none of listing"]),
        ('{"groundTruthData": {}, "eventMetadata": {}}', ["groundTruthData.data"]),
        ('{"id": "a", "price": 5}\n[1]', ["line 2", "not a JSON object"]),
        ('{"id": "\\ud800", "price": 5}', ["line 1", "half of a character"]),
        (parquet(price=[1]), ["no id column"]),
        (parquet(listing=["a"], price=[[1]]), ["'price' is stored as list"]),
        (b"PAR1 and no more", ["damaged Parquet"]),
        (gzip.compress(b"listing,price\n1,2\n", mtime=0)[:-9], ["damaged gzip"]),
    ],
)
def test_what_cannot_be_read_is_told_with_its_line(tmp_path, content, words):
    with pytest.raises(BadDrop) as refusal:
        read(tmp_path, content)
    for word in words:
        assert word in refusal.value.plain, refusal.value.plain
    assert "cheap" not in refusal.value.masked


def test_a_model_without_ids_knows_the_names_of_predictions(tmp_path):
    assert read(tmp_path, "prediction_id,price\np-1,2\n", identity=None) == [("p-1", 2.0)]
