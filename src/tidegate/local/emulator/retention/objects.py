"""Contents of objects, and what is known of them, are on disk: they need not be in memory too."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from tidegate.local.emulator.names import hold_in, objects
from tidegate.local.emulator.retention.cooling import Cooling, CoolingInside, looking
from tidegate.local.emulator.retention.shelf import Shelf

_VERSIONS, _RECORDS = "versions of an object", "record of an object"
# Whoever has asked for an entry may change it for so long; no request takes nearly that.
COOL_SECONDS = 20.0

_held: list[tuple[Cooling, CoolingInside]] = []
_last = [0.0]


def install(shelf: Shelf) -> None:
    """Have the emulator let go of what is on disk."""
    objects.replace("persist", letting_go(objects.persist))
    for word in ("list", "list_first_way", "list_versions"):
        objects.replace(word, looking(getattr(objects, word)))
    # The emulator reads these anew from the objects' own files when it starts.
    shelf.clear(_VERSIONS)
    shelf.clear(_RECORDS)
    versions, buckets = Cooling(shelf, _VERSIONS, "all", {}), CoolingInside(shelf, _RECORDS, "objects")
    hold_in(objects.versions, versions)
    hold_in(objects.buckets, buckets)
    _held[:] = [(versions, buckets)]


def tidy(cool_seconds: float = COOL_SECONDS) -> None:
    """Put away what has not been asked for lately."""
    if time.monotonic() - _last[0] < cool_seconds:
        return
    _last[0] = time.monotonic()
    for versions, buckets in _held:
        for cooling in (versions, *buckets.cooling()):
            cooling.cool()


def letting_go(original: Callable[..., None]) -> Callable[..., None]:
    """Drop the contents that the index of versions holds, once they are written."""

    def persist(bucket: str, key: str, record: Any) -> None:
        original(bucket, key, record)
        if not isinstance(record, dict) or record.get("body") is not None:
            return  # it could not be written
        for version in objects.versions.get((bucket, key)) or []:
            number = version["version_id"]
            on_disk = number == (record.get("version_id") or "null")
            if version.get("data") is not None and (on_disk or objects.version_on_disk(bucket, key, number)):
                version["data"] = None

    return persist
