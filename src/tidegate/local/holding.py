"""Locks between programs: held by a process for as long as it lives, whatever becomes of it."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from tidegate.core.errors import TidegateError
from tidegate.local.files import open_private

_LOOK_EVERY_SECONDS = 0.1


class Held(TidegateError):
    """Another program has held a lock for too long."""


@contextmanager
def held(
    path: Path, what: str, on_wait: Callable[[str], None] = lambda _: None, seconds: float = 180.0
) -> Iterator[None]:
    """Let only one program at a time do something, and wait for the turn.

    Parameters
    ----------
    path
        The lock's file.
    what
        What is done, for sentences: "starts or stops the local cloud of …".
    on_wait
        Told in words that somebody else is at it.
    seconds
        How long to wait.

    Raises
    ------
    Held
        When the other does not come to an end.
    """
    with open_private(path, "a+b") as file:
        deadline = time.monotonic() + seconds
        told = False
        while not _taken(file):
            if not told:
                on_wait(f"Waiting for another program ({holder(path)}), which {what}")
                told = True
            if time.monotonic() > deadline:
                raise Held(
                    f"Another program ({holder(path)}) {what} and has not come to an end for {seconds:g} "
                    "seconds. End it, and try again."
                )
            time.sleep(_LOOK_EVERY_SECONDS)
        _sign(file)
        yield


def hold(path: Path, seconds: float = 0.0) -> BinaryIO | None:
    """Take a lock until this process ends, or return None where another process has it.

    The lock is the open file: who lets go of it, or ends in whatever way, gives it up. A process that was
    killed has ended for those who ask the system a moment before its files are closed: hence ``seconds``.
    """
    file = open_private(path, "a+b")
    deadline = time.monotonic() + seconds
    while not _taken(file):
        if time.monotonic() >= deadline:
            file.close()
            return None
        time.sleep(_LOOK_EVERY_SECONDS)
    _sign(file)
    return file


def is_held(path: Path) -> bool:
    """Tell whether a process that lives has the lock."""
    try:
        with path.open("rb") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
    except OSError:
        return False
    return False


def holder(path: Path) -> str:
    """Return who took a lock last, in words."""
    number = holder_of(path)
    return f"process {number}" if number else "its process is not known"


def holder_of(path: Path) -> int:
    """Return the process that took a lock last, or 0."""
    try:
        number = path.read_bytes().strip()
    except OSError:
        return 0
    return int(number) if number.isdigit() and len(number) < 12 else 0


def _taken(file: BinaryIO) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _sign(file: BinaryIO) -> None:
    file.truncate(0)
    file.write(f"{os.getpid()}\n".encode())
    file.flush()
