"""What the local cloud needs of this machine: Python, programs, a port, a disk, a folder to write to."""

from __future__ import annotations

import importlib.util
import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tidegate.cli.doctor.finding import Finding

LEAST_PYTHON, MOST_PYTHON = (3, 11), (3, 13)
# The packages of layers, models and captures of a day's work; a whole stack is about half of it.
LEAST_FREE_GB = 2.0
LEAST_CORES = 2
MODULES = ("ministack", "samcli", "uvicorn", "xgboost", "numpy", "pyarrow")


def look(state: Path, port: int) -> Iterator[Finding]:
    """Look at this machine.

    Parameters
    ----------
    state : Path
        The folder of the local cloud.
    port : int
        The port on which it shall listen where it is not up.
    """
    yield python()
    yield programs()
    yield cores()
    yield writable(state)
    yield disk(state)
    yield listening(state, port)


def python() -> Finding:
    """Look at the Python that runs this."""
    version = platform.python_version()
    wanted = f"Python {'.'.join(map(str, LEAST_PYTHON))} to {'.'.join(map(str, MOST_PYTHON))}"
    if not LEAST_PYTHON <= sys.version_info[:2] <= MOST_PYTHON:
        return Finding(wanted, False, version, "make PYTHON=python3.12 install, in a folder without .venv")
    return Finding(wanted, True, version)


def programs() -> Finding:
    """Look for what the local cloud imports and starts."""
    absent = [name for name in MODULES if importlib.util.find_spec(name) is None]
    beside = Path(sys.executable).parent / "sam"
    if not beside.exists() and shutil.which("sam") is None:
        absent.append("sam")
    if absent:
        return Finding(
            "the packages of the local cloud", False, f"without {', '.join(absent)}", "make install"
        )
    return Finding("the packages of the local cloud", True, "all there")


def cores() -> Finding:
    """Look at how many processors there are: with one, jobs and functions wait for each other."""
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    remedy = "" if count >= LEAST_CORES else "it works, and everything takes its time"
    return Finding(f"{LEAST_CORES} processors", count >= LEAST_CORES, str(count), remedy)


def writable(state: Path) -> Finding:
    """See whether the state folder, or the one that it will lie in, can be written to."""
    what, home = f"the state folder {state} can be written to", _nearest(state)
    try:
        with tempfile.NamedTemporaryFile(dir=home, prefix=".doctor-") as file:
            file.write(b"?")
            file.flush()
    except OSError as error:
        return Finding(what, False, f"{home}: {error.strerror}", "Choose another with --state.")
    return Finding(what, True, "yes" if state.is_dir() else f"yes; it will be made in {home}")


def disk(state: Path) -> Finding:
    """Look at the room on the disk of the state folder."""
    free = shutil.disk_usage(_nearest(state)).free / 1e9
    remedy = "" if free >= LEAST_FREE_GB else "Make room, or choose a folder on another disk with --state."
    return Finding(f"{LEAST_FREE_GB:g} GB of disk", free >= LEAST_FREE_GB, f"{free:.1f} GB are free", remedy)


def listening(state: Path, port: int) -> Finding:
    """See whether the local cloud is up, or else whether its port is free."""
    from tidegate.local import cloud
    from tidegate.local.identity import PortTaken, listen

    found = cloud.status(state).cloud
    if found is not None:
        return Finding("the local cloud", True, f"up at {found.endpoint_url}")
    try:
        listen(port).close()
    except PortTaken as taken:
        return Finding(f"port {port}", False, "taken", str(taken))
    return Finding(f"port {port}", True, "free; `tidegate up` starts the local cloud there")


def _nearest(folder: Path) -> Path:
    """Give the folder, or the nearest above it that there is."""
    folder = folder.absolute()
    return next((each for each in (folder, *folder.parents) if each.is_dir()), Path("/"))
