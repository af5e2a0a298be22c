"""Ground truth as people drop it: every form that is read, and a sentence for what is not."""

import pytest

from tidegate.core.errors import BadDrop
from tidegate.core.truth import read_labels


def read(text: str, identity: str | None = "listing") -> list[tuple[str, float]]:
    return list(read_labels(text.splitlines(), "may.csv", identity=identity, target="price"))


@pytest.mark.parametrize(
    "text",
    [
        "listing,price\nc-1,9500\n",
        "﻿listing,price\r\nc-1,9500\r\n",
        "km,price,listing\n5,9500,c-1\n",
        "prediction_id,target\nc-1,9500.0\n",
        '{"groundTruthData": {"data": "9500", "encoding": "CSV"}, "eventMetadata": {"eventId": "c-1"}}',
        '{"listing": "c-1", "price": 9500}\n\n',
        '{"id": "c-1", "label": "9500"}',
    ],
)
def test_these_forms_are_read(text):
    assert read(text) == [("c-1", 9500.0)]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", ["is empty"]),
        ("listing,price\n", ["no rows"]),
        ("a,price\n1,2\n", ["no id column", "line 1", "listing"]),
        ("listing,cost\n1,2\n", ["no target column", "price"]),
        ("listing,price\n1,2\n3\n", ["line 3", "1 cells"]),
        ("listing,price\n1,cheap\n", ["'cheap'", "line 2"]),
        ("listing,price\n1,nan\n", ["'nan'", "line 2"]),
        ("listing,price\n ,5\n", ["no id in line 2"]),
        ('{"listing": "a", "price": true}', ["'True'", "line 1"]),
        ("{not json", ["line 1", "not JSON"]),
        ('{"price": 5}', ["none of listing"]),
        ('{"groundTruthData": {}, "eventMetadata": {}}', ["groundTruthData.data"]),
        ('{"id": "a", "price": 5}\n[1]', ["line 2", "not a JSON object"]),
    ],
)
def test_what_cannot_be_read_is_told_with_its_line(text, words):
    with pytest.raises(BadDrop) as refusal:
        read(text)
    for word in words:
        assert word in refusal.value.message
