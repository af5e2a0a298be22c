"""Reading a window: its objects become rows with ids and a profile that adds, all at once or part by part.

A function reads a window as one part; a Spark job reads a large one as many, each where there is room.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tidegate.core.sentences import Sentence
from tidegate.core.windows import Manifest
from tidegate.edge import storage
from tidegate.edge.fetch import fetch, fetch_all, put


@dataclass(frozen=True)
class PartRead:
    """What was read of some objects.

    Attributes
    ----------
    rows, repeated : int
        How many rows count, and how many were left out because an earlier window counted them.
    first, last : str or None
        The times of the first and the last prediction.
    unreadable : tuple of Sentence
        A sentence for each object that could not be read, all of it or lines of it.
    skipped : int
        How many lines of captures could not be read.
    profile : bytes
        What `tidegate.table.profile.keep` writes.
    """

    rows: int
    repeated: int
    first: str | None
    last: str | None
    unreadable: tuple[Sentence, ...]
    skipped: int
    profile: bytes


def read_part(manifest: Manifest, objects: Sequence[Mapping[str, Any]], folder: Path, out: Path) -> PartRead:
    """Read some of a window's objects.

    Parameters
    ----------
    objects : sequence of dict
        Some of the manifest's, in its order.
    folder : Path
        An empty folder for what is fetched.
    out : Path
        The Parquet file to write the rows to.
    """
    from tidegate.table.watch.rows import Source, read_window

    bucket, _ = storage.split_uri(manifest.home)
    fetched = fetch_all(bucket, objects, folder)
    counted = _counted(manifest, objects, folder)
    sources = [
        Source(
            each.taken["source"], each.taken["key"], each.path, counted.get(each.taken["key"], frozenset())
        )
        for each in fetched
        if each.path is not None
    ]
    window = read_window(
        sources, manifest.columns, manifest.algorithm, manifest.identity, out, manifest.missing
    )
    problems = [each.problem for each in fetched if each.problem]
    return PartRead(
        window.rows,
        window.repeated,
        window.first,
        window.last,
        (*window.unreadable, *problems),
        window.skipped,
        window.profile.to_bytes(),
    )


def keep_window(manifest: Manifest, parts: Sequence[PartRead], rows: Path) -> dict[str, Any]:
    """Keep what was read of a window in its folder; gives what `read.json` says.

    Parameters
    ----------
    rows : Path
        The rows of all parts, in their order.
    """
    from tidegate.table.profile import Profile

    put(f"{manifest.home}/rows.parquet", rows)
    profile = Profile.sum_of([Profile.from_bytes(part.profile) for part in parts])
    storage.write_bytes(f"{manifest.home}/profile.bin", profile.to_bytes())
    found = {
        "rows": sum(part.rows for part in parts),
        "repeated": sum(part.repeated for part in parts),
        "first": min((part.first for part in parts if part.first), default=None),
        "last": max((part.last for part in parts if part.last), default=None),
        "unreadable": [sentence.to_dict() for part in parts for sentence in part.unreadable],
        "skipped": sum(part.skipped for part in parts),
    }
    storage.write_json(f"{manifest.home}/read.json", found)
    return found


def _counted(
    manifest: Manifest, objects: Sequence[Mapping[str, Any]], folder: Path
) -> dict[str, frozenset[str]]:
    """Give the rows that an earlier content of a rewritten object brought into an earlier window."""
    rewritten = [each for each in objects if each["counted_in"]]
    if not rewritten or manifest.state is None:
        return {}
    from tidegate.table.watch.rows import events_of

    state = storage.read_json(manifest.state) or {}
    homes = {each["window"]: each["home"] for each in state.get("windows", [])}
    found: dict[str, frozenset[str]] = {}
    for each in rewritten:
        for window in each["counted_in"]:
            if home := homes.get(window):
                rows = fetch(f"{home}/rows.parquet", folder / f"counted-{window}")
                found[each["key"]] = found.get(each["key"], frozenset()) | events_of(rows, each["key"])
    return found
