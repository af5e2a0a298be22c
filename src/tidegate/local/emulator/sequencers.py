"""S3's sequencers: each greater than every one before, also over restarts and clocks that are set back.

The emulator counts from the time at which its process started. Runs compare a file's newest sequencer with
one that is kept (`core/line.py`): after a clock was set back, every new content would be an old one.
"""

from __future__ import annotations

import logging
import threading
import time
from pathlib import Path

from tidegate.local.emulator.names import objects

_log = logging.getLogger("tidegate.sequencers")

# So many are given out for one write to disk.
BLOCK = 1_000_000
_FAMILIES = ("s3:ObjectCreated:", "s3:ObjectRemoved:")


class Sequencers:
    """Gives out sequencers.

    Parameters
    ----------
    file
        Keeps up to where they may have been given out.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._lock = threading.Lock()
        # A file that a crash has cut short is no worse than none: the clock is ahead of it as a rule.
        kept = file.read_bytes().strip() if file.exists() else b""
        self._next = max(time.time_ns() // 1000, int(kept) if kept.isdigit() and len(kept) <= 18 else 0)
        self._reserved = 0

    def give(self) -> str:
        """Return the next one, as long as S3's."""
        with self._lock:
            if self._next >= self._reserved:
                self._reserve(self._next + BLOCK)
            self._next += 1
            return f"{self._next:018X}"

    def _reserve(self, upto: int) -> None:
        partial = self._file.with_suffix(".new")
        try:
            partial.write_text(str(upto))
            partial.replace(self._file)
        except (
            OSError
        ) as problem:  # a full disk, say: until the next start the count goes on without the file
            _log.warning("the state of S3's sequencers was not written: %s", problem)
        self._reserved = upto


def install(state: Path) -> None:
    """Have S3's events carry them; events that neither create nor delete have none."""
    state.mkdir(parents=True, exist_ok=True)
    sequencers = Sequencers(state / "s3-sequencers")
    objects.replace("next_sequencer", lambda name: sequencers.give() if name.startswith(_FAMILIES) else None)
