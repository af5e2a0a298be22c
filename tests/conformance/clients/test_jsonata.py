"""The machines' expressions by npm's jsonata 2: what the Python engine makes of them here is what it makes of them.

The inputs are recorded while the tests that evaluate expressions run; see `recording`.
"""

from __future__ import annotations

import json
import math
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.asl import expressions, read_machine, states
from tests.conformance.clients.conftest import KEPT

pytestmark = pytest.mark.clients

ROOT = Path(__file__).parents[3]
MACHINES = sorted((ROOT / "statemachines").glob("*.asl.yaml"))
REPLAY = Path(__file__).parent / "scripts" / "jsonata" / "replay.cjs"
VERSION = "2.1.0"
MILLISECONDS = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"
)  # as $now() writes a time, and no input here
TESTS = [
    "tests/unit/core/test_core_line.py",
    "tests/unit/core/test_core_names.py",
    "tests/conformance/test_score_machine.py",
    "tests/conformance/test_training_calls.py",
    "tests/conformance/test_waiting.py",
]


@pytest.fixture(scope="module")
def engine() -> Path:
    """Give the folder of npm's package, fetched where it is not kept yet."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("there is no Node.js on this machine, which npm's jsonata runs on")
    home = KEPT / f"jsonata-{VERSION}"
    if not (home / "node_modules" / "jsonata").exists():
        home.mkdir(parents=True, exist_ok=True)
        command = ["npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", str(home)]
        subprocess.run([*command, f"jsonata@{VERSION}"], check=True, timeout=300)
    return home / "node_modules"


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("jsonata") / "asked.jsonl"
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "tests.conformance.clients.recording", *TESTS],
        cwd=ROOT,
        env={**os.environ, "TIDEGATE_JSONATA": str(place)},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stdout[-3000:]
    return place


def alike(ours: Any, theirs: Any) -> bool:
    """Compare values as JSON does, where 1 and 1.0 are one number."""
    if isinstance(ours, bool) or isinstance(theirs, bool):
        return ours is theirs
    if isinstance(ours, int | float) and isinstance(theirs, int | float):
        return math.isclose(ours, theirs, rel_tol=1e-12)
    if isinstance(ours, list) and isinstance(theirs, list):
        return len(ours) == len(theirs) and all(map(alike, ours, theirs))
    if isinstance(ours, dict) and isinstance(theirs, dict):
        return ours.keys() == theirs.keys() and all(alike(ours[key], theirs[key]) for key in ours)
    if isinstance(ours, str) and isinstance(theirs, str):
        return MILLISECONDS.sub("now", ours) == MILLISECONDS.sub("now", theirs)
    return bool(ours == theirs)


def test_npm_s_jsonata_answers_every_recorded_question_as_the_python_one_did(engine: Path, recorded: Path):
    asked = [json.loads(line) for line in recorded.read_text().splitlines()]
    done = subprocess.run(
        ["node", str(REPLAY), str(recorded)],
        env={**os.environ, "NODE_PATH": str(engine)},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(answers) == len(asked) > 500
    differ = [
        (each["text"], each.get("value"), answer)
        for each, answer in zip(asked, answers, strict=True)
        if ("error" in each) != ("error" in answer) or not alike(each.get("value"), answer.get("value"))
    ]
    assert differ == []


def test_npm_s_jsonata_reads_every_expression_of_the_machines(engine: Path, tmp_path: Path):
    every = [
        text
        for path in MACHINES
        for state in states(read_machine(path))
        for text in expressions(
            {k: v for k, v in state.body.items() if k not in ("ItemProcessor", "Branches")}
        )
    ]
    texts = tmp_path / "texts.json"
    texts.write_text(json.dumps(every))
    program = (
        "const j = require('jsonata'); const bad = [];"
        f"for (const t of JSON.parse(require('fs').readFileSync({json.dumps(str(texts))})))"
        "{ try { j(t) } catch (e) { bad.push(t + ': ' + e.message) } } console.log(JSON.stringify(bad));"
    )
    done = subprocess.run(
        ["node", "-e", program], env={**os.environ, "NODE_PATH": str(engine)}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert len(every) > 300
    assert json.loads(done.stdout) == []
