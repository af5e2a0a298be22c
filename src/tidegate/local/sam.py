"""Runs the real SAM CLI, pointed at the local cloud and away from everything else."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from pathlib import Path

from tidegate.core.errors import TidegateError
from tidegate.local import settings
from tidegate.local.settings import StateFolder

# How long one of its commands may take.
COMMAND_SECONDS = 600.0


class DeployFailed(TidegateError):
    """`sam build` or `sam deploy` failed; the message says with what words."""


class Sam:
    """The `sam` of this environment, for one project and one local cloud.

    Parameters
    ----------
    project
        The folder with ``samconfig.toml`` (section ``local``).
    folder
        The local cloud's state folder: sam's own settings and the log of what it says are kept there.
    access
        The variables that point AWS tools at the local cloud.
    """

    def __init__(self, project: Path, folder: StateFolder, access: Mapping[str, str]) -> None:
        self._project = project
        self._folder = folder
        beside = Path(sys.executable).parent / "sam"
        self._sam = str(beside) if beside.exists() else shutil.which("sam") or ""
        path = os.pathsep.join([str(beside.parent), os.environ.get("PATH", os.defpath)])
        self._environment = {
            **settings.machine_environment(os.environ),
            **access,
            "PATH": path,
            "PYTHONUNBUFFERED": "1",
            "SAM_CLI_TELEMETRY": "0",
            "__SAM_CLI_APP_DIR": str(_quiet(folder.build / "sam")),
            # The local cloud answers at once: there is no reason to look only every five seconds.
            "SAM_CLI_POLL_DELAY": "0.1",
            # Layers leave third-party packages to this machine's own interpreter.
            "TIDEGATE_LAYER": "local",
        }

    def run(self, verb: str, *options: str) -> None:
        """Run one command, its words streamed to the log.

        Raises
        ------
        DeployFailed
            If there is no such command, or it failed.
        """
        if not self._sam:
            raise DeployFailed("The command `sam` is not installed. `make install` installs it into .venv.")
        # Without its path, sam looks for the configuration beside the built template.
        config = ["--config-file", str(self._project / "samconfig.toml"), "--config-env", "local"]
        command = [self._sam, verb, *config, *options]
        with self._folder.deploy_log.open("a") as log:
            log.write(f"$ sam {' '.join(command[1:])}\n")
        # It leaves a folder of its own for each function that it uploads.
        with tempfile.TemporaryDirectory(prefix="sam-", dir=self._folder.build) as scratch:
            status, lines = self._said(command, scratch)
        if status:
            raise DeployFailed(
                f"`sam {verb}` failed with status {status}: {useful(lines)} "
                f"All it said is in {self._folder.deploy_log}."
            )

    def _said(self, command: list[str], scratch: str) -> tuple[int, list[str]]:
        lines: list[str] = []
        process = subprocess.Popen(
            command,
            cwd=self._project,
            env={**self._environment, "TMPDIR": scratch},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
        clock = threading.Timer(COMMAND_SECONDS, process.kill)
        clock.start()
        try:
            with process, self._folder.deploy_log.open("a", buffering=1) as log:
                for line in process.stdout or ():
                    log.write(line)
                    lines.append(line.strip())
        except BaseException:
            # Ctrl-C, say: do not leave a deployment running behind the person's back.
            process.kill()
            raise
        finally:
            clock.cancel()
        return process.returncode, lines


def _quiet(folder: Path) -> Path:
    """Give sam a folder for its own settings, in which it has just looked for news: it asks nobody."""
    folder.mkdir(parents=True, exist_ok=True)
    settings_file = folder / "metadata.json"
    settings_file.write_text(json.dumps({"telemetryEnabled": False, "lastVersionCheck": time.time()}))
    return folder


def useful(lines: list[str]) -> str:
    """Return the lines that say why a command failed, as one text.

    >>> useful(["Building codeuri", "Build Failed", "Error: the layer has", "", "no Makefile"])
    'Error: the layer has. no Makefile.'
    """
    said = [line for line in lines if line]
    at = next((place for place, line in enumerate(said) if line.startswith("Error:")), None)
    telling = said[at : at + 4] if at is not None else said[-4:]
    return " ".join(f"{line.rstrip('.')}." for line in telling)
