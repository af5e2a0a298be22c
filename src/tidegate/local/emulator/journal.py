"""What must not be lost between two saves, line by line as it happens: items, histories, events on their way.

A line says what something is from now on, not what was done to it, so that reading one twice does no harm.
`recovery.py` reads the journal into the saved state when a local cloud starts after a crash.
"""

from __future__ import annotations

import errno
import json
import logging
import os
import threading
from io import FileIO
from pathlib import Path
from typing import Any

from tidegate.local.emulator.names import disk

_log = logging.getLogger("tidegate.journal")

NEW, OLD = "journal.jsonl", "journal.old.jsonl"

# Lines are of these kinds: an item of a table; the start, an event and the end of an execution; something to
# be delivered, and that it was.
ITEM, START, EVENT, END, PENDING, DELIVERED = "item", "start", "event", "end", "pending", "delivered"


class Journal:
    """The journal of one local cloud.

    What is done goes on when a line cannot be written, as on a full disk: `gap` is then set until a save has
    taken the place of what is missing.

    Parameters
    ----------
    folder
        Where the emulator keeps its saved services.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        # Without a buffer, a line that was not written cannot come in front of a later one.
        self._file: FileIO | None = (folder / NEW).open("ab", buffering=0)
        self._torn = False
        self._pending: dict[str, Any] = {}
        self.bytes = self._file.tell()
        self.gap = False

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
            self._close()
            new, old = self._folder / NEW, self._folder / OLD
            if old.exists():
                # The save before did not succeed: what it should have taken in still counts.
                with old.open("ab") as file:
                    # After one that was cut off, on a line of its own.
                    file.write(b"\n" + new.read_bytes() if new.exists() else b"")
                new.unlink(missing_ok=True)
            elif new.exists():
                new.replace(old)
            self.bytes, self.gap = 0, False
            for key, value in self._pending.items():
                self._write(json.dumps([PENDING, key, value]).encode() + b"\n")

    def forget(self) -> None:
        """Drop what a save has taken in."""
        (self._folder / OLD).unlink(missing_ok=True)

    def _write(self, line: bytes) -> None:
        try:
            if self._file is None:
                self._file = (self._folder / NEW).open("ab", buffering=0)
            # A line that was cut off ends here: whoever reads leaves it out, and no other with it.
            whole = b"\n" + line if self._torn else line
            written = self._file.write(whole) or 0
            self._torn = written < len(whole)
            if self._torn:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        except OSError as problem:
            if not self.gap:
                _log.error("The journal has a gap until all is saved again: %s", problem)
            self.gap = True
            return
        self.bytes += len(line)

    def _close(self) -> None:
        if self._file is not None:
            self._file.close()
        self._file, self._torn = None, False


_open: Journal | None = None


def keep(journal: Journal) -> None:
    """Write to this journal from now on; until then nothing is written."""
    global _open
    _open = journal


def note(kind: str, key: Any, value: Any = None) -> None:
    """Write a line to the journal that is kept, if one is."""
    if _open is not None:
        _open.note(kind, key, value)
