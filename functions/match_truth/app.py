"""Matches labels to predictions, those of earlier checks too, and measures the model where enough are known.

Reads the window's rows, earlier windows and the labels taken in (artifacts bucket); writes `truth.parquet`
(the rows that learned their truth, or had it corrected), `known.parquet` (what is known by now, of each
prediction once), `waiting.csv` (labels whose prediction has not been seen yet) and `quality.json` into the
window's folder.
"""

import tempfile
from pathlib import Path
from typing import Any

from aws_lambda_powertools import Logger

from tidegate.core.unforeseen import guarded
from tidegate.core.windows import Manifest
from tidegate.edge import storage
from tidegate.edge.matching import match_labels

logger = Logger()


@guarded
@logger.inject_lambda_context(correlation_id_path="run")
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Match the labels of one window; see `events/match_truth.json`."""
    manifest = Manifest.from_dict(storage.read_json(event["manifest"]))
    state = (storage.read_json(manifest.state) if manifest.state else None) or {}
    with tempfile.TemporaryDirectory() as scratch:
        found = match_labels(manifest, state, Path(scratch))
    storage.write_json(f"{manifest.home}/quality.json", found)
    logger.info("ground truth matched", extra={"labels": found["labels"]})
    return {"labels": found["labels"]}
