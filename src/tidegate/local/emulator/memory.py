"""A function has the memory that the template gives it: a process that takes more is killed, as on AWS.

Looked at many times a second while it is at work, so that a function which takes much at once may have a
little more for a moment. Its log says how much it really took.
"""

from __future__ import annotations

import time
from collections import defaultdict, deque
from collections.abc import Iterator
from typing import Any

from tidegate.local.emulator import clocks, processes
from tidegate.local.emulator.names import functions, runtime

# Where there is no /proc, each look is a process of its own.
EVERY_SECONDS = 0.05 if processes.PROC.is_dir() else 0.5
_MEBIBYTE = 1024**2
_SMALLEST_MB = 128
# How long after a kill the emulator may take to see that the process is gone.
_NOTICED_SECONDS = 10.0

# When processes of each function were killed, and the most that was last seen of them.
_killed: defaultdict[str, deque[float]] = defaultdict(deque)
_seen: dict[str, int] = {}


def install() -> None:
    """Keep functions to their memory, and have their logs say what they took."""
    functions.replace("peak_memory", peak_mb)
    clocks.every(EVERY_SECONDS, look, "The functions' memory")


def look() -> None:
    """Kill each process at work that has more than its function may have."""
    for worker, process in _processes():
        if not worker.in_use:
            continue
        allowed = int(worker.config.get("MemorySize") or _SMALLEST_MB) * _MEBIBYTE
        has, peak = processes.memory(process.pid)
        if peak:  # none where it has just ended
            _seen[worker.func_name] = min(peak, allowed)
        if has > allowed:
            _killed[worker.func_name].append(time.monotonic())
            process.kill()


def peak_mb(function: dict[str, Any]) -> int:
    """Tell the most memory that the processes of a function have had (MiB)."""
    name = (function.get("config") or function)["FunctionName"]
    peaks = [processes.memory(process.pid)[1] for _, process in _processes(name)]
    return max(peaks, default=_seen.get(name, 0)) // _MEBIBYTE


def _processes(name: str | None = None) -> Iterator[tuple[Any, Any]]:
    for workers in list(runtime.workers.values()):
        for worker in list(workers):
            process = worker._proc
            if process is not None and name in (None, worker.func_name):
                yield worker, process


def was_killed(name: str) -> bool:
    """Tell whether a process of a function was killed just now; each kill explains one end."""
    kills = _killed[name]
    while kills:
        if time.monotonic() - kills.popleft() < _NOTICED_SECONDS:
            return True
    return False
