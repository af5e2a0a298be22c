"""What the documents tell people to type is typed here, as it stands, in a place of its own."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.e2e.conftest import free_port
from tests.e2e.town import Town
from tidegate.cli.demo import fetch_cars

ROOT = Path(__file__).parents[2]
DOCUMENTS = ("README.md", "CONTRIBUTING.md")
BIN = Path(sys.executable).parent


def commands(document: str) -> Iterator[str]:
    """Give each command line of a document's code blocks, its comment taken off."""
    for block in re.findall(r"^```\n(.*?)^```", (ROOT / document).read_text(), re.S | re.M):
        for line in block.splitlines():
            command = line.split(" #", 1)[0].strip()
            if re.match(r"(make|sam|\.venv/bin/|uv) ?", command):
                yield command


EVERY = [command for document in DOCUMENTS for command in commands(document)]
VERBS = [command for command in EVERY if command.startswith(".venv/bin/tidegate")]


def test_the_documents_hold_commands_of_every_kind_that_is_tested_here():
    assert len(VERBS) >= 8
    known = ("make ", ".venv/bin/tidegate ", "sam build && sam deploy --guided")
    assert [command for command in EVERY if not command.startswith(known)] == []


def serving(type_in: Callable[[str], str]) -> bool:
    """Tell whether all endpoints are in service."""
    models = json.loads(type_in(".venv/bin/tidegate models --json"))["models"]
    states = [one["state"] for model in models for one in model["algorithms"].values()]
    return bool(states) and set(states) == {"InService"}


@pytest.mark.parametrize("command", sorted({c for c in EVERY if c.startswith("make ")}))
def test_a_make_command_has_its_target(command):
    # `make test` cannot run inside itself; its parts are this very suite.
    found = subprocess.run([*command.split(), "-n"], cwd=ROOT, capture_output=True, text=True)
    assert found.returncode == 0, found.stderr


def test_the_template_that_sam_is_told_to_build_is_valid():
    environment = {**os.environ, "AWS_DEFAULT_REGION": "us-east-1", "SAM_CLI_TELEMETRY": "0"}
    found = subprocess.run(
        [BIN / "sam", "validate", "--lint"], cwd=ROOT, capture_output=True, text=True, env=environment
    )
    assert found.returncode == 0, found.stderr


def test_the_verbs_of_the_readme_work_in_their_order(tmp_path):
    fetch_cars(tmp_path).rename(tmp_path / "cars.csv")
    (tmp_path / "models").symlink_to(ROOT / "models")
    state, port = str(tmp_path / "state"), str(free_port())

    def type_in(command: str) -> str:
        words = [str(BIN / "tidegate"), *shlex.split(command)[1:], "--state", state]
        words += ["--port", port] if words[1] == "up" else []
        # Captures are written within a second or so; the check after the predictions is to see them.
        time.sleep(3 if words[1] == "monitor" else 0)
        found = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, timeout=120)
        assert found.returncode == 0, f"{command}: {found.stderr[-2000:]}"
        return found.stdout

    try:
        for command in VERBS:
            type_in(command)
        assert any(command.endswith(" down") for command in VERBS)
        before = type_in(".venv/bin/tidegate up") and type_in(".venv/bin/tidegate runs --json")
        assert "SUCCEEDED" in before, "what ran is still known after a stop"
        ask = ".venv/bin/tidegate predict used-car-price cars.csv --json"
        Town.until(lambda: serving(type_in), "the endpoints came back")
        assert "prediction" in type_in(ask)
    finally:
        subprocess.run([BIN / "tidegate", "down", "--state", state], capture_output=True)
