"""What `docs/local-sagemaker.md` says: its example is typed as it stands, its table names what is served."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from tests.free_ports import free_port

from tidegate.local.sagemaker import service
from tidegate.local.settings import machine_environment

pytestmark = pytest.mark.integration

DOCUMENT = (Path(__file__).parents[3] / "docs" / "local-sagemaker.md").read_text()


def block(before: str, language: str) -> str:
    """Return the code block after the first line that holds these words."""
    found = re.search(rf"{re.escape(before)}[^\n]*\n\n```{language}\n(.*?)```", DOCUMENT, re.DOTALL)
    assert found is not None, f"no block follows {before!r}"
    return found[1]


def test_the_table_names_the_operations_that_are_served() -> None:
    table = re.findall(r"^\|.*\|.*\|$", DOCUMENT, re.MULTILINE)
    named = {word for row in table for word in re.findall(r"`(\w+)`", row)}
    assert named == {*service.all_rooms().operations, "InvokeEndpoint"}


def test_the_example_of_an_own_image_trains_and_serves_as_written(tmp_path: Path) -> None:
    port = str(free_port())
    for name, language in (("mean.py", "python"), ("images.json", "json"), ("try_it.py", "python")):
        (tmp_path / name).write_text(block(f"`{name}`:", language))
    script = block("With the three files in one folder", "sh")
    script = script.replace("4566", port).replace("tidegate up", f"tidegate up --port {port}")
    programs = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**machine_environment(os.environ), "PATH": programs}
    try:
        done = subprocess.run(
            ["sh", "-e", "-c", script],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        said = block("It prints", "text")
        assert said in done.stdout
    finally:
        subprocess.run(["tidegate", "down"], cwd=tmp_path, env=environment, check=False, capture_output=True)
