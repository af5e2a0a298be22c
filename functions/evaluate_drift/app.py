"""Concludes a check: a verdict for each algorithm, Model Monitor's files, the rows for queries, the report.

Reads what the branches wrote and the bookmarks; writes `<model>/monitor/checks/<run>/…`, the results by day
and each window's next state (artifacts bucket). The bookmarks are moved by the machine, after this.
"""

import os
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from aws_lambda_powertools import Logger

from tidegate.core import names
from tidegate.core.check import evaluate, state_after, summary_of
from tidegate.core.own_names import listed
from tidegate.core.sentences import plainly
from tidegate.core.unforeseen import guarded
from tidegate.core.windows import Manifest
from tidegate.edge import storage
from tidegate.edge.bookmarks import read_bookmark
from tidegate.edge.drift_metrics import publish
from tidegate.edge.fetch import fetch, put
from tidegate.edge.metering import metric

logger = Logger()


@guarded
@logger.inject_lambda_context(correlation_id_path="run")
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Conclude a check of a model; see `events/evaluate_drift.json`."""
    from tidegate.console.report import render

    model, run, now = event["model"], event["run"], datetime.now(UTC)
    home = f"s3://{os.environ['ARTIFACTS_BUCKET']}/{names.check_prefix(model, run)}"
    report = f"{home}/report.html"
    checks, keep = [], []
    failed = [each for each in event["algorithms"] if each["status"] == "FAILED"]
    for entry in (each for each in event["algorithms"] if each["status"] != "FAILED"):
        manifest = Manifest.from_dict(storage.read_json(entry["manifest"]))
        bookmark = names.bookmark_id(model, manifest.algorithm)
        if read_bookmark(bookmark).open_run != run:
            reason = "another run took this window over and counts it"
            failed.append({**entry, "status": "SUPERSEDED", "reason": reason})
            continue
        check, after = _conclude(manifest, now, home)
        storage.write_json(place := f"{manifest.home}/state.json", after)
        summary = summary_of(check, report)
        kept = {"bookmark": bookmark, "window": manifest.window, "state": place, "summary": summary}
        keep.append({**kept, "verdict": check["verdict"], "champion": manifest.champion})
        checks.append({**check, "history": after["history"]})
        logger.info(
            "concluded", extra=summary | (metric("DriftFound") if summary["verdict"] == "drift" else {})
        )
    page = render(model, run, now.isoformat(timespec="seconds"), plainly(checks)).encode()
    storage.write_bytes(report, page, "text/html; charset=utf-8")
    publish(model, checks)
    return {"keep": keep, "failed": failed, "report": report}


def _conclude(manifest: Manifest, now: datetime, home: str) -> tuple[dict[str, Any], dict[str, Any]]:
    at = now.isoformat(timespec="seconds")
    state = (storage.read_json(manifest.state) if manifest.state else None) or {}
    read, comparison = (storage.read_json(f"{manifest.home}/{name}.json") for name in ("read", "comparison"))
    matched = storage.read_json(f"{manifest.home}/quality.json")
    check = evaluate(manifest, state, read, comparison, matched, at)
    own = f"{home}/{manifest.algorithm}"
    violations = [*comparison["violations"], *((check["quality"] or {}).get("violations") or [])]
    storage.write_json(f"{own}/statistics.json", comparison["statistics"])
    storage.write_json(f"{own}/constraint_violations.json", {"violations": violations})
    storage.write_json(f"{own}/check.json", plainly(check))
    check["rows_at"] = _write_results(manifest, check, at[:10])
    return check, state_after(manifest, state, check)


def _write_results(manifest: Manifest, check: dict[str, Any], today: str) -> list[str]:
    """Write the rows by day for queries; gives where they lie."""
    from tidegate.table.watch.results import write_results

    about = {
        **{key: check[key] for key in ("algorithm", "window", "verdict")},
        "model": manifest.model,
        "check": manifest.run,
        "drifting": listed(each["name"] for each in check["columns"]),
    }
    with tempfile.TemporaryDirectory() as scratch:
        rows = fetch(f"{manifest.home}/rows.parquet", Path(scratch) / "rows")
        files = write_results(rows, Path(scratch), about, check["comparison"]["limits"], today)
        bucket, place = storage.split_uri(manifest.home)[0], (manifest.algorithm, manifest.window)
        keys = {day: names.result_key(manifest.model, day, *place) for day in sorted(files)}
        return [put(f"s3://{bucket}/{key}", files[day]) for day, key in keys.items()]
