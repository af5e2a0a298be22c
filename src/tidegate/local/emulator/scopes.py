"""What can be called off: an execution, a branch of it, one task; stopping one stops all that it holds."""

from __future__ import annotations

import threading
from collections.abc import Callable


class Stopped(Exception):
    """The work that was about to go on belongs to an execution, branch or task that has been called off."""


class Scope:
    """A stretch of work that is called off as a whole.

    Parameters
    ----------
    parent
        The work that this is a part of; stopping it stops this too.
    """

    def __init__(self, parent: Scope | None = None) -> None:
        self._stopped = threading.Event()
        self._lock = threading.Lock()
        self._then: dict[int, Callable[[], None]] = {}
        self._keys = iter(range(1, 1 << 62))
        self._leave = parent.when_stopped(self.stop) if parent else None

    @property
    def stopped(self) -> bool:
        """Whether this work has been called off."""
        return self._stopped.is_set()

    def stop(self) -> None:
        """Call the work off; harmless when it is over or stopped already."""
        with self._lock:
            if self._stopped.is_set():
                return
            self._stopped.set()
            calls = list(self._then.values())
            self._then.clear()
        for call in calls:
            call()

    def close(self) -> None:
        """Take leave of the parent: the work is over, its parent need not stop it any more."""
        if self._leave:
            self._leave()

    def when_stopped(self, call: Callable[[], None]) -> Callable[[], None]:
        """Have ``call`` called once when the work is called off (now, if it is); return how to forget it."""
        with self._lock:
            if not self._stopped.is_set():
                key = next(self._keys)
                self._then[key] = call

                def forget() -> None:
                    with self._lock:
                        self._then.pop(key, None)

                return forget
        call()
        return lambda: None

    def wait(self, seconds: float) -> bool:
        """Sleep, but not past a stop; return whether the work was called off."""
        return self._stopped.wait(seconds)

    def check(self) -> None:
        """Raise :class:`Stopped` when the work was called off."""
        if self._stopped.is_set():
            raise Stopped
