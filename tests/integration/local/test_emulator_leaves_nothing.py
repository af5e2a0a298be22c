"""A local cloud keeps all that it writes in its state folder: nothing stays in the machine's temporary one."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import emulator_project as small
import pytest
from tests.free_ports import free_port
from tests.tidiness import marked

pytestmark = pytest.mark.integration

DEPLOY = """
import sys
from tidegate.local.cloud import connect
from tidegate.local.deploy import deploy
assert deploy(connect(sys.argv[1]), sys.argv[2], stack="small")
"""


def test_up_deploy_and_down_leave_nothing_outside_the_state_folder(tmp_path: Path) -> None:
    state, home, temporary = tmp_path / "state", tmp_path / "home", tmp_path / "temporary"
    home.mkdir()
    temporary.mkdir()
    project, port = small.write(tmp_path / "project"), free_port()
    written = {path for path in project.rglob("*") if "__pycache__" not in path.parts}
    environment = {**os.environ, "TMPDIR": str(temporary), "HOME": str(home), "OF_THIS_TEST": str(tmp_path)}
    for name in ("STATE_DIR", "S3_DATA_DIR"):  # as on a machine where nobody set them
        environment.pop(name, None)

    def run(*command: str) -> None:
        done = subprocess.run(
            [sys.executable, *command], env=environment, cwd=project, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr

    tidegate = ("-m", "tidegate.cli")
    run(*tidegate, "up", "--no-deploy", "--port", str(port), "--state", str(state))
    try:
        run("-c", DEPLOY, str(state), str(project))
    finally:
        run(*tidegate, "down", "--state", str(state))
    assert sorted(path.name for path in temporary.rglob("*")) == []
    assert sorted(path.name for path in home.rglob("*")) == []
    assert {path for path in project.rglob("*") if "__pycache__" not in path.parts} == written
    assert not (Path("/tmp") / f"ministack-{port}.pid").exists()
    assert [command for _, command in marked(f"OF_THIS_TEST={tmp_path}")] == []
