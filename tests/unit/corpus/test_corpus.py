"""Every broken input is answered with one sentence; nothing crashes, hangs or fills the memory.

`pytest -m corpus` adds the inputs of a gibibyte.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.corpus import drops, heavy, keys, model_files, requests
from tests.unit.core.test_core_names import MACHINE, evaluate_as_step_functions, event_for

from tidegate.core import names
from tidegate.core.closing import drop_of
from tidegate.core.errors import BadDrop, BadSpec, TidegateError
from tidegate.core.spec import ModelSpec
from tidegate.local.sagemaker.images import recordio
from tidegate.local.sagemaker.images.container import ClientError
from tidegate.modelfile import read_model_file
from tidegate.serving.apply import BadRequest, Recipe, UnsupportedContent
from tidegate.table.read import read_drop
from tidegate.table.scan.capture import read_capture

ROOT = Path(__file__).parents[3]
SPEC = ModelSpec.from_dict(drops.SPEC)
RECIPE = Recipe(requests.RECIPE)
SECONDS, MEBIBYTES = 5.0, 64


def refused(read: Callable[[], Any], *refusals: type[Exception]) -> str:
    """Read what cannot be read; gives the one sentence about it."""
    began = time.process_time()  # of the CPU: others may use the machine too
    with pytest.raises(refusals) as caught:
        read()
    assert time.process_time() - began < SECONDS
    sentence = str(caught.value)
    assert "\n" not in sentence
    assert 10 < len(sentence) < 700
    assert "Traceback" not in sentence
    return sentence


def test_there_are_hundreds_of_them():
    tables = (drops.CASES, model_files.CASES, requests.REQUESTS, requests.RECORDIO, requests.CAPTURES)
    assert sum(len(each) for each in tables) >= 350


@pytest.mark.slow
@pytest.mark.parametrize("what", drops.CASES)
def test_a_broken_drop_is_refused_in_one_sentence(tmp_path: Path, what: str):
    path = tmp_path / "drop"
    path.write_bytes(drops.CASES[what]())
    if what in drops.MAY_PASS:
        try:
            assert read_drop(path, SPEC, "cars.csv").rows == 30
            return
        except BadDrop as refusal:
            assert "\n" not in refusal.plain
            return
    sentence = refused(lambda: read_drop(path, SPEC, "cars.csv"), BadDrop)
    assert sentence.startswith("cars.csv")


@pytest.mark.parametrize("what", model_files.CASES)
def test_a_broken_model_file_is_refused_in_one_sentence(what: str):
    refused(lambda: read_model_file(model_files.CASES[what], folder="cars"), BadSpec)


def test_the_file_that_they_are_made_from_is_good():
    assert read_model_file(model_files.GOOD, folder="cars").name == "cars"


@pytest.mark.parametrize("read", [RECIPE.encode, RECIPE.floats], ids=["text", "numbers"])
@pytest.mark.parametrize("what", requests.REQUESTS)
def test_a_broken_request_is_refused_in_one_sentence(what: str, read: Callable[..., Any]):
    refused(lambda: read(*requests.REQUESTS[what]), BadRequest, UnsupportedContent)


@pytest.mark.parametrize("what", requests.RECORDIO)
def test_broken_recordio_is_refused_in_one_sentence(what: str):
    def read() -> None:
        for record in recordio.read_records(requests.RECORDIO[what]):
            for tensor in record.features.values():
                tensor.dense(3)

    refused(read, ClientError, TidegateError)


@pytest.mark.slow
@pytest.mark.parametrize("what", requests.CAPTURES)
def test_a_broken_capture_line_is_refused_in_one_sentence(tmp_path: Path, what: str):
    path = tmp_path / "capture.jsonl"
    path.write_bytes(requests.captured() + b"\n" + requests.CAPTURES[what] + b"\n")
    sentence = refused(lambda: list(read_capture(path, ["a", "b"])), BadDrop)
    assert "line 2" in sentence


@pytest.mark.parametrize("key", keys.TRAINING)
def test_a_key_is_a_drop_of_its_first_folder_or_none_and_its_refusal_stays_in_the_quarantine(key: str):
    model = keys.TRAINING[key]
    event = event_for("data", key, "v", "e")
    condition = MACHINE["States"]["Is it a drop?"]["Choices"][0]["Condition"]
    # EventBridge's rule asks for */train/* before the machine does.
    assert bool(evaluate_as_step_functions(condition, event) and "/train/" in key) == (model is not None)
    if model is None:
        return
    import json

    drop = drop_of(json.dumps(event))
    assert drop is not None
    assert drop.model == model
    kept = names.quarantine_key(drop.model, drop.run, key)
    assert kept.startswith(f"quarantine/{model}/{drop.run}/")
    assert names.model_of_key(kept) == "quarantine"
    assert len(names.reason_key(kept).encode()) <= names.KEY_MAX_BYTES


@pytest.mark.parametrize("key", keys.MODEL_FILES)
def test_only_the_file_in_a_model_s_own_folder_declares_it(key: str):
    assert (key == names.model_file_key(names.model_of_key(key))) == keys.MODEL_FILES[key]


def peak_of(folder: Path, what: list[str], mebibytes: int) -> tuple[list[str], int]:
    """Read files in a process of their own; gives the sentences, and by how many MiB its memory grew."""
    code = (
        "import resource, sys\n"
        "from pathlib import Path\n"
        "from tests.corpus import drops, heavy\n"
        "from tests.unit.corpus.test_corpus import SPEC, BadDrop, read_drop\n"
        "folder, size, *what = sys.argv[1:]\n"
        "small = Path(folder) / 'small'\n"
        "small.write_text(drops.text())\n"
        "read_drop(small, SPEC, 'small.csv')\n"  # imports what reading needs
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "for each in what:\n"
        "    path = Path(folder) / 'drop'\n"
        "    heavy.write(path, each, int(size))\n"
        "    try:\n"
        "        print('read', read_drop(path, SPEC, 'cars.csv').rows)\n"
        "    except BadDrop as refusal:\n"
        "        print(refusal.plain)\n"
        "    path.unlink()\n"
        "print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)\n"
    )
    command = [sys.executable, "-c", code, str(folder), str(mebibytes), *what]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=280)
    *sentences, peak = done.stdout.splitlines()
    return sentences, int(peak)


def check_heavy(folder: Path, what: list[str], mebibytes: int) -> None:
    sentences, peak = peak_of(folder, what, mebibytes)
    assert len(sentences) == len(what)
    for sentence in sentences:
        assert sentence.startswith("cars.csv"), sentence
    assert peak < MEBIBYTES + 64


@pytest.mark.slow
def test_what_would_fill_the_memory_is_refused_within_a_few_blocks(tmp_path: Path):
    check_heavy(tmp_path, [*heavy.PLAIN, *heavy.BOMBS], 96)


@pytest.mark.corpus
@pytest.mark.parametrize("what", [*heavy.PLAIN, *heavy.BOMBS])
def test_a_gibibyte_takes_no_more_memory_than_a_few_blocks(tmp_path: Path, what: str):
    check_heavy(tmp_path, [what], 1024)
