"""The XGBoost image's model server answers as AWS's own container does, request by request."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from xgboost_requests import ASKED, MODELS, SOURCES, Asked, boosters

from tidegate.local.sagemaker.images.recordio import read_records
from tidegate.local.sagemaker.images.server import Answer, Refused
from tidegate.local.sagemaker.images.xgboost.library import xgboost
from tidegate.local.sagemaker.images.xgboost.model import Model
from tidegate.local.sagemaker.images.xgboost.serve import Predictor

RECORDED: dict[str, dict[str, Any]] = json.loads(
    (Path(__file__).parent / "golden" / "xgboost_container.json").read_text()
)
_NUMBER = re.compile(r"-?\d+\.\d+(?:e-?\d+)?")


@pytest.fixture(scope="module")
def models() -> dict[str, Model]:
    return {name: Model([booster]) for name, booster in boosters(xgboost, np).items()}


def ask(models: dict[str, Model], asked: Asked) -> Answer:
    predictor = Predictor(models[asked.model], asked.environment)
    try:
        return predictor(asked.body, asked.content_type or "", asked.accept or "")
    except Refused as refused:
        return Answer(str(refused).encode(), "text/plain", refused.status)


def parted(text: str) -> tuple[list[str], list[float]]:
    """Part a text into its words and its numbers: other processors may end a number otherwise."""
    return _NUMBER.split(text), [float(number) for number in _NUMBER.findall(text)]


def content(body: bytes, media_type: str) -> Any:
    """Read an answer whose entries may stand in any order: what the container writes from a set."""
    if media_type.endswith("x-recordio-protobuf"):
        return [
            {key: tensor.values.tolist() for key, tensor in record.label.items()}
            for record in read_records(body)
        ]
    return [json.loads(line) for line in body.decode().splitlines()]


@pytest.mark.slow
@pytest.mark.parametrize("asked", ASKED, ids=lambda asked: asked.name)
def test_an_answer_is_the_container_s(asked: Asked, models: dict[str, Model]) -> None:
    recorded = RECORDED[asked.name]
    answer = ask(models, asked)
    assert answer.status == recorded["status"], f"{asked.source}: {answer.body[:200]!r}"
    if answer.status != 200:
        assert bool(answer.body) == (answer.status != 204)
        return
    assert answer.content_type == recorded["type"]
    if "sha256" in recorded:
        assert hashlib.sha256(answer.body).hexdigest() == recorded["sha256"]
        return
    expected = base64.b64decode(recorded["base64"]) if "base64" in recorded else recorded["text"].encode()
    if asked.name.startswith("selected") and "csv" not in answer.content_type:
        found, wanted = (content(body, answer.content_type) for body in (answer.body, expected))
        np.testing.assert_equal(_rounded(found), _rounded(wanted))
    else:
        words, numbers = parted(answer.body.decode())
        recorded_words, recorded_numbers = parted(expected.decode())
        assert words == recorded_words
        assert numbers == pytest.approx(recorded_numbers, rel=1e-6)


def _rounded(entry: Any) -> Any:
    if isinstance(entry, dict):
        return {key: _rounded(value) for key, value in entry.items()}
    if isinstance(entry, list):
        return [_rounded(value) for value in entry]
    return round(entry, 6) if isinstance(entry, float) else entry


def test_every_recorded_answer_is_asked_for_and_every_kind_of_request_is_there() -> None:
    assert {asked.name for asked in ASKED} == set(RECORDED)
    assert len(RECORDED) > 250
    assert {asked.source for asked in ASKED} == set(SOURCES.values())
    assert {asked.model for asked in ASKED} == set(MODELS)
    assert {each["status"] for each in RECORDED.values()} == {200, 204, 400, 406, 413, 415, 500}
