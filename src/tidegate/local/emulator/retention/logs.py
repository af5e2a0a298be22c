"""Log streams that nobody writes to any more go to the shelf, and are read from there when asked for."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import Any

from tidegate.local.emulator.names import hold_in, logs
from tidegate.local.emulator.retention.shelf import Shelf

_KIND = "log stream"
# A stream that was quiet for so long is put away.
QUIET_SECONDS = 60.0
# Records of single lines, for who asks for one by the pointer that a query gave; a query makes them anew.
_MOST_RECORDS = 1_000

Key = tuple[str, str, str]  # account, region, name of the group
Stream = dict[str, Any]

# Set while a request reads many streams: from when on it asks for lines (milliseconds), so that older streams
# need not be read for it, and none comes back for it.
_since: ContextVar[float | None] = ContextVar("tidegate_log_lines_since", default=None)


class Streams(dict[str, Stream]):
    """The streams of one group: those written to here, the quiet ones on the shelf.

    Parameters
    ----------
    shelf, place
        Where the quiet ones are.
    streams
        What the group has to begin with.
    """

    def __init__(self, shelf: Shelf, place: str, streams: dict[str, Stream]) -> None:
        super().__init__(streams)
        self._shelf, self._place = shelf, place

    def __missing__(self, name: str) -> Stream:
        # Whoever asks for one stream may be about to write to it: it comes back.
        found: Stream | None = self._shelf.get(_KIND, self._place, name)
        if found is None:
            raise KeyError(name)
        return found if _since.get() is not None else self.setdefault(name, found)

    def __contains__(self, name: object) -> bool:
        return super().__contains__(name) or self._shelf.has(_KIND, self._place, str(name))

    def __iter__(self) -> Iterator[str]:
        return iter(self.keys())

    def __len__(self) -> int:
        return len(self.keys())

    def __delitem__(self, name: str) -> None:
        if name not in self:
            raise KeyError(name)
        self._shelf.remove(_KIND, self._place, name)
        super().pop(name, None)

    def __deepcopy__(self, memo: dict[int, Any]) -> dict[str, Stream]:
        return copy.deepcopy(dict(self.here()), memo)

    def get(self, name: str, default: Any = None) -> Any:
        """Give one stream, from wherever it is."""
        try:
            return self[name]
        except KeyError:
            return default

    def keys(self) -> Any:
        """Name the streams."""
        here = [name for name, _ in self.here()]
        known = set(here)
        away = self._shelf.names(_KIND, self._place, _since.get() or 0.0)
        return [*(name for name in away if name not in known), *here]

    def values(self) -> Any:
        """Give the streams."""
        return [stream for _, stream in self.items()]

    def items(self) -> Any:
        """Give the streams with their names; those of the shelf are read for this only."""
        here = dict(self.here())
        away = self._shelf.all(_KIND, self._place, _since.get() or 0.0)
        return [*((name, stream) for name, stream in away if name not in here), *here.items()]

    def here(self) -> list[tuple[str, Stream]]:
        """Give those in memory."""
        return list(super().items())

    def put_away(self, quiet_since: float) -> None:
        """Put away the streams that nothing was written to since then (milliseconds)."""
        for name, stream in self.here():
            last = max(stream["lastIngestionTime"] or 0, stream["creationTime"])
            if last < quiet_since:
                count = len(stream["events"])
                self._shelf.put(_KIND, self._place, name, float(stream["lastEventTimestamp"] or last), stream)
                # A line that came just now is not lost: the stream then stays until it is quiet again.
                if count == len(stream["events"]):
                    super().pop(name, None)

    def settle(self) -> None:
        """After a crash the saved state may be older than the shelf: what was put away since is newer."""
        for name, stream in self.here():
            away = self._shelf.get(_KIND, self._place, name)
            if away is not None and len(away["events"]) >= len(stream["events"]):
                super().pop(name, None)


class Groups(dict[Key, dict[str, Any]]):
    """The emulator's log groups, whose streams may be on the shelf."""

    def __init__(self, shelf: Shelf) -> None:
        super().__init__()
        self._shelf = shelf

    def __setitem__(self, key: Key, group: dict[str, Any]) -> None:
        super().__setitem__(key, self._held(key, group))

    def __delitem__(self, key: Key) -> None:
        super().__delitem__(key)
        self._shelf.remove(_KIND, "/".join(key))

    def __deepcopy__(self, memo: dict[int, Any]) -> dict[Key, dict[str, Any]]:
        return {key: copy.deepcopy(group, memo) for key, group in list(self.items())}

    def update(self, *others: Any, **named: Any) -> None:
        """Take in saved groups."""
        for key, group in dict(*others, **named).items():
            self[key] = group
            self[key]["streams"].settle()

    def _held(self, key: Key, group: dict[str, Any]) -> dict[str, Any]:
        if not isinstance(group["streams"], Streams):
            group["streams"] = Streams(self._shelf, "/".join(key), group["streams"])
        return group


class Newest(dict[Any, Any]):
    """So many entries at most: the oldest make room. A copy, which only saving makes, is empty."""

    def __deepcopy__(self, memo: dict[int, Any]) -> dict[Any, Any]:
        return {}

    def __setitem__(self, key: Any, value: Any) -> None:
        super().__setitem__(key, value)
        while len(self) > _MOST_RECORDS:
            self.pop(next(iter(self)), None)


_held: list[Groups] = []


def install(shelf: Shelf) -> None:
    """Have the emulator keep its logs so."""
    held = Groups(shelf)
    hold_in(logs.groups, held)
    hold_in(logs.records, Newest())
    logs.replace("filter", _since_asked(logs.filter, 1))
    logs.replace("collect", _since_asked(logs.collect, 1000))
    _held[:] = [held]


def tidy(quiet_seconds: float = QUIET_SECONDS) -> None:
    """Put away what was quiet for so long."""
    for held in _held:
        for group in list(held.values()):
            group["streams"].put_away((time.time() - quiet_seconds) * 1000)


def _since_asked(original: Callable[..., Any], milliseconds: int) -> Callable[..., Any]:
    """Read from the shelf only what can have lines as new as the request asks for."""

    def asked(*given: Any) -> Any:
        # FilterLogEvents comes as its request, a query as its groups, from and to.
        since = given[0].get("startTime") if isinstance(given[0], dict) else given[1]
        token = _since.set(float(since or 0) * milliseconds)
        try:
            return original(*given)
        finally:
            _since.reset(token)

    return asked
