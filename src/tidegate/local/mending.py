"""What becomes of files of the state folder that cannot be read: set aside, told, and begun anew.

Nothing is thrown away, and nothing that is whole is lost because of a neighbour that is not.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
from datetime import UTC, datetime
from pathlib import Path

from tidegate.local.database import opened

_log = logging.getLogger("tidegate.mending")
_lock = threading.Lock()
_sentences: list[str] = []
# What SQLite keeps beside a file, and what would be taken for the new one's.
_BESIDE = ("-wal", "-shm")
_SIZE_OF_PAGE, _COUNT_OF_PAGES = slice(16, 18), slice(28, 32)


def sentences() -> list[str]:
    """Return what was found broken since this process began, and what was done about each."""
    with _lock:
        return list(_sentences)


def tell(sentence: str) -> None:
    """Take note of something that was broken."""
    _log.warning("%s", sentence)
    with _lock:
        _sentences.append(sentence)


def set_aside(path: Path, why: str, lost: str) -> None:
    """Move a broken file out of the way, under a name that tells when.

    Parameters
    ----------
    path
        The file.
    why
        What is wrong with it: "is not JSON".
    lost
        What begins anew without it.
    """
    aside = path.with_name(f"{path.name}.broken-{datetime.now(UTC):%Y%m%dT%H%M%S%f}")
    for end in ("", *_BESIDE):
        file = path.with_name(path.name + end)
        if file.exists():
            file.rename(aside.with_name(aside.name + end))
    tell(f"{path} {why}. It was set aside as {aside.name}, and {lost} begins empty.")


def open_or_begin(path: Path, lost: str) -> sqlite3.Connection:
    """Open a SQLite file; where there is none that can be read, a new one is begun."""
    if path.exists() and (why := _trouble(path)):
        set_aside(path, why, lost)
    return opened(path)


def _trouble(path: Path) -> str | None:
    """Return why a file is no whole SQLite file, or None; of a whole one only the beginning is read."""
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            head = file.read(100)
        if size:
            page = int.from_bytes(head[_SIZE_OF_PAGE], "big")
            page = 65536 if page == 1 else page
            if size < page * int.from_bytes(head[_COUNT_OF_PAGES], "big"):
                return "was cut off"
        connection = sqlite3.connect(path, isolation_level=None, timeout=30)
        try:
            tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
            for (name,) in tables:
                connection.execute(f'SELECT * FROM "{name}" LIMIT 1').fetchall()  # nosec B608
        finally:
            connection.close()
    except (sqlite3.DatabaseError, OSError) as error:
        return f"is no SQLite file that can be read ({error})"
    return None
