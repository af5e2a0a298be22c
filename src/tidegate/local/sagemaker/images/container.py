"""The container contract as our own images see it: `/opt/ml`, its JSON files, and how to fail in words."""

from __future__ import annotations

import json
import os
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

FAILURE_CHARACTERS = 1024  # SageMaker shows no more of the failure file than this


class ContainerError(Exception):
    """The job cannot go on for a reason its author can mend; the message becomes the job's FailureReason."""


class ClientError(ContainerError):
    """A fault in the request, the data or the settings, told as the built-in algorithms tell it.

    As a job's reason it reads ``ClientError: …``; ``sentence`` is the bare text.
    """

    def __init__(self, sentence: str) -> None:
        super().__init__(f"ClientError: {sentence}")
        self.sentence = sentence


def ml_root() -> Path:
    """The folder that stands for `/opt/ml`: `TIDEGATE_ML_ROOT`, or the real one inside a real container."""
    return Path(os.environ.get("TIDEGATE_ML_ROOT") or "/opt/ml")


def read_config(name: str) -> dict[str, Any]:
    """Read `input/config/<name>.json`; a file that is not there reads as empty, as in the AWS toolkits.

    Raises
    ------
    ContainerError
        When the file is not a JSON object.
    """
    path = ml_root() / "input" / "config" / f"{name}.json"
    if not path.exists():
        return {}
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ContainerError(f"{path} is not JSON: {error}.") from error
    if not isinstance(content, dict):
        raise ContainerError(f"{path} holds {type(content).__name__} where an object is expected.")
    return content


def write_failure(message: str) -> None:
    """Write the failure file that becomes the job's FailureReason."""
    path = ml_root() / "output" / "failure"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(message[:FAILURE_CHARACTERS], encoding="utf-8")


def run_job(body: Callable[[], int | None]) -> NoReturn:
    """Run the body of a training container and leave with its exit code.

    A ContainerError is told in one sentence; anything else is a fault of ours or of the library, and its
    traceback goes to the log. Both leave the failure file and exit code 1.
    """
    try:
        code = body() or 0
    except ContainerError as error:
        print(f"[ERROR] {error}", file=sys.stderr, flush=True)
        write_failure(str(error))
        code = 1
    except Exception as error:  # the last line of defence of a process: it must leave a reason
        traceback.print_exc()
        write_failure(f"{type(error).__name__}: {error}")
        code = 1
    sys.exit(code)
