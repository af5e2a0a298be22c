"""What a session of tests leaves behind: nothing in the temporary folder, and no process.

Every session has a temporary folder of its own, so that what other programs of the machine leave is not taken
for ours; whatever is started inherits it, and by it the session's processes are known again. Only pytest's own
folders, which it keeps for those who look into a failure, stay where it puts them.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

HOME = "TIDEGATE_TESTS_HOME"
# What ends together with us needs a moment, longer on a busy machine; what stays, stays.
PATIENCE_SECONDS = 30.0
# Ours to the end: it waits for this very process to go.
WATCHDOG = "watchdog.py"


def begin() -> Path | None:
    """Give this session its temporary folder; None when another process of the session has done so."""
    if HOME in os.environ:
        tempfile.tempdir = None  # a worker: the folder is in its environment
        return None
    outside = tempfile.gettempdir()
    home = Path(tempfile.mkdtemp(prefix="tidegate-tests-"))
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", outside)
    os.environ |= {
        HOME: str(home),
        "TMPDIR": str(home / "tmp"),
        # Whoever imports the emulator without a local cloud gets no folder of the machine's either.
        "STATE_DIR": str(home / "emulator"),
        "S3_DATA_DIR": str(home / "objects"),
    }
    (home / "tmp").mkdir()
    tempfile.tempdir = None
    return home


def end(home: Path) -> list[str]:
    """Take the folder away again; give a sentence for each thing that was left."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (left := sorted(processes(home))) and time.monotonic() < deadline:
        time.sleep(0.05)
    told = [f"process {number} was left running: {command}" for number, command in left]
    told += [f"{shown(path)} was left in the temporary folder" for path in sorted((home / "tmp").iterdir())]
    shutil.rmtree(home, ignore_errors=True)
    return told


def shown(path: Path) -> str:
    """Name a file, or a folder with some of what is in it."""
    inside = (
        [each.relative_to(path).as_posix() for each in sorted(path.rglob("*"))[:4]] if path.is_dir() else []
    )
    return f"{path.name} ({', '.join(inside)})" if inside else path.name


def processes(home: Path) -> Iterator[tuple[int, str]]:
    """Give the number and command of each process that this session started and that should have ended."""
    for number, command in marked(f"{HOME}={home}"):
        if not (WATCHDOG in command and command.split()[-1] == str(os.getpid())):
            yield number, command


def marked(variable: str) -> Iterator[tuple[int, str]]:
    """Give the number and command of each other process with a variable, whoever its parent is now."""
    if not sys.platform.startswith("linux"):
        return
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if int(folder.name) == os.getpid() or variable.encode() not in environment_of(folder):
                continue
            command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
        except OSError:  # it has ended, or is somebody else's
            continue
        if command:  # else it has ended and waits for its parent
            yield int(folder.name), command.strip()[:200]


def environment_of(folder: Path) -> list[bytes]:
    """Give the variables of a process as it was started."""
    return (folder / "environ").read_bytes().split(b"\0")
