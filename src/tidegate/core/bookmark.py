"""Up to where an algorithm's predictions have been checked: what is new, and what to remember of it.

Every object still listed is remembered with its ETag and the window that counted it, so nothing depends on
clocks: an object that comes late is new, one that was rewritten is told apart, one already counted is left.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import date, timedelta
from typing import Any

LOOK_BACK_DAYS = 3  # how late an object may come under an old hour and still be found

Seen = dict[str, list[Any]]  # key → [ETag, the windows that counted rows of it]


@dataclass(frozen=True)
class Found:
    """One object as S3 lists it; `source` is ``capture``, ``scores`` or ``truth``."""

    source: str
    key: str
    etag: str
    size: int
    modified: str


@dataclass(frozen=True)
class Taken:
    """An object of a window; `counted_in` are the windows that counted earlier contents of the same key."""

    source: str
    key: str
    etag: str
    size: int
    counted_in: tuple[int, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Give the JSON form of a window's manifest."""
        return asdict(self)


@dataclass(frozen=True)
class Proposal:
    """What a window would hold.

    Attributes
    ----------
    taken : tuple of Taken
        The objects, oldest first.
    left : int
        How many new objects wait for the next check.
    seen : dict
        What to remember once the window is kept: key → [ETag, windows …].
    """

    taken: tuple[Taken, ...]
    left: int
    seen: Seen = field(default_factory=dict)


def propose(
    listed: Iterable[Found], seen: Mapping[str, Any], window: int, *, most_files: int, most_bytes: int
) -> Proposal:
    """Choose the objects of the next window.

    Parameters
    ----------
    listed : iterable of Found
        What S3 lists now.
    seen : mapping
        What the window before remembered.
    window : int
        The number of the next window.
    most_files, most_bytes : int
        How much one check takes; at least one object, however large.

    Examples
    --------
    >>> a = Found("capture", "a", "1", 10, "2024-05-01T00:00:00Z")
    >>> first = propose([a], {}, 1, most_files=10, most_bytes=1000)
    >>> [each.key for each in first.taken], propose([a], first.seen, 2, most_files=10, most_bytes=1000).taken
    (['a'], ())
    """
    found = list(listed)
    known: Seen = {key: list(entry) for key, entry in seen.items()}
    new = [each for each in found if each.key not in known or known[each.key][0] != each.etag]
    new.sort(key=lambda each: (each.modified, each.key))
    taken: list[Taken] = []
    total = 0
    for each in new[:most_files]:
        total += each.size
        if taken and total > most_bytes:
            break
        earlier = tuple(known[each.key][1:]) if each.key in known else ()
        taken.append(Taken(each.source, each.key, each.etag, each.size, earlier))
    # What is no longer listed is forgotten, so that the memory is as long as the listing.
    after = {each.key: known[each.key] for each in found if each.key in known}
    after.update({each.key: [each.etag, *each.counted_in, window] for each in taken})
    return Proposal(tuple(taken), len(new) - len(taken), after)


def look_from(newest: str | None) -> str | None:
    """Give the day from which on dated prefixes are listed, None for all: days before the newest object's.

    >>> look_from("2024-05-04T10:00:00+00:00")
    '2024-05-01'
    """
    if newest is None:
        return None
    return (date.fromisoformat(newest[:10]) - timedelta(days=LOOK_BACK_DAYS)).isoformat()
