"""The shelf: documents put away in one SQLite file, each compressed, found by kind, place and name.

A document is on disk when `put` returns, so that whoever puts it away may forget it.
"""

from __future__ import annotations

import json
import threading
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from tidegate.local.emulator.names import disk
from tidegate.local.mending import open_or_begin

_FAST = 1
_NAMES_AT_ONCE = 1_000


class Shelf:
    """What one local cloud has put away; safe to share among threads.

    Parameters
    ----------
    path
        The SQLite file; its folder is made when it is missing.

    Examples
    --------
    >>> import tempfile
    >>> shelf = Shelf(Path(tempfile.mkdtemp()) / "shelf.db")
    >>> shelf.put("execution", "here", "one", 7.0, {"events": [1, 2]}, {"status": "FAILED"})
    >>> shelf.get("execution", "here", "one")
    {'events': [1, 2]}
    >>> list(shelf.facts("execution"))
    [('here', 'one', {'status': 'FAILED'})]
    """

    def __init__(self, path: Path) -> None:
        self._lock = threading.RLock()
        self._db = open_or_begin(path, "what was put away of executions, logs and metrics")
        self._db.execute(
            "CREATE TABLE IF NOT EXISTS shelf (kind TEXT, place TEXT, name TEXT, at REAL, "
            "facts TEXT, body BLOB, PRIMARY KEY (kind, place, name))"
        )

    def put(self, kind: str, place: str, name: str, at: float, document: Any, facts: Any = None) -> None:
        """Put a document away, in the place of an earlier one; ``facts`` are read without it."""
        row = (kind, place, name, at, json.dumps(facts), packed(document))
        with self._lock:
            self._db.execute("INSERT OR REPLACE INTO shelf VALUES (?, ?, ?, ?, ?, ?)", row)

    def put_all(self, kind: str, place: str, documents: Iterable[tuple[str, Any]]) -> None:
        """Put documents away under their names, all of them or none."""
        with self._lock:
            self._db.execute("BEGIN")
            try:
                for name, document in documents:
                    self.put(kind, place, name, 0.0, document)
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:  # a full disk has ended it already
                    self._db.execute("ROLLBACK")
                raise

    def get(self, kind: str, place: str, name: str) -> Any:
        """Read a document, None where there is none; whoever reads it may change what he was given."""
        with self._lock:
            row = self._db.execute(
                "SELECT body FROM shelf WHERE kind = ? AND place = ? AND name = ?", (kind, place, name)
            ).fetchone()
        return unpacked(row[0]) if row else None

    def has(self, kind: str, place: str, name: str) -> bool:
        """Tell whether a document is there."""
        with self._lock:
            row = self._db.execute(
                "SELECT 1 FROM shelf WHERE kind = ? AND place = ? AND name = ?", (kind, place, name)
            ).fetchone()
        return row is not None

    def names(self, kind: str, place: str, since: float = 0.0) -> list[str]:
        """List the names in a place, the oldest first; with ``since`` those from then on."""
        with self._lock:
            rows = self._db.execute(
                "SELECT name FROM shelf WHERE kind = ? AND place = ? AND at >= ? ORDER BY at",
                (kind, place, since),
            ).fetchall()
        return [name for (name,) in rows]

    def listed(self, kind: str, place: str) -> Iterator[str]:
        """Name what is in a place, in the order of the names; of any number, few are in memory at once."""
        last = ""
        while True:
            with self._lock:
                rows = self._db.execute(
                    "SELECT name FROM shelf WHERE kind = ? AND place = ? AND name > ? ORDER BY name LIMIT ?",
                    (kind, place, last, _NAMES_AT_ONCE),
                ).fetchall()
            yield from (name for (name,) in rows)
            if len(rows) < _NAMES_AT_ONCE:
                return
            last = rows[-1][0]

    def places(self, kind: str) -> list[str]:
        """List the places where there are documents of a kind."""
        with self._lock:
            rows = self._db.execute("SELECT DISTINCT place FROM shelf WHERE kind = ?", (kind,)).fetchall()
        return [place for (place,) in rows]

    def newest(self, kind: str, place: str) -> float:
        """Tell of when the newest document in a place is, 0 where there is none."""
        with self._lock:
            row = self._db.execute(
                "SELECT MAX(at) FROM shelf WHERE kind = ? AND place = ?", (kind, place)
            ).fetchone()
        return float(row[0] or 0.0)

    def facts(self, kind: str) -> Iterator[tuple[str, str, Any]]:
        """Give place, name and facts of every document of a kind."""
        with self._lock:
            rows = self._db.execute("SELECT place, name, facts FROM shelf WHERE kind = ?", (kind,)).fetchall()
        for place, name, facts in rows:
            yield place, name, json.loads(facts)

    def all(self, kind: str, place: str, since: float = 0.0) -> Iterator[tuple[str, Any]]:
        """Read the documents in a place, the oldest first; with ``since`` those from then on."""
        with self._lock:
            rows = self._db.execute(
                "SELECT name, body FROM shelf WHERE kind = ? AND place = ? AND at >= ? ORDER BY at",
                (kind, place, since),
            ).fetchall()
        for name, body in rows:
            yield name, unpacked(body)

    def remove(self, kind: str, place: str, name: str | None = None) -> None:
        """Take a document off the shelf, or all in a place."""
        with self._lock:
            self._db.execute(
                "DELETE FROM shelf WHERE kind = ? AND place = ? AND (? IS NULL OR name = ?)",
                (kind, place, name, name),
            )

    def clear(self, kind: str) -> None:
        """Take all documents of a kind off the shelf."""
        with self._lock:
            self._db.execute("DELETE FROM shelf WHERE kind = ?", (kind,))

    def forget_before(self, kind: str, at: float) -> None:
        """Take off what is older than AWS keeps it."""
        with self._lock:
            self._db.execute("DELETE FROM shelf WHERE kind = ? AND at < ?", (kind, at))


def packed(document: Any) -> bytes:
    """Write a document compressed."""
    return zlib.compress(json.dumps(document, default=disk.encode).encode(), _FAST)


def unpacked(body: bytes) -> Any:
    """Read a document again; whoever reads it has it for himself."""
    return json.loads(zlib.decompress(body), object_hook=disk.decode)


def name_of(key: Any) -> str:
    """Write a key, a text or a tuple of such and of tuples, as a name on the shelf."""
    return json.dumps(key)


def key_of(name: str) -> Any:
    """Read a key again: a tuple was written as a list. Most are plain texts, and there are very many."""
    return name[1:-1] if name[0] == '"' and "\\" not in name else _tuples(json.loads(name))


def _tuples(value: Any) -> Any:
    return tuple(map(_tuples, value)) if isinstance(value, list) else value
