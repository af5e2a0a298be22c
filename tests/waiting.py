"""Waits for facts. How long one takes is the machine's business, so that the end is far: it only ends a hang."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable
from typing import TypeVar

PATIENCE_SECONDS = 120.0

Fact = TypeVar("Fact")


def until(
    fact: Callable[[], Fact], what: str = "it", seconds: float = PATIENCE_SECONDS, pause: float = 0.01
) -> Fact:
    """Wait until a fact is there, and return it: the first answer that counts as true."""
    deadline = time.monotonic() + seconds
    while not (found := fact()):
        assert time.monotonic() < deadline, f"{what} did not come within {seconds:.0f} s: {found!r}"
        time.sleep(pause)
    return found


def quick_enough(measure: Callable[[], float], seconds: float) -> None:
    """See that something can be done within a time, measured again while the machine has other work.

    What `measure` gives is held against the time as a busy machine stretches it at that moment.
    """
    until(lambda: measure() < seconds * slowdown(), f"anything below {seconds} s")


def seconds_of(work: Callable[[], object]) -> float:
    """Measure how long something takes."""
    began = time.monotonic()
    work()
    return time.monotonic() - began


def slowdown() -> float:
    """Tell how much longer than alone a thread takes here and now, as others want the processors too."""
    began, used = time.monotonic(), time.thread_time()
    while time.thread_time() - used < 0.02:
        pass
    return max(1.0, (time.monotonic() - began) / (time.thread_time() - used))


def children_seconds() -> float:
    """Tell how long the programs that we ran have kept a processor busy, however many others wanted it."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
