"""Finds and ends the processes of one local cloud: all that carry its marker, and what they started."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")


@dataclass(frozen=True)
class _Process:
    pid: int
    parent: int
    marked: bool


def alive(pid: int) -> bool:
    """Tell whether a process runs (one that has ended and waits for its parent does not)."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    folder = PROC / str(pid)
    try:
        if (folder / "stat").read_text().rpartition(")")[2].split()[0] != "Z":
            return True
        # Its first thread has ended; while others still do, its ports, locks and files are not free.
        return len(list((folder / "task").iterdir())) > 1
    except OSError:
        return not PROC.is_dir()


def memory(pid: int) -> tuple[int, int]:
    """Return how much memory a process has and the most that it has had (bytes); zeros where it has ended."""
    if not PROC.is_dir():  # macOS, where nothing tells the peak of another process
        listing = subprocess.run(  # nosec B607 # ps, wherever this system has it
            ["ps", "-o", "rss=", "-p", str(pid)], capture_output=True, text=True, check=False
        ).stdout
        return (int(listing.strip() or 0) * 1024,) * 2
    try:
        lines = (PROC / str(pid) / "status").read_text().splitlines()
    except OSError:
        return 0, 0
    found = {
        name: int(value.split()[0]) * 1024
        for name, _, value in (line.partition(":") for line in lines)
        if name in ("VmRSS", "VmHWM")
    }
    return found.get("VmRSS", 0), found.get("VmHWM", 0)


def marked(name: str, value: str) -> list[int]:
    """Return the processes started with the variable ``name`` set to ``value``, and their descendants.

    This process and those above it are left out.
    """
    found = {process.pid: process for process in _processes(f"{name}={value}")}
    ours = {process.pid for process in found.values() if process.marked}
    grew = True
    while grew:
        children = {p.pid for p in found.values() if p.parent in ours} - ours
        ours |= children
        grew = bool(children)
    return sorted(ours - _ancestors(found))


def end(pids: Iterable[int], grace_seconds: float) -> list[int]:
    """Ask processes to end, kill those that do not within the grace, and return those that still run."""
    left = _signalled(pids, signal.SIGTERM)
    left = wait_for_end(left, grace_seconds)
    return wait_for_end(_signalled(left, signal.SIGKILL), 5.0)


def wait_for_end(pids: Iterable[int], seconds: float) -> list[int]:
    """Wait until the processes have ended, at most so long, and return those that have not."""
    deadline = time.monotonic() + seconds
    left = [pid for pid in pids if alive(pid)]
    while left and time.monotonic() < deadline:
        time.sleep(0.02)
        _reap(left)
        left = [pid for pid in left if alive(pid)]
    return left


def _signalled(pids: Iterable[int], number: signal.Signals) -> list[int]:
    reached = []
    for pid in pids:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            continue
        reached.append(pid)
    return reached


def _reap(pids: Iterable[int]) -> None:
    """Take leave of ended children of this very process, which would otherwise stay in its table."""
    for pid in pids:
        try:
            os.waitpid(pid, os.WNOHANG)
        except ChildProcessError:
            continue


def _ancestors(found: dict[int, _Process]) -> set[int]:
    pid, above = os.getpid(), set()
    while pid and pid not in above:
        above.add(pid)
        pid = found[pid].parent if pid in found else 0
    return above


def _processes(setting: str) -> list[_Process]:
    return _from_proc(setting.encode()) if PROC.is_dir() else _from_ps(setting)


def _from_proc(setting: bytes) -> list[_Process]:
    found = []
    for folder in PROC.iterdir():
        if not folder.name.isdigit():
            continue
        try:
            state, parent = (folder / "stat").read_text().rpartition(")")[2].split()[:2]
        except (OSError, ValueError):
            continue  # it ended while we looked
        try:
            environment = (folder / "environ").read_bytes().split(b"\0")
        except OSError:
            environment = []  # another user's
        if state != "Z":
            found.append(_Process(int(folder.name), int(parent), setting in environment))
    return found


def _from_ps(setting: str) -> list[_Process]:
    """Read the processes where there is no /proc (macOS): `ps -E` adds the environment to the command."""
    listing = subprocess.run(  # nosec B607 # ps, wherever this system has it
        ["ps", "-axww", "-E", "-o", "pid=,ppid=,command="], capture_output=True, text=True, check=True
    ).stdout
    found = []
    for line in listing.splitlines():
        pid, parent, *rest = line.split(None, 2)
        command = f" {rest[0]} " if rest else ""
        found.append(_Process(int(pid), int(parent), f" {setting} " in command))
    return found
