"""Executions that have ended go to the shelf, but for the latest; Step Functions serves them for 90 days."""

from __future__ import annotations

import copy
import logging
import sqlite3
import threading
from datetime import datetime
from typing import Any

from tidegate.local.emulator.names import hold_in, step
from tidegate.local.emulator.retention.shelf import Shelf

_log = logging.getLogger("tidegate.retention")

# So many of the ended ones stay in memory: those that somebody may just be following.
KEPT = 32
_DAYS = 90
_KIND = "execution"
# What lists of executions show, and what they are chosen by.
_FACTS = ("executionArn", "stateMachineArn", "name", "status", "startDate", "stopDate", "mapRunArn")

Key = tuple[str, str, str]  # account, region, ARN
Record = dict[str, Any]


class Executions(dict[Key, Record]):
    """The emulator's records of executions: the running and the latest here, the others on the shelf.

    Who looks for one by its ARN finds it wherever it is. Who goes through all of them gets, of those on the
    shelf, what a list shows.

    Parameters
    ----------
    shelf
        Where the older ones are.
    kept
        How many that have ended stay here.
    """

    def __init__(self, shelf: Shelf, kept: int = KEPT) -> None:
        super().__init__()
        self._shelf, self._kept = shelf, kept
        self._tidying = threading.Lock()

    def __missing__(self, key: Key) -> Record:
        found: Record | None = self.get(key)
        if found is None:
            raise KeyError(key)
        return found

    def __contains__(self, key: Any) -> bool:
        return super().__contains__(key) or self._shelf.has(_KIND, _place(key), key[2])

    def __deepcopy__(self, memo: dict[int, Any]) -> dict[Key, Record]:
        return {key: copy.deepcopy(record, memo) for key, record in list(super().items())}

    def get(self, key: Key, default: Any = None) -> Any:
        """Give the record of an execution; one from the shelf is a copy: nothing happens to it now."""
        found = super().get(key)
        if found is None:
            found = self._shelf.get(_KIND, _place(key), key[2])
        return default if found is None else found

    def pop(self, key: Key, *default: Any) -> Any:
        """Forget an execution, as when its state machine is deleted."""
        found = self.get(key)
        self._shelf.remove(_KIND, _place(key), key[2])
        return super().pop(key, *default) if found is None else super().pop(key, found)

    def clear(self) -> None:
        """Forget them all."""
        for place in {place for place, _, _ in self._shelf.facts(_KIND)}:
            self._shelf.remove(_KIND, place)
        super().clear()

    def items(self) -> Any:
        """Give all of them, those of the shelf as lists show them."""
        here = list(super().items())
        known = {key for key, _ in here}
        for place, name, facts in self._shelf.facts(_KIND):
            account, region = place.split("/")
            if (account, region, name) not in known:
                here.append(((account, region, name), facts))
        return here

    def here(self) -> list[tuple[Key, Record]]:
        """Give those in memory."""
        return list(super().items())

    def tidy(self) -> None:
        """Put the oldest that have ended on the shelf; each is there before it is gone from here."""
        with self._tidying:
            ended = [(key, record) for key, record in self.here() if record["status"] != "RUNNING"]
            for key, record in ended[: max(len(ended) - self._kept, 0)]:
                facts = {name: record[name] for name in _FACTS if name in record}
                self._shelf.put(_KIND, _place(key), key[2], _ended_at(record), record, facts)
                super().pop(key, None)


_held: list[Executions] = []


def install(shelf: Shelf) -> None:
    """Have the emulator keep its executions so."""
    shelf.forget_before(_KIND, datetime.now().timestamp() - _DAYS * 86_400)
    held = Executions(shelf)
    hold_in(step.executions, held)
    _held[:] = [held]


def ended() -> None:
    """Hear that an execution has ended."""
    for held in _held:
        try:
            held.tidy()
        except (
            OSError,
            sqlite3.Error,
        ) as problem:  # a full disk, say
            _log.warning("executions that have ended stay in memory: %s", problem)


def _place(key: Key) -> str:
    return f"{key[0]}/{key[1]}"


def _ended_at(record: Record) -> float:
    return datetime.fromisoformat(str(record["stopDate"] or record["startDate"])).timestamp()
