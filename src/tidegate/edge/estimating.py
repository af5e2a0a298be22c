"""What a training run learned of its model's errors, applied to the rows of a window."""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from tidegate.core.estimates import estimate_of, held_against
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
    estimator = storage.read_json(f"{quality_of(manifest)}/estimator.json")
    if estimator is None:
        return None
    with tempfile.TemporaryDirectory() as scratch:
        paths = [
            fetch(f"{home}/rows.parquet", Path(scratch) / f"{place}.parquet")
            for place, home in enumerate(homes)
        ]
        expected = _expected(estimator, manifest, paths)
    evaluation = storage.read_json(f"{manifest.baseline}/candidate/evaluation.json") or {}
    return estimate_of(expected.rows, expected.metrics(), evaluation.get("candidate") or {})


def held_against_truth(
    manifest: Manifest, paths: list[Path], events: Collection[str], true: Mapping[str, float]
) -> dict[str, Any] | None:
    """Hold what was to be expected of rows whose truth came against that truth; None as for `estimate`.

    Parameters
    ----------
    manifest : Manifest
        The window of the check.
    paths : list of Path
        Files of rows, of which those of `events` are meant.
    events : collection of str
        The predictions whose truth is known.
    true : mapping of str to float
        The metrics by that truth.
    """
    estimator = storage.read_json(f"{quality_of(manifest)}/estimator.json")
    if estimator is None:
        return None
    expected = _expected(estimator, manifest, paths, events)
    return held_against(expected.rows, expected.metrics(), true)


def _expected(estimator: Any, manifest: Manifest, paths: list[Path], *events: Collection[str]) -> Any:
    from tidegate.table.estimate.direct_loss import Estimator
    from tidegate.table.estimate.rows import expected_of

    return expected_of(Estimator.from_dict(estimator), paths, manifest.columns, *events)
