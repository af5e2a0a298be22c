"""A tiny program that outlives the local cloud by a moment, to kill the containers that it left behind.

It runs as a file, without site packages, and imports nothing of ours: its start takes about ten
milliseconds. It reads ``+GROUP`` and ``-GROUP`` lines (process groups) on standard input; when the other end
closes, however the local cloud ended, it kills every group still registered and every process that carries
the owner's mark.
"""

import os
import select
import sys

SIGKILL = 9
_LOOKS_SECONDS = (0.02, 0.1, 0.3, 0.0)


def main() -> None:
    owner, owner_pid = sys.argv[1], int(sys.argv[2])
    groups: set[int] = set()
    pending = b""
    ends = [0]
    # A process forked off the local cloud may hold its end of the pipe open: watch the owner itself too.
    try:
        ends.append(os.pidfd_open(owner_pid))
    except (AttributeError, OSError):
        owner_pid = 0
    while True:
        ready = select.select(ends, [], [])[0]
        if 0 in ready:
            data = os.read(0, 65536)
            if not data:
                break
            *lines, pending = (pending + data).split(b"\n")
            for line in lines:
                change, group = line[:1], int(line[1:])
                groups.add(group) if change == b"+" else groups.discard(group)
        elif ready:
            break
    for group in groups:
        try:
            os.killpg(group, SIGKILL)
        except OSError:
            continue
    # A container that was being started as its owner died carries the mark a moment later.
    for wait_seconds in _LOOKS_SECONDS:
        kill_marked(b"TIDEGATE_OWNER=" + owner.encode())
        select.select([], [], [], wait_seconds)


def kill_marked(mark: bytes) -> int:
    """Kill every process that was started with `mark` in its environment; where there is no /proc, none."""
    killed = 0
    me = os.getpid()
    try:
        names = os.listdir("/proc")  # noqa: PTH208 (importing pathlib takes longer than all else here)
    except OSError:
        return 0
    for name in names:
        if not name.isdigit() or int(name) == me:
            continue
        try:
            file = os.open("/proc/" + name + "/environ", os.O_RDONLY)
        except OSError:
            continue
        try:
            environment = b""
            while block := os.read(file, 131072):
                environment += block
            if mark in environment.split(b"\0"):
                os.kill(int(name), SIGKILL)
                killed += 1
        except OSError:
            continue
        finally:
            os.close(file)
    return killed


if __name__ == "__main__":
    main()
