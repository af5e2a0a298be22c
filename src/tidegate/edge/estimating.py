"""What a training run learned of its model's errors, applied to the rows of a window."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from tidegate.core.estimates import estimate_of
from tidegate.core.windows import Manifest
from tidegate.edge import storage
from tidegate.edge.fetch import fetch


def quality_of(manifest: Manifest) -> str:
    """Return the folder of what the champion's run wrote down of its quality."""
    return f"{manifest.baseline}/baseline/model_quality"


def estimate(manifest: Manifest, homes: list[str]) -> dict[str, Any] | None:
    """Estimate the errors of the rows of windows; None where the run learned nothing of them.

    Parameters
    ----------
    manifest : Manifest
        The window that is compared.
    homes : list of str
        The folders of the windows whose rows are compared with it, its own last.
    """
    document = storage.read_json(f"{quality_of(manifest)}/estimator.json")
    if document is None:
        return None
    from tidegate.table.estimate.direct_loss import Estimator
    from tidegate.table.estimate.rows import expected_of

    with tempfile.TemporaryDirectory() as scratch:
        paths = [
            fetch(f"{home}/rows.parquet", Path(scratch) / f"{place}.parquet")
            for place, home in enumerate(homes)
        ]
        expected = expected_of(Estimator.from_dict(document), paths, manifest.columns)
    evaluation = storage.read_json(f"{manifest.baseline}/candidate/evaluation.json") or {}
    return estimate_of(expected.rows, expected.metrics(), evaluation.get("candidate") or {})
