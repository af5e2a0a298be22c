"""Durable records of the local SageMaker: one SQLite file, one row a resource, each row a Describe answer.

Every write is committed before it returns, so that a killed local cloud finds its resources again.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tidegate.local.mending import open_or_begin

Record = dict[str, Any]

_SCHEMA_VERSION = 1
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
# Every map that a caller may fill (hyperparameters, environment, tags) has string values, so that a
# lone "$time" with an integer can only be ours.
_TIME_KEY = "$time"


class AlreadyExists(Exception):
    """A record of this kind and name is there already (names differ by more than their case)."""

    def __init__(self, kind: str, name: str) -> None:
        super().__init__(f"a {kind} called {name} exists already")
        self.kind = kind
        self.name = name


class StoreFormatError(Exception):
    """The state file was written by another release of Tidegate."""


class Store:
    """Records by kind and name; safe to share among threads.

    Parameters
    ----------
    path
        The SQLite file; its folder is made when it is missing.

    Examples
    --------
    >>> import tempfile
    >>> store = Store(Path(tempfile.mkdtemp()) / "sagemaker.db")
    >>> store.create("model", "cars", {"ModelName": "cars"})
    >>> store.get("model", "cars")
    {'ModelName': 'cars'}
    """

    def __init__(self, path: Path) -> None:
        self._lock = threading.RLock()
        self._db = open_or_begin(path, "the record of jobs, models and endpoints")
        version = self._db.execute("PRAGMA user_version").fetchone()[0]
        if version not in (0, _SCHEMA_VERSION):
            self._db.close()
            raise StoreFormatError(
                f"{path} has format {version} and this release reads format {_SCHEMA_VERSION}. "
                "Use the release that wrote it, or delete the file to begin with an empty local SageMaker."
            )
        # SageMaker's names are unique without regard to case, because its ARNs are lower case.
        self._db.execute(
            "CREATE TABLE IF NOT EXISTS records ("
            "number INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, "
            "name TEXT NOT NULL COLLATE NOCASE, body TEXT NOT NULL, UNIQUE (kind, name))"
        )
        self._db.execute(f"PRAGMA user_version={_SCHEMA_VERSION}")

    def create(self, kind: str, name: str, record: Record) -> None:
        """Add a record; raise `AlreadyExists` when the name is taken."""
        body = _encode(record)
        with self._lock:
            try:
                self._db.execute(
                    "INSERT INTO records (kind, name, body) VALUES (?, ?, ?)", (kind, name, body)
                )
            except sqlite3.IntegrityError as error:
                raise AlreadyExists(kind, name) from error

    def get(self, kind: str, name: str) -> Record | None:
        """Return a copy of the record, or None."""
        with self._lock:
            row = self._db.execute(
                "SELECT body FROM records WHERE kind = ? AND name = ? AND name = ? COLLATE BINARY",
                (kind, name, name),
            ).fetchone()
        return None if row is None else _decode(row[0])

    def update(self, kind: str, name: str, **changes: Any) -> Record:
        """Replace the given top-level keys and set ``LastModifiedTime``; KeyError when absent."""
        return self.change(kind, name, lambda record: {**record, **changes})

    def change(self, kind: str, name: str, change: Callable[[Record], Record]) -> Record:
        """Read, change and write one record while nobody else can; sets ``LastModifiedTime``.

        An exception of `change` leaves the record as it was. KeyError when there is no such record.
        """
        with self._lock:
            record = self.get(kind, name)
            if record is None:
                raise KeyError(f"there is no {kind} called {name}")
            changed = {**change(record), "LastModifiedTime": now()}
            self._db.execute(
                "UPDATE records SET body = ? WHERE kind = ? AND name = ?", (_encode(changed), kind, name)
            )
        return changed

    def delete(self, kind: str, name: str) -> None:
        """Remove a record; nothing happens when there is none."""
        with self._lock:
            self._db.execute(
                "DELETE FROM records WHERE kind = ? AND name = ? AND name = ? COLLATE BINARY",
                (kind, name, name),
            )

    def list(self, kind: str) -> list[Record]:
        """Return copies of all records of a kind, oldest first."""
        with self._lock:
            rows = self._db.execute(
                "SELECT body FROM records WHERE kind = ? ORDER BY number", (kind,)
            ).fetchall()
        return [_decode(body) for (body,) in rows]

    def close(self) -> None:
        """Close the file; the store cannot be used afterwards."""
        with self._lock:
            self._db.close()


def now() -> datetime:
    """Return the time as records hold it: aware, in UTC, in whole milliseconds as AWS gives it."""
    time = datetime.now(UTC)
    return time.replace(microsecond=time.microsecond // 1000 * 1000)


def _encode(record: Record) -> str:
    return json.dumps(record, default=_encode_time, separators=(",", ":"))


def _encode_time(value: object) -> dict[str, int]:
    if isinstance(value, datetime) and value.tzinfo is not None:
        return {_TIME_KEY: (value - _EPOCH) // _MICROSECOND}
    raise TypeError(f"a record holds JSON values and datetimes with a time zone, not {value!r}")


def _decode(body: str) -> Record:
    record: Record = json.loads(body, object_hook=_decode_time)
    return record


def _decode_time(value: dict[str, Any]) -> Any:
    if len(value) == 1 and isinstance(time := value.get(_TIME_KEY), int):
        return _EPOCH + timedelta(microseconds=time)
    return value
