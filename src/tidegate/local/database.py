"""How the local cloud opens its SQLite files: each write is safe from the death of the process, and quick."""

from __future__ import annotations

import sqlite3
from pathlib import Path


def opened(path: Path) -> sqlite3.Connection:
    """Open a SQLite file, made with its folder where it is missing; each statement is its own transaction.

    The connection may be shared among threads that take turns.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    found = sqlite3.connect(path, check_same_thread=False, isolation_level=None, timeout=30)
    # The write-ahead log survives the death of the process without a disk flush for every write.
    found.execute("PRAGMA journal_mode=WAL")
    found.execute("PRAGMA synchronous=NORMAL")
    return found
