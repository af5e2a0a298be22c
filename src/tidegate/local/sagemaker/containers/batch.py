"""Things gathered for a moment and sent together, from a thread of their own: log lines, metric points."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

Item = TypeVar("Item")

# A container that writes faster than we can send waits, as it does with a real log driver.
_MOST_PENDING = 50_000
_IDLE_SECONDS = 5.0


class Sender(Generic[Item]):
    """Takes items one by one and sends them in batches, in order.

    Parameters
    ----------
    send
        Sends a batch; called from one thread at a time. It handles its own errors.
    gather_seconds
        How long items wait for company.
    name
        The thread's name.
    idle_seconds
        After how long without items the thread ends; the next item starts another.
    """

    def __init__(
        self,
        send: Callable[[list[Item]], None],
        *,
        gather_seconds: float,
        name: str,
        idle_seconds: float = _IDLE_SECONDS,
    ) -> None:
        self._send = send
        self._gather_seconds = gather_seconds
        self._idle_seconds = idle_seconds
        self._name = name
        self._change = threading.Condition()
        self._pending: list[Item] = []
        self._closed = False
        self._thread: threading.Thread | None = None

    def put(self, item: Item) -> None:
        """Take an item; returns at once unless very many wait. After `close` items are dropped."""
        with self._change:
            while len(self._pending) >= _MOST_PENDING and not self._closed:
                self._change.wait()
            if self._closed:
                return
            self._pending.append(item)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
                self._thread.start()
            self._change.notify_all()

    def end(self) -> None:
        """Take no more; what is left is being sent while the caller goes on."""
        with self._change:
            self._closed = True
            self._change.notify_all()

    def close(self, *, send: bool = True) -> None:
        """Take no more, and wait until what is left is sent, or drop it; may be called more than once."""
        with self._change:
            self._closed = True
            if not send:
                self._pending.clear()
            thread = self._thread
            self._change.notify_all()
        if thread is not None and send:
            thread.join()

    def _run(self) -> None:
        while True:
            with self._change:
                self._change.wait_for(lambda: self._pending or self._closed, self._idle_seconds)
                if not self._pending:
                    self._thread = None  # the next item starts another
                    return
                self._change.wait_for(lambda: self._closed, self._gather_seconds)
                items, self._pending = self._pending, []
                self._change.notify_all()
            if items:
                self._send(items)
