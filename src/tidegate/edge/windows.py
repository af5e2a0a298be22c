"""Opening windows: what came since the last check is listed, written down, and claimed for one run."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from tidegate.core import names
from tidegate.core.bookmark import Found, look_from, propose
from tidegate.core.scoring import Champion
from tidegate.core.spec import ModelSpec
from tidegate.core.windows import MOST_BYTES, MOST_FILES, Manifest, newest_of, served_by
from tidegate.edge import parameters
from tidegate.edge.bookmarks import Bookmark, BookmarkMoved, is_at_work, open_window, read_bookmark
from tidegate.edge.champions import read_champion
from tidegate.edge.listing import folders, listed
from tidegate.edge.storage import read_json, write_json

ATTEMPTS = 5


@dataclass(frozen=True)
class Opened:
    """How opening the next window of an algorithm ended.

    Attributes
    ----------
    bookmark : Bookmark
        As it was read.
    manifest : Manifest or None
        The window; None where nothing is new, or another run is at it.
    busy : str or None
        The run that is at it.
    """

    bookmark: Bookmark
    manifest: Manifest | None = None
    busy: str | None = None


def open_next(spec: ModelSpec, champion: Champion, run: str, execution: str) -> Opened:
    """Open the next window of an algorithm for a run; a run that asks again gets its own window again."""
    identity = names.bookmark_id(spec.name, champion.algorithm)
    for _ in range(ATTEMPTS):
        bookmark = read_bookmark(identity)
        if bookmark.open_run == run and bookmark.open_manifest:
            return Opened(bookmark, Manifest.from_dict(read_json(bookmark.open_manifest) or {}))
        if bookmark.open_run and bookmark.open_execution and is_at_work(bookmark.open_execution):
            return Opened(bookmark, busy=bookmark.open_run)
        manifest = _manifest(spec, champion, run, bookmark)
        if not manifest.objects and not manifest.labels:
            return Opened(bookmark)
        write_json(manifest.place, manifest.to_dict())
        try:
            open_window(bookmark, run, execution, manifest.place)
        except BookmarkMoved:
            continue
        return Opened(bookmark, manifest)
    raise BookmarkMoved(f"the bookmark {identity} moved {ATTEMPTS} times while it was read; run it again")


def _manifest(spec: ModelSpec, champion: Champion, run: str, bookmark: Bookmark) -> Manifest:
    artifacts = os.environ["ARTIFACTS_BUCKET"]
    state: dict[str, Any] = (read_json(bookmark.state) if bookmark.state else None) or {}
    endpoint = names.endpoint_name(os.environ["NAME_PREFIX"], spec.name, champion.algorithm)
    day = look_from(state.get("newest"))
    rows = list(_rows(artifacts, spec.name, endpoint, day))
    truth = list(listed("truth", artifacts, names.truth_prefix(spec.name)))
    seen = state.get("seen", {})
    changed = None
    if bookmark.champion not in (None, champion.model):
        changed = _changed(spec.name, champion.algorithm)
    served, mine = served_by(
        [each for each in rows if not _known(each, seen)], bookmark.champion, champion.model, changed
    )
    then = champion if served == champion.model else read_champion(champion.algorithm, served) or champion
    window = bookmark.window + 1
    known = [each for each in rows if _known(each, seen)]
    proposal = propose([*known, *mine, *truth], seen, window, most_files=MOST_FILES, most_bytes=MOST_BYTES)
    waiting = len(rows) - len(known) - len(mine)
    return Manifest(
        model=spec.name,
        algorithm=champion.algorithm,
        run=run,
        window=window,
        objects=[each.to_dict() for each in proposal.taken if each.source != "truth"],
        labels=[each.to_dict() for each in proposal.taken if each.source == "truth"],
        state=bookmark.state,
        champion=served,
        baseline=f"s3://{artifacts}/{names.run_prefix(spec.name, names.champion_run(served))}"
        f"/{champion.algorithm}",
        columns=dict(then.columns),
        missing={name: list(words) for name, words in then.missing.items()},
        target=spec.target,
        identity=spec.id or "",
        endpoint=endpoint,
        least_rows=spec.monitor.least_rows,
        left=proposal.left + waiting,
        seen=proposal.seen,
        waiting=state.get("waiting"),
        newest=newest_of(proposal, rows, state.get("newest")),
        every=spec.monitor.every,
        metrics=spec.monitor.metrics,
        season=spec.monitor.season,
        replaced=served != champion.model,
        opened=datetime.now(UTC).isoformat(timespec="seconds"),
        home=f"s3://{artifacts}/{names.window_prefix(spec.name, champion.algorithm, window, run)}",
    )


def _rows(artifacts: str, model: str, endpoint: str, day: str | None) -> list[Found]:
    """List captured requests and scores; both lie under dates, so the look back has an end."""
    found: list[Found] = []
    for variant in folders(artifacts, names.capture_prefix(model, endpoint)):
        first = day.replace("-", "/") if day else ""
        found += listed("capture", artifacts, variant, first=first)
    scores = listed("scores", artifacts, names.all_scores_prefix(model), first=f"date={day}" if day else "")
    return found + [each for each in scores if each.key.endswith(".parquet")]


def _known(found: Found, seen: dict[str, Any]) -> bool:
    return found.key in seen and seen[found.key][0] == found.etag


def _changed(model: str, algorithm: str) -> str | None:
    """Tell since when the present champion is the champion."""
    name = names.parameter_name(os.environ["PARAMETER_ROOT"], model, algorithm, "model")
    found = parameters.entries([name]).get(name)
    return found["LastModifiedDate"].isoformat() if found else None
