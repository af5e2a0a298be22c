"""A dictionary whose entries cool: what nobody has asked for in a while is on the shelf, its name too."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import Any

from tidegate.local.emulator.retention.shelf import Shelf, key_of, name_of

# So many are put away at once; whoever wants an entry meanwhile waits no longer than that takes.
_AT_ONCE = 500
# Set while a request goes through many entries and changes none: those of the shelf stay there.
_looking: ContextVar[bool] = ContextVar("tidegate_looking_at_entries", default=False)


class Cooling(dict[Any, Any]):
    """Entries that their users may also change in place, as long as they have just asked for them.

    Parameters
    ----------
    shelf, kind, place
        Where what has cooled is.
    entries
        What there is to begin with; names are texts, or tuples of such and of tuples.

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
        self._asked_for = set(entries)
        self._lock = threading.RLock()

    def __getitem__(self, key: Any) -> Any:
        # Whole under the lock: nobody may be given an entry that cools before it is known that he asked.
        with self._lock:
            if not super().__contains__(key):
                found = self._shelf.get(self._kind, self._place, name_of(key))
                if found is None:
                    raise KeyError(key)
                if _looking.get():
                    return found
                super().__setitem__(key, found)
            self._asked_for.add(key)
            return super().__getitem__(key)

    def __setitem__(self, key: Any, value: Any) -> None:
        with self._lock:
            self._asked_for.add(key)
            super().__setitem__(key, value)

    def __delitem__(self, key: Any) -> None:
        self.pop(key)

    def __contains__(self, key: Any) -> bool:
        return super().__contains__(key) or self._shelf.has(self._kind, self._place, name_of(key))

    def __iter__(self) -> Iterator[Any]:
        # What is on the shelf when somebody asks for it stays there too, so that no name is missed.
        with self._lock:
            here = set(super().__iter__())
        yield from here
        for name in self._shelf.listed(self._kind, self._place):
            key = key_of(name)
            if key not in here:
                yield key

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        raise TypeError("what has cooled is not copied as a whole")

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
            if key not in self:
                return super().pop(key, *default)
            found = self[key]
            self._shelf.remove(self._kind, self._place, name_of(key))
            self._asked_for.discard(key)
            super().pop(key)
            return found

    def clear(self) -> None:
        """Take all out."""
        with self._lock:
            self._shelf.remove(self._kind, self._place)
            self._asked_for.clear()
            super().clear()

    def keys(self) -> Any:
        """Name the entries."""
        return list(self)

    def items(self) -> Any:
        """Give all entries; those of the shelf are read for this only."""
        with self._lock:
            here = dict(super().items())
            away = ((key_of(name), entry) for name, entry in self._shelf.all(self._kind, self._place))
            return [*((key, entry) for key, entry in away if key not in here), *here.items()]

    def values(self) -> Any:
        """Give all values."""
        return [value for _, value in self.items()]

    def cool(self) -> int:
        """Put away what nobody has asked for since the last time; gives how many entries that were."""
        with self._lock:
            asked, self._asked_for = self._asked_for, set()
            cool = [key for key in super().__iter__() if key not in asked]
        return sum(self._put_away(cool[at : at + _AT_ONCE]) for at in range(0, len(cool), _AT_ONCE))

    def _put_away(self, keys: list[Any]) -> int:
        with self._lock:
            # Since it was seen that nobody had asked for them, some may have been asked for, or taken out.
            left = [key for key in keys if super(Cooling, self).__contains__(key)]
            cooled = {
                key: super(Cooling, self).__getitem__(key) for key in left if key not in self._asked_for
            }
            documents = ((name_of(key), value) for key, value in cooled.items())
            self._shelf.put_all(self._kind, self._place, documents)
            for key in cooled:
                super().pop(key)
        return len(cooled)


def looking(original: Callable[..., Any]) -> Callable[..., Any]:
    """Have a function that changes no entry leave those of the shelf there."""

    def look(*given: Any) -> Any:
        token = _looking.set(True)
        try:
            return original(*given)
        finally:
            _looking.reset(token)

    return look


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
