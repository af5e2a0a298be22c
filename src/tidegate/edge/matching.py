"""The work of the function match_truth: a window's labels matched to predictions, and the model measured."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tidegate.core import names
from tidegate.core.monitor import rates
from tidegate.core.own_names import PREDICTION
from tidegate.core.sentences import of_the_data, say
from tidegate.core.windows import TRUTH_DAYS, Manifest
from tidegate.edge import storage
from tidegate.edge.estimating import held_against_truth, quality_of
from tidegate.edge.fetch import fetch, fetch_all, put

FEW = 3  # names of waiting labels that are told


def match_labels(manifest: Manifest, state: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Match the labels of a window; gives what is known then, with its sentences' values still values."""
    from tidegate.table.watch.known import Known
    from tidegate.table.watch.matching import Labels, Window, match, pairs_of

    today = datetime.now(UTC).date()
    bucket, _ = storage.split_uri(manifest.home)
    labels = Labels()
    if manifest.waiting:
        labels.add(fetch(manifest.waiting, folder / "waiting.csv"))
    came = {
        names.truth_came(each.taken["key"]): labels.add(each.path, names.truth_came(each.taken["key"]))
        for each in fetch_all(bucket, manifest.labels, folder)
        if each.path
    }
    earlier = [
        Window(each["window"], each.get("champion"), _rows_of(each["home"], folder))
        for each in reversed(state.get("windows", []))
    ]
    windows = [Window(manifest.window, manifest.champion, _rows_of(manifest.home, folder)), *earlier]
    known = Known()
    if state.get("known"):
        known = Known.read(fetch(state["known"], folder / "known.parquet"))
        known = known.only({each.number for each in windows})
    out = folder / "truth.parquet"
    result = match(labels, windows, known, out)
    expired = labels.expire((today - timedelta(days=TRUTH_DAYS)).isoformat())
    pool = list(state.get("truth_pool", []))
    if out.exists():
        pool.append(put(f"{manifest.home}/truth.parquet", out))
    if len(labels):
        labels.write(folder / "left.csv")
        put(f"{manifest.home}/waiting.csv", folder / "left.csv")
    known.write(folder / "all.parquet")
    paths = [fetch(uri, folder / f"pool-{place}.parquet") for place, uri in enumerate(pool)]
    pairs = pairs_of(paths, known, manifest.champion) if paths else {"event": []}
    quality = _quality(manifest, state, pairs, known) if pairs["event"] else None
    concluded = quality is not None and quality["verdict"] != "insufficient"
    return {
        "labels": {
            "came": sum(came.values()),
            "matched": result.total("matched"),
            "corrected": result.total("corrected"),
            "waiting": len(labels),
            "repeated": result.total("repeated"),
            "expired": expired,
        },
        "files": _by_file(came, result.by_file, labels),
        "known": put(f"{manifest.home}/known.parquet", folder / "all.parquet"),
        "pool": pool,
        "quality": quality,
        "estimated": _estimated(manifest, paths, pairs) if concluded else None,
        "so_far": known.so_far(manifest.champion),
    }


def _rows_of(home: str, folder: Path) -> Callable[[], Path]:
    return lambda: fetch(f"{home}/rows.parquet", folder / "rows.parquet")


def _by_file(came: dict[str, int], fared: dict[str, Any], labels: Any) -> dict[str, dict[str, Any]]:
    """Say of each file that came how its labels fared, and by which names the first that wait were called."""
    waiting: dict[str, list[str]] = {each: [] for each in came}
    for name, label in labels:
        if label.came in waiting:
            waiting[label.came].append(name)
    return {
        each.split(" ")[-1]: {
            "rows": rows,
            **{what: fared.get(each, {}).get(what, 0) for what in ("matched", "corrected", "repeated")},
            "waiting": len(waiting[each]),
            "first_waiting": [
                say("{name}", name=of_the_data(name)).to_dict() for name in waiting[each][:FEW]
            ],
        }
        for each, rows in came.items()
    }


def _estimated(manifest: Manifest, paths: list[Path], pairs: dict[str, Any]) -> dict[str, Any] | None:
    """Hold what was to be expected of the rows whose truth came against that truth."""
    from tidegate.table.quality.errors import RegressionErrors
    from tidegate.table.watch.matching import TRUTH

    true = RegressionErrors.of(pairs[TRUTH], pairs[PREDICTION]).metrics()
    return held_against_truth(manifest, paths[::-1], pairs["event"], true)


def _quality(manifest: Manifest, state: dict[str, Any], pairs: Any, known: Any) -> dict[str, Any]:
    from tidegate.table.watch.quality import judge

    place = quality_of(manifest)
    evaluation = storage.read_json(f"{manifest.baseline}/candidate/evaluation.json") or {}
    found = judge(
        pairs,
        evaluation.get("candidate") or {},
        storage.read_json(f"{place}/constraints.json") or {},
        manifest.least_rows,
        storage.read_json(f"{place}/statistics.json"),
        rates(manifest.every, None, state.get("quality_at"), manifest.opened).quality,
        known.before(manifest.champion, pairs["event"], state.get("truths_since", "")),
    )
    return {**found, "since": known.since(pairs["event"])}
