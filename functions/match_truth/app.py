"""Matches labels to predictions, those of earlier checks too, and measures the model where enough are known.

Reads the window's rows, earlier windows and the labels taken in (artifacts bucket); writes `truth.parquet`,
`waiting.csv` (labels whose prediction has not been seen yet) and `quality.json` into the window's folder.
"""

import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from aws_lambda_powertools import Logger

from tidegate.core.monitor import rates
from tidegate.core.unforeseen import guarded
from tidegate.core.windows import TRUTH_DAYS, Manifest
from tidegate.edge import storage
from tidegate.edge.fetch import fetch, fetch_all, put

logger = Logger()


@guarded
@logger.inject_lambda_context(correlation_id_path="run")
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Match the labels of one window; see `events/match_truth.json`."""
    manifest = Manifest.from_dict(storage.read_json(event["manifest"]))
    state = (storage.read_json(manifest.state) if manifest.state else None) or {}
    with tempfile.TemporaryDirectory() as scratch:
        found = _match(manifest, state, Path(scratch))
    storage.write_json(f"{manifest.home}/quality.json", found)
    logger.info("ground truth matched", extra={"labels": found["labels"]})
    return {"labels": found["labels"]}


def _match(manifest: Manifest, state: dict[str, Any], folder: Path) -> dict[str, Any]:
    from tidegate.table.watch.matching import Labels, match, names_in

    today = datetime.now(UTC).date()
    bucket, _ = storage.split_uri(manifest.home)
    labels = Labels()
    if manifest.waiting:
        labels.add(fetch(manifest.waiting, folder / "waiting.csv"))
    came = 0
    for each in fetch_all(bucket, manifest.labels, folder):
        came += labels.add(each.path, today.isoformat()) if each.path else 0
    earlier = list(reversed(state.get("windows", [])))
    for window in earlier:
        if window["labels"]:
            labels.drop(names_in(fetch(f"{window['home']}/truth.parquet", folder / "earlier.parquet")))
    expired = labels.expire((today - timedelta(days=TRUTH_DAYS)).isoformat())

    def rows_of(home: str) -> Any:
        return lambda: fetch(f"{home}/rows.parquet", folder / "rows.parquet")

    homes = [manifest.home, *(each["home"] for each in earlier)]
    out = folder / "truth.parquet"
    matched = match(labels, [rows_of(home) for home in homes], out)
    pool = list(state.get("truth_pool", []))
    if matched:
        pool.append(put(f"{manifest.home}/truth.parquet", out))
    if labels.values:
        labels.write(folder / "left.csv")
        put(f"{manifest.home}/waiting.csv", folder / "left.csv")
    counts = {
        "came": came,
        "matched": matched,
        "waiting": len(labels.values),
        "repeated": labels.repeated,
        "expired": expired,
    }
    paths = [fetch(uri, folder / f"pool-{place}.parquet") for place, uri in enumerate(pool)]
    return {"labels": counts, "pool": pool, "quality": _quality(manifest, state, paths) if paths else None}


def _quality(manifest: Manifest, state: dict[str, Any], paths: list[Path]) -> dict[str, Any]:
    from tidegate.table.watch.matching import pairs_of
    from tidegate.table.watch.quality import judge

    place = f"{manifest.baseline}/baseline/model_quality"
    evaluation = storage.read_json(f"{manifest.baseline}/candidate/evaluation.json") or {}
    return judge(
        pairs_of(paths),
        evaluation.get("candidate") or {},
        storage.read_json(f"{place}/constraints.json") or {},
        manifest.least_rows,
        storage.read_json(f"{place}/statistics.json"),
        rates(manifest.every, None, state.get("quality_at"), manifest.opened).quality,
    )
