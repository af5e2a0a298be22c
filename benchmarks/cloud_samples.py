"""What a running local cloud takes of the machine: memory, handles, threads, processes, disk, CPU time.

Read from /proc, every few seconds, on a thread of its own.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tidegate.local import settings
from tidegate.local.cloud import Cloud
from tidegate.local.emulator import processes

_TICKS = os.sysconf("SC_CLK_TCK")
_MEBIBYTE = 1024**2


@dataclass(frozen=True)
class Sample:
    """One look at a local cloud; the daemon is its one long-lived process, the children are all others."""

    seconds: float
    daemon_mb: float
    daemon_threads: int
    daemon_handles: int
    daemon_cpu_seconds: float
    children_mb: float
    children: int
    disk_mb: float
    files: int

    @property
    def child_mb(self) -> float:
        """The mean memory of the other processes: one more or less of them is no growth."""
        return self.children_mb / max(self.children, 1)


class Sampler:
    """Looks at a local cloud again and again, from its making until `close`.

    Parameters
    ----------
    cloud
        The local cloud.
    every_seconds
        How long to wait between two looks.
    """

    def __init__(self, cloud: Cloud, every_seconds: float) -> None:
        self._cloud, self._every = cloud, every_seconds
        self._begun = time.monotonic()
        self._stop, self._lock = threading.Event(), threading.Lock()
        self.samples: list[Sample] = []
        self._thread = threading.Thread(target=self._run, name="samples", daemon=True)
        self._thread.start()

    def look(self) -> int:
        """Look now; gives the place of the sample."""
        with self._lock:
            self.samples.append(self._look())
            return len(self.samples) - 1

    def close(self) -> None:
        """Look once more, and no more."""
        self._stop.set()
        self._thread.join()
        self.look()

    def most(self, member: str) -> float:
        """Give the highest value that a member has had."""
        return max(getattr(each, member) for each in self.samples)

    def documents(self) -> list[dict[str, Any]]:
        """Give all samples as plain data."""
        return [asdict(each) for each in self.samples]

    def _run(self) -> None:
        while not self._stop.wait(self._every if self.samples else 0):
            self.look()

    def _look(self) -> Sample:
        daemon = self._cloud.pid
        children = [pid for pid in processes.marked(settings.MARKER, str(self._cloud.state)) if pid != daemon]
        files, disk = _disk(self._cloud.state)
        return Sample(
            seconds=round(time.monotonic() - self._begun, 1),
            daemon_mb=memory_mb([daemon]),
            daemon_threads=_status(daemon, "Threads"),
            daemon_handles=_handles(daemon),
            daemon_cpu_seconds=cpu_seconds(daemon),
            children_mb=memory_mb(children),
            children=len(children),
            disk_mb=disk,
            files=files,
        )


def memory_mb(pids: Iterable[int]) -> float:
    """Add up the memory of processes, what several share divided among them.

    Without the pages of files, programs and libraries: the system drops them when it likes, and a process's
    part of them grows when another one ends.
    """
    total = 0
    for pid in pids:
        with suppress(OSError, KeyError):
            lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
            parts = {name: value.split() for name, _, value in (line.partition(":") for line in lines)}
            total += int(parts["Pss"][0]) - int(parts["Pss_File"][0])
    return round(total / 1024, 1)


def cpu_seconds(pid: int) -> float:
    """Give the CPU time that a process itself has used, without its children's."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def _status(pid: int, member: str) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith(f"{member}:")))


def _handles(pid: int) -> int:
    return sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())


def _disk(folder: Path) -> tuple[int, float]:
    """Count the files under a folder and add up what they take."""
    count = size = 0
    for place, _, files in os.walk(folder):
        for name in files:
            with suppress(OSError):  # it was removed while we looked
                size += (Path(place) / name).lstat().st_blocks * 512
                count += 1
    return count, round(size / _MEBIBYTE, 1)
