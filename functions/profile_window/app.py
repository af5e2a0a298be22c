"""Reads a window: captured requests and batch scores become rows with ids, and a profile that adds.

Reads the manifest and its objects (artifacts bucket); writes `rows.parquet`, the profile and `read.json` into
the window's folder. The same manifest gives the same files, so that this may be repeated.
"""

import tempfile
from pathlib import Path
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from tidegate.core.windows import Manifest
from tidegate.edge import storage
from tidegate.edge.fetch import fetch, fetch_all, put

logger = Logger()
metrics = Metrics()


@logger.inject_lambda_context(correlation_id_path="run")
@metrics.log_metrics
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Read one window; see `events/profile_window.json`."""
    from tidegate.table.profile.keep import to_bytes
    from tidegate.table.watch.rows import Source, read_window

    manifest = Manifest.from_dict(storage.read_json(event["manifest"]))
    bucket, _ = storage.split_uri(manifest.home)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        fetched = fetch_all(bucket, manifest.objects, folder)
        counted = _counted(manifest, folder)
        sources = [
            Source(
                each.taken["source"],
                each.taken["key"],
                each.path,
                counted.get(each.taken["key"], frozenset()),
            )
            for each in fetched
            if each.path is not None
        ]
        window = read_window(
            sources, manifest.columns, manifest.algorithm, manifest.identity, folder / "rows.parquet"
        )
        put(f"{manifest.home}/rows.parquet", folder / "rows.parquet")
    storage.write_bytes(f"{manifest.home}/profile.bin", to_bytes(window.profile))
    found = {
        "rows": window.rows,
        "repeated": window.repeated,
        "first": window.first,
        "last": window.last,
        "unreadable": window.unreadable + [each.problem for each in fetched if each.problem],
    }
    storage.write_json(f"{manifest.home}/read.json", found)
    metrics.add_dimension("model", manifest.model)
    metrics.add_dimension("algorithm", manifest.algorithm)
    metrics.add_metric("RowsChecked", MetricUnit.Count, window.rows)
    logger.info("window read", extra=found)
    return found


def _counted(manifest: Manifest, folder: Path) -> dict[str, frozenset[str]]:
    """Give the rows that an earlier content of a rewritten object brought into an earlier window."""
    rewritten = [each for each in manifest.objects if each["counted_in"]]
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
