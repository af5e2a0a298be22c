"""The data branch of a check: compares a window with the baseline of the champion that served it.

Reads the window's profile, those of earlier windows that had too few rows, and the champion's baseline
(artifacts bucket); writes `comparison.json` into the window's folder.
"""

from typing import Any

from aws_lambda_powertools import Logger
from botocore.exceptions import ClientError

from tidegate.core.sentences import masked
from tidegate.core.windows import Manifest
from tidegate.edge import storage

logger = Logger()


@logger.inject_lambda_context(correlation_id_path="run")
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Compare one window; see `events/compare_window.json`."""
    from tidegate.table.profile import Profile
    from tidegate.table.profile.keep import from_bytes
    from tidegate.table.watch.comparison import check, read_baseline

    manifest = Manifest.from_dict(storage.read_json(event["manifest"]))
    state = (storage.read_json(manifest.state) if manifest.state else None) or {}
    carried = state.get("carried", []) if state.get("champion") == manifest.champion else []
    homes = [*carried, manifest.home]
    window = Profile.sum_of(from_bytes(storage.read_bytes(f"{home}/profile.bin")) for home in homes)
    baseline, constraints = read_baseline(
        _document(f"{manifest.baseline}/baseline/data_quality/statistics.json"),
        _document(f"{manifest.baseline}/baseline/data_quality/constraints.json"),
        list(manifest.columns),
        _predictions(manifest),
    )
    found = check(baseline, constraints, window, manifest.least_rows)
    # Too few rows wait: the windows add up until there are enough.
    found["carried"] = homes if found["verdict"] == "insufficient" and window.rows else []
    storage.write_json(f"{manifest.home}/comparison.json", found)
    said = masked({key: found[key] for key in ("rows", "verdict", "reason", "worst")})
    logger.info("window compared", extra=said)
    return {key: found[key] for key in ("rows", "verdict", "worst")}


def _document(uri: str) -> dict[str, Any]:
    document = storage.read_json(uri)
    if document is None:
        raise FileNotFoundError(f"{uri} is not there; train the model once more to make its baseline")
    return dict(document)


def _predictions(manifest: Manifest) -> bytes | None:
    """Read what the champion predicted on its held-out rows, where batch transform left it."""
    try:
        return storage.read_bytes(f"{manifest.baseline}/candidate/rows.jsonl.out")
    except ClientError as error:
        if error.response["Error"]["Code"] in ("NoSuchKey", "404"):
            return None
        raise
