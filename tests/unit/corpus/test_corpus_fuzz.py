"""Fuzzing: whatever bytes come, a parser answers with rows or with its own refusal, never with a crash.

The light form runs with `make check`; `pytest -m corpus` goes on for thousands of inputs.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.corpus import drops, model_files, requests

from tidegate.core.errors import BadDrop, BadSpec
from tidegate.core.spec import ModelSpec
from tidegate.local.sagemaker.images import recordio
from tidegate.local.sagemaker.images.container import ClientError
from tidegate.modelfile import read_model_file
from tidegate.serving.apply import BadRequest, Recipe, UnsupportedContent
from tidegate.table.read import read_drop
from tidegate.table.scan.capture import read_capture

SPEC = ModelSpec.from_dict(drops.SPEC)
RECIPE = Recipe(requests.RECIPE)
FOLDER = Path()  # where all examples of hypothesis write; see `folder`


@pytest.fixture(scope="module", autouse=True)
def folder(tmp_path_factory: pytest.TempPathFactory) -> None:
    global FOLDER
    FOLDER = tmp_path_factory.mktemp("fuzz")


def changed(good: bytes) -> st.SearchStrategy[bytes]:
    """Bytes with a few places overwritten, taken out or put in, among them what parsers stumble over."""
    odd = st.sampled_from(
        [
            b"\x00",
            b'"',
            b"'",
            b",",
            b"\n",
            b"\r",
            b"\xff",
            b"\xef\xbb\xbf",
            b"[",
            b"{",
            b"}",
            b"-",
            b"e",
            b"\\",
        ]
    )
    change = st.tuples(st.integers(0, len(good)), st.integers(0, 12), st.one_of(odd, st.binary(max_size=6)))

    def apply(changes: list[tuple[int, int, bytes]]) -> bytes:
        content = good
        for at, out, put in changes:
            content = content[:at] + put + content[at + out :]
        return content

    return st.lists(change, min_size=1, max_size=6).map(apply)


def read_as_drop(content: bytes) -> None:
    path = FOLDER / "drop"
    path.write_bytes(content)
    try:
        assert read_drop(path, SPEC, "cars.csv").rows >= 20
    except BadDrop as refusal:
        assert refusal.plain.startswith("cars.csv")
        assert "\n" not in refusal.plain


def read_as_model_file(content: bytes) -> None:
    try:
        spec = read_model_file(content)
        assert ModelSpec.from_dict(spec.to_dict()) == spec
    except BadSpec as refusal:
        assert "\n" not in str(refusal)


def read_as_request(content: bytes) -> None:
    for kind in (requests.CSV, requests.JSON, requests.LINES):
        try:
            lines = RECIPE.encode(content, kind).split("\n")
            assert all(line.count(",") == len(RECIPE.outputs) - 1 for line in lines)
        except (BadRequest, UnsupportedContent) as refusal:
            assert len(str(refusal)) < 1000


def read_as_recordio(content: bytes) -> None:
    try:
        for record in recordio.read_records(content):
            for tensor in record.features.values():
                assert len(tensor.dense(3)) == 3
    except ClientError as refusal:
        assert str(refusal)


def read_as_capture(content: bytes) -> None:
    path = FOLDER / "capture.jsonl"
    path.write_bytes(content)
    try:
        list(read_capture(path, ["a", "b"]))
    except BadDrop as refusal:
        assert "\n" not in refusal.plain


PARSERS: dict[str, tuple[Callable[[bytes], None], list[bytes]]] = {
    "drop, CSV": (read_as_drop, [drops.text().encode()]),
    "drop, gzip": (read_as_drop, [drops.gz(drops.text().encode())]),
    "drop, Parquet": (read_as_drop, [drops.parquet()]),
    "model file": (read_as_model_file, [model_files.GOOD.encode()]),
    "request": (
        read_as_request,
        [
            b"1,Diesel,2024-05-31,1\n2,Gas,2024-05-30,0",
            json.dumps([{"km": 1, "fuel": "Diesel", "sold": "2024-05-31", "auto": True}]).encode(),
        ],
    ),
    "recordio": (read_as_recordio, [requests.frame(requests.value(requests.FLOATS)) * 2]),
    "capture": (read_as_capture, [requests.captured() + b"\n" + requests.captured()]),
}


def fuzz(name: str, examples: int) -> None:
    read, good = PARSERS[name]

    @settings(max_examples=examples, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(st.one_of(*map(changed, good), st.binary(max_size=200)))
    def run(content: bytes) -> None:
        read(content)

    run()


@pytest.mark.parametrize("name", PARSERS)
def test_no_bytes_crash_a_parser(name: Any):
    fuzz(name, 40)


@pytest.mark.corpus
@pytest.mark.parametrize("name", PARSERS)
def test_thousands_of_inputs_crash_no_parser(name: Any):
    fuzz(name, 4000)
