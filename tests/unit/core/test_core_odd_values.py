"""Every number of a model file times every odd number; keys that stand twice; names that nobody can read."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from tests.corpus.model_files import GOOD, ODD_NUMBERS, ODD_TEXTS, with_line

from tidegate.core.checks import shown
from tidegate.core.errors import BadSpec
from tidegate.core.spec import ModelSpec
from tidegate.modelfile import read_model_file

SCHEMA = json.loads((Path(__file__).parents[3] / "docs" / "model.schema.json").read_text())
TUNING = {"max_jobs": 4, "parallel": 2, "ranges": {"eta": {"least": 0.1, "most": 0.9}}}
FULL: dict[str, Any] = {
    "name": "cars",
    "target": "price",
    "features": {"km": "numeric", "make": {"type": "categorical", "levels": 9}},
    "algorithms": {
        "xgboost": {
            "hyperparameters": {"num_round": 30},
            "count": 1,
            "max_runtime_seconds": 600,
            "tuning": TUNING,
        }
    },
    "split": {"train": 0.7, "validation": 0.15, "test": 0.15},
    "gate": {"metric": "rmse", "at_most": 2500},
    "serving": {
        "combine": "weighted",
        "weights": {"xgboost": 1},
        "instances": {"min": 1, "max": 2},
        "invocations_per_instance": 100,
        "serverless": {"memory_mb": 2048, "max_concurrency": 5},
        "capture_percent": 50,
    },
    "scoring": {"count": 1, "max_concurrent": 2, "max_payload_mb": 6, "most_bad_share": 0.1},
    "monitor": {"least_rows": 200},
}


def numbers_of(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Give the path of every number in a model file."""
    if isinstance(value, dict):
        for key, each in value.items():
            yield from numbers_of(each, (*path, key))
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield path


NUMBERS = [*numbers_of(FULL), ("gate", "at_least")]


def with_number(path: tuple[str, ...], text: str) -> str:
    """Write the full file with another text in the place of a number."""
    spec = copy.deepcopy(FULL)
    if path == ("gate", "at_least"):
        spec["gate"] = {"metric": "r2"}
    at = spec
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = "THE NUMBER"
    return yaml.safe_dump(spec, sort_keys=False).replace("THE NUMBER", text)


def numeric_members(node: Any, name: str = "") -> Iterator[str]:
    """Name every member that the schema says is a number."""
    if isinstance(node, list):
        for each in node:
            yield from numeric_members(each, name)
    if not isinstance(node, dict):
        return
    kinds = node.get("type")
    if {"number", "integer"} & set(kinds if isinstance(kinds, list) else [kinds]):
        yield name
    if node.get("$ref") == "#/definitions/share" or any(
        isinstance(each, int) and not isinstance(each, bool) for each in node.get("enum", [])
    ):
        yield name
    for key, each in node.items():
        if key in ("properties", "definitions"):
            for member, about in each.items():
                yield from numeric_members(about, member)
        elif isinstance(each, dict | list):
            yield from numeric_members(each, name)


def test_every_number_that_the_schema_knows_is_among_them() -> None:
    known = {part for path in NUMBERS for part in path}
    # A share is each of the split's, which are there; what is missing is a word, also where it is a number.
    assert set(numeric_members(SCHEMA)) - {"share", "missing"} <= known
    assert read_model_file(yaml.safe_dump(FULL)).name == "cars"


@pytest.mark.slow
@pytest.mark.parametrize("path", NUMBERS, ids=".".join)
@pytest.mark.parametrize(
    "odd",
    [*ODD_NUMBERS, "yes", "false", "-1", "-0.5", "2024-01-01", "'5 '", "[1]", "{a: 1}", "1e-400"],
    ids=lambda t: t[:9],
)
def test_an_odd_number_is_refused_with_its_line_or_is_a_number(path: tuple[str, ...], odd: str) -> None:
    text = with_number(path, odd)
    try:
        spec = read_model_file(text)
    except BadSpec as refusal:
        assert refusal.line is not None
        assert "\n" not in str(refusal)
        assert len(str(refusal)) < 300
        return
    # What is accepted is a number, which survives JSON: it travels as such.
    assert odd not in ODD_NUMBERS
    if odd in ("yes", "false", "'5 '"):
        assert "hyperparameters" in path  # they may be words
    assert ModelSpec.from_dict(json.loads(json.dumps(spec.to_dict(), allow_nan=False))) == spec


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (GOOD + "target: km\n", 8),
        (with_line("features", "features:\n  km: numeric\n  year: integer\n  km: date"), 7),
        (GOOD.replace("gate:", "  'xgboost': {}\ngate:"), 7),
    ],
)
def test_a_key_that_stands_twice_is_refused_with_both_lines(text: str, line: int) -> None:
    with pytest.raises(BadSpec, match="a second time; it stands in line") as refusal:
        read_model_file(text)
    assert refusal.value.line == line


@pytest.mark.parametrize("what", ODD_TEXTS)
def test_a_name_that_nobody_can_read_is_refused_in_characters_that_can_be_read(what: str) -> None:
    with pytest.raises(BadSpec) as refusal:
        read_model_file(with_line("target", f"target: {ODD_TEXTS[what]}"))
    sentence = str(refusal.value)
    assert refusal.value.line == 2
    assert sentence.isprintable()
    assert sentence.encode()


@given(st.text(st.characters(), max_size=60) | st.integers() | st.floats() | st.just(10**5000))
def test_whatever_is_shown_in_a_sentence_is_one_line_of_what_can_be_encoded(value: object) -> None:
    assert "\n" not in shown(value)
    shown(value).encode()
