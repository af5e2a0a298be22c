"""The data branch of a check: compares a window with the baseline of the champion, and estimates its errors.

Reads the window's profile, those of earlier windows that had too few rows and of the rows that came last, and
the champion's baseline (artifacts bucket); writes `comparison.json`, `recent.bin` and, where
a season is learned, `season.bin` into its folder.
"""

from typing import Any

from aws_lambda_powertools import Logger

from tidegate.core.errors import NotThere
from tidegate.core.monitor import rates
from tidegate.core.sentences import Sentence, masked
from tidegate.core.unforeseen import guarded
from tidegate.core.windows import Manifest
from tidegate.edge import storage
from tidegate.edge.estimating import estimate, quality_of

logger = Logger()


@guarded
@logger.inject_lambda_context(correlation_id_path="run")
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Compare one window; see `events/compare_window.json`."""
    from tidegate.table.profile import Profile
    from tidegate.table.watch.comparison import check, read_baseline
    from tidegate.table.watch.season import Season

    manifest = Manifest.from_dict(storage.read_json(event["manifest"]))
    state = (storage.read_json(manifest.state) if manifest.state else None) or {}
    if state.get("champion") != manifest.champion:
        state = {}
    homes = [*state.get("carried", []), manifest.home]
    window = Profile.sum_of([_profile(f"{home}/profile.bin") for home in homes])
    season = Season.of(state, manifest.season, manifest.opened, whole=len(homes) == 1)
    usual = _profile(season.phase.usual) if season.phase.usual else None
    recent = season.recent(state)
    came_before = [_profile(place) for place in recent.places]
    baseline, constraints = read_baseline(
        _document(f"{manifest.baseline}/baseline/data_quality/statistics.json"),
        _document(f"{manifest.baseline}/baseline/data_quality/constraints.json"),
        manifest.columns,
        _predictions(manifest),
        storage.read_bytes_or_none(f"{manifest.baseline}/baseline/data_quality/profile.bin"),
    )
    found = check(
        baseline,
        constraints,
        window,
        manifest.least_rows,
        inputs=manifest.columns,
        before=recent.before(came_before),
        fronts=recent.fronts,
        false_alarms=rates(manifest.every, state.get("data_at"), now=manifest.opened).data,
        like=usual if season.known else None,
        importances=(storage.read_json(f"{quality_of(manifest)}/importances.json") or {}).get("columns"),
    )
    found["estimate"] = estimate(manifest, homes) if window.rows else None
    # Too few rows wait: the windows add up until there are enough.
    few = found["verdict"] == "insufficient"
    found["carried"] = homes if few and window.rows else []
    if not few:
        newer = came_before[-1] if recent.newer else None
        place = f"{manifest.home}/recent.bin"
        recent, kept = recent.after(newer, window, place, bool(found["denied"]), found["fronts"])
        storage.write_bytes(place, kept.to_bytes())
        found["reason"] = (Sentence.from_dict(found["reason"]) + season.words()).to_dict()
    place = f"{manifest.home}/season.bin"
    if not few and season.learns(window):
        storage.write_bytes(place, (window if usual is None else usual + window).to_bytes())
    found["season"] = season.to_dict() if few else season.after(window, place, recent)
    found["recent"] = state.get("recent") if season.known else recent.to_dict()
    storage.write_json(f"{manifest.home}/comparison.json", found)
    said = masked({key: found[key] for key in ("rows", "verdict", "reason", "worst")})
    logger.info("window compared", extra=said)
    return {key: found[key] for key in ("rows", "verdict", "worst")}


def _profile(uri: str) -> Any:
    from tidegate.table.profile.keep import from_bytes

    return from_bytes(storage.read_bytes(uri))


def _document(uri: str) -> dict[str, Any]:
    document = storage.read_json(uri)
    if document is None:
        raise NotThere(f"{uri} is not there; train the model once more to make its baseline")
    return dict(document)


def _predictions(manifest: Manifest) -> bytes | None:
    """Read what the champion predicted on its held-out rows, where batch transform left it."""
    return storage.read_parts(f"{manifest.baseline}/candidate/")
