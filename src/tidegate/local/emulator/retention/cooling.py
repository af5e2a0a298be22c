"""A dictionary whose entries cool: what nobody has asked for in a while is on the shelf, its name here."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

from tidegate.local.emulator.retention.shelf import Shelf

_COLD = object()


class Cooling(dict[Any, Any]):
    """Entries that their users may also change in place, as long as they have just asked for them.

    Parameters
    ----------
    shelf, kind, place
        Where what has cooled is.
    entries
        What there is to begin with.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> kept = Cooling(Shelf(Path(tempfile.mkdtemp()) / "shelf.db"), "object", "here", {"a": {"size": 1}})
    >>> kept.cool(), kept.cool()
    (0, 1)
    >>> kept["a"], kept.cool()
    ({'size': 1}, 0)
    """

    def __init__(self, shelf: Shelf, kind: str, place: str, entries: dict[Any, Any]) -> None:
        super().__init__(entries)
        self._shelf, self._kind, self._place = shelf, kind, place
        self._here = set(entries)
        self._asked_for = set(entries)
        self._lock = threading.RLock()

    def __getitem__(self, key: Any) -> Any:
        # Whole under the lock: nobody may be given an entry that cools before it is known that he asked.
        with self._lock:
            value = super().__getitem__(key)
            self._asked_for.add(key)
            if value is _COLD:
                value = self._shelf.get(self._kind, self._place, repr(key))
                super().__setitem__(key, value)
                self._here.add(key)
        return value

    def __setitem__(self, key: Any, value: Any) -> None:
        with self._lock:
            self._asked_for.add(key)
            self._here.add(key)
            super().__setitem__(key, value)

    def __delitem__(self, key: Any) -> None:
        self.pop(key)

    def get(self, key: Any, default: Any = None) -> Any:
        """Give an entry, wherever it is."""
        try:
            return self[key]
        except KeyError:
            return default

    def setdefault(self, key: Any, default: Any = None) -> Any:
        """Give an entry, made of `default` where there is none."""
        with self._lock:
            if key not in self:
                self[key] = default
            return self[key]

    def pop(self, key: Any, *default: Any) -> Any:
        """Take an entry out and give it."""
        with self._lock:
            found = [self[key]] if key in self else []
            self._asked_for.discard(key)
            self._here.discard(key)
            gone = super().pop(key, *default)
        return found[0] if found else gone

    def clear(self) -> None:
        """Take all out."""
        with self._lock:
            self._asked_for.clear()
            self._here.clear()
            super().clear()

    def items(self) -> Any:
        """Give all entries; those of the shelf are read for this only."""
        return [(key, self._look(key, value)) for key, value in list(super().items())]

    def values(self) -> Any:
        """Give all values."""
        return [value for _, value in self.items()]

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        raise TypeError("what has cooled is not copied as a whole")

    def cool(self) -> int:
        """Put away what nobody has asked for since the last time; gives how many entries that were."""
        with self._lock:
            asked, self._asked_for = self._asked_for, set()
            cooled = {key: super(Cooling, self).__getitem__(key) for key in self._here - asked}
            documents = ((repr(key), value) for key, value in cooled.items())
            self._shelf.put_all(self._kind, self._place, documents)
            for key in cooled:
                super().__setitem__(key, _COLD)
            self._here.difference_update(cooled)
        return len(cooled)

    def _look(self, key: Any, value: Any) -> Any:
        return self._shelf.get(self._kind, self._place, repr(key)) if value is _COLD else value


class CoolingInside(dict[Any, dict[str, Any]]):
    """Entries of which one member is a dictionary that cools.

    Parameters
    ----------
    shelf, kind
        Where what has cooled is.
    member
        The member's name.
    """

    def __init__(self, shelf: Shelf, kind: str, member: str) -> None:
        super().__init__()
        self._shelf, self._kind, self._member = shelf, kind, member

    def __setitem__(self, key: Any, entry: dict[str, Any]) -> None:
        inner = entry.get(self._member)
        if not isinstance(inner, Cooling):
            entry[self._member] = Cooling(self._shelf, self._kind, "/".join(key), dict(inner or {}))
        super().__setitem__(key, entry)

    def setdefault(self, key: Any, default: Any = None) -> Any:
        """Give an entry, made of `default` where there is none."""
        if key not in self:
            self[key] = default
        return self[key]

    def update(self, *others: Any, **named: Any) -> None:
        """Take in entries."""
        for key, entry in dict(*others, **named).items():
            self[key] = entry

    def cooling(self) -> Iterator[Cooling]:
        """Give what cools."""
        for entry in list(self.values()):
            yield entry[self._member]
