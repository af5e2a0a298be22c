"""A training job in script mode: the user's script, run as AWS's training toolkit runs it."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import threading
from collections import deque
from pathlib import Path
from typing import IO

from tidegate.local.sagemaker.images.container import ContainerError, ml_root
from tidegate.local.sagemaker.images.scikit_learn.environment import TrainingEnvironment
from tidegate.local.sagemaker.images.scikit_learn.source import (
    fetch_source,
    local_path,
    warn_of_missing_requirements,
)

_REMEMBERED_LINES = 12


def train() -> int:
    """Run the script to its end; a script that fails leaves its last words in the failure file."""
    environment = TrainingEnvironment()
    if not environment.program:
        raise ContainerError(
            "No training script is named: set the hyperparameter sagemaker_program or the variable "
            "SAGEMAKER_PROGRAM to the file name of the script."
        )
    root = ml_root()
    code = fetch_source(environment.source or str(root / "code"), root / "code")
    warn_of_missing_requirements(code)
    for folder in ("model", "output/data", "output/intermediate"):
        (root / folder).mkdir(parents=True, exist_ok=True)
    command = [*_program(code, environment.program), *environment.arguments()]
    variables = {**os.environ, **environment.variables(code)}
    variables["PYTHONPATH"] = os.pathsep.join(filter(None, [str(code), os.environ.get("PYTHONPATH")]))
    print(f"[INFO] Running {shlex.join(command)}", flush=True)
    status, last_words = _run(command, variables, code)
    if status == 0:
        (root / "output" / "success").touch()
        return 0
    raise ContainerError(
        f'ExecuteUserScriptError:\nExitCode {status}\nErrorMessage "{last_words}"\n'
        f'Command "{shlex.join(command)}"'
    )


def _program(code: Path, program: str) -> list[str]:
    if not (code / program).is_file():
        raise ContainerError(
            f"There is no {program} in the source code ({local_path(str(code))}): check sagemaker_program."
        )
    if not program.endswith(".py"):
        (code / program).chmod(0o755)
        return ["/bin/sh", "-c", f'./{shlex.quote(program)} "$@"', program]
    if (code / "setup.py").is_file():
        return [sys.executable, "-m", program.removesuffix(".py").replace("/", ".")]
    return [sys.executable, program]


def _run(command: list[str], variables: dict[str, str], code: Path) -> tuple[int, str]:
    child = subprocess.Popen(command, cwd=code, env=variables, stderr=subprocess.PIPE)
    signal.signal(signal.SIGTERM, lambda number, _frame: child.send_signal(number))
    assert child.stderr is not None
    last: deque[bytes] = deque(maxlen=_REMEMBERED_LINES)
    reader = threading.Thread(target=_tee, args=(child.stderr, last), daemon=True)
    reader.start()
    status = child.wait()
    reader.join(timeout=5)  # a grandchild may keep the pipe open for longer than the script lives
    return status, b"".join(last).decode("utf-8", "replace").strip()


def _tee(source: IO[bytes], last: deque[bytes]) -> None:
    for line in source:
        sys.stderr.buffer.write(line)
        sys.stderr.buffer.flush()
        last.append(line)
