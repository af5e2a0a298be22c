"""Reads a window: captured requests and batch scores become rows with ids, and a profile that adds.

Reads the manifest and its objects (artifacts bucket); writes `rows.parquet`, the profile and `read.json` into
the window's folder. The same manifest gives the same files, so that this may be repeated. A large window is
read by the Glue job instead (`glue/profile_window.py`).
"""

import tempfile
from pathlib import Path
from typing import Any

from aws_lambda_powertools import Logger

from tidegate.core.sentences import masked
from tidegate.core.unforeseen import guarded
from tidegate.core.windows import Manifest
from tidegate.edge import storage
from tidegate.edge.window_parts import keep_window, read_part

logger = Logger()


@guarded
@logger.inject_lambda_context(correlation_id_path="run")
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Read one window; see `events/profile_window.json`."""
    manifest = Manifest.from_dict(storage.read_json(event["manifest"]))
    with tempfile.TemporaryDirectory() as scratch:
        rows = Path(scratch) / "rows.parquet"
        found = keep_window(manifest, [read_part(manifest, manifest.objects, Path(scratch), rows)], rows)
    logger.info("window read", extra=masked(found))
    return dict(masked(found))
