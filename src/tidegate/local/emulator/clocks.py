"""Calls at a later time, all from one thread: many executions must not start one for each time limit.

What comes again and again has a thread of its own.
"""

from __future__ import annotations

import heapq
import itertools
import logging
import threading
import time
from collections.abc import Callable

_log = logging.getLogger("tidegate.clocks")

_due: list[tuple[float, int]] = []
_calls: dict[int, Callable[[], None]] = {}
_numbers = itertools.count()
_changed = threading.Condition()
_thread: threading.Thread | None = None


def after(seconds: float, call: Callable[[], None]) -> Callable[[], None]:
    """Have something called once, so many seconds from now; return how to call that off.

    ``call`` should be short: what is due later waits for it.
    """
    global _thread
    with _changed:
        number = next(_numbers)
        _calls[number] = call
        heapq.heappush(_due, (time.monotonic() + seconds, number))
        if _thread is None or not _thread.is_alive():
            _thread = threading.Thread(target=_run, name="clocks", daemon=True)
            _thread.start()
        _changed.notify()

    def call_off() -> None:
        with _changed:
            _calls.pop(number, None)
            # What was called off is forgotten at once when it is most of what there is.
            if len(_due) > 64 and len(_due) > 2 * len(_calls):
                _due[:] = [each for each in _due if each[1] in _calls]
                heapq.heapify(_due)

    return call_off


def every(seconds: float, call: Callable[[], None], what: str) -> None:
    """Have something called again and again, with so many seconds between, as long as the process lives."""

    def repeat() -> None:
        while True:
            time.sleep(seconds)
            try:
                call()
            except Exception:
                _log.exception("%s could not be looked at; trying again in %g s", what, seconds)

    threading.Thread(target=repeat, name=what, daemon=True).start()


def _run() -> None:
    while True:
        with _changed:
            while not _due or _due[0][0] > time.monotonic():
                _changed.wait(_due[0][0] - time.monotonic() if _due else None)
            _, number = heapq.heappop(_due)
            call = _calls.pop(number, None)
        if call is None:
            continue
        try:
            call()
        except Exception:
            _log.exception("What was due at its time failed")
