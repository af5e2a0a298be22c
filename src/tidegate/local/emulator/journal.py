"""What must not be lost between two saves, line by line as it happens: items, histories, events on their way.

A line says what something is from now on, not what was done to it, so that reading one twice does no harm.
`recovery.py` reads the journal into the saved state when a local cloud starts after a crash.
"""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any, BinaryIO

from tidegate.local.emulator.names import disk

NEW, OLD = "journal.jsonl", "journal.old.jsonl"

# Lines are of these kinds: an item of a table; the start, an event and the end of an execution; something to
# be delivered, and that it was.
ITEM, START, EVENT, END, PENDING, DELIVERED = "item", "start", "event", "end", "pending", "delivered"


class Journal:
    """The journal of one local cloud.

    Parameters
    ----------
    folder
        Where the emulator keeps its saved services.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        self._file: BinaryIO = (folder / NEW).open("ab")
        self._pending: dict[str, Any] = {}
        self.bytes = self._file.tell()

    def note(self, kind: str, key: Any, value: Any) -> None:
        """Write a line; it has left this process when this returns, so that killing it loses nothing."""
        line = json.dumps([kind, key, value], default=disk.encode).encode() + b"\n"
        with self._lock:
            if kind == PENDING:
                self._pending[key] = value
            elif kind == DELIVERED:
                self._pending.pop(key, None)
            self._write(line)

    def turn(self) -> None:
        """Begin a new file before a save; the old one is read too until `forget` is called after it."""
        with self._lock:
            self._file.close()
            new, old = self._folder / NEW, self._folder / OLD
            if old.exists():
                # The save before did not succeed: what it should have taken in still counts.
                with old.open("ab") as file:
                    file.write(new.read_bytes())
                new.unlink()
            else:
                new.replace(old)
            self._file = new.open("ab")
            self.bytes = 0
            for key, value in self._pending.items():
                self._write(json.dumps([PENDING, key, value]).encode() + b"\n")

    def forget(self) -> None:
        """Drop what a save has taken in."""
        (self._folder / OLD).unlink(missing_ok=True)

    def _write(self, line: bytes) -> None:
        self._file.write(line)
        self._file.flush()
        self.bytes += len(line)


_open: Journal | None = None


def keep(journal: Journal) -> None:
    """Write to this journal from now on; until then nothing is written."""
    global _open
    _open = journal


def note(kind: str, key: Any, value: Any = None) -> None:
    """Write a line to the journal that is kept, if one is."""
    if _open is not None:
        _open.note(kind, key, value)
