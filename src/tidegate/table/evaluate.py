"""How good a candidate is on the held-out rows, and how it differs from the champion on the same rows.

Intervals come from the paired bootstrap: each resample draws rows once and judges both models by them
(Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapters 8 and 13).
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np

from tidegate.core.errors import BadPredictions
from tidegate.core.sentences import joined, say, told
from tidegate.table.columns import Floats
from tidegate.table.predictions import read_predictions, read_truth

CONFIDENCE = 0.95
RESAMPLES = 1000
METRICS = ("rmse", "mae", "r2")
BLOCK_VALUES = 1 << 20


def evaluate(truth: Path | bytes, candidate: bytes, champion: bytes | None, seed_text: str) -> dict[str, Any]:
    """Judge a candidate's answers to the held-out rows, and the champion's if there is one.

    Parameters
    ----------
    truth : Path or bytes
        The CSV `id,target` that preprocessing wrote.
    candidate, champion : bytes
        What batch transform answered, one row a line, in the order of the truth.
    seed_text : str
        Fixes the resampling: the same text gives the same intervals.

    Returns
    -------
    dict
        ``rows``, ``confidence``, ``resamples``; ``candidate`` and ``champion`` with ``value``, ``low`` and
        ``high`` for each of rmse, mae and r2 (None where it is undefined: r2 of a target that never varies);
        ``difference`` is candidate less champion.

    Raises
    ------
    BadPredictions
        If the answers do not match the rows, or one of them is not a finite number.
    """
    target = read_truth(truth)
    names = ["candidate"] if champion is None else ["candidate", "champion"]
    answers = [candidate] if champion is None else [candidate, champion]
    errors = np.stack(
        [
            read_predictions(body, f"the {name}'s predictions", len(target)) - target
            for name, body in zip(names, answers, strict=True)
        ]
    )
    with np.errstate(over="ignore", invalid="ignore"):
        values = _metrics(errors, target, np.ones((1, len(target))))[..., 0]
        resampled = _resample(errors, target, seed_text)
    if not np.isfinite(values[:2]).all():
        raise BadPredictions(
            say(
                "the {names} predicts numbers too large to be squared",
                names=joined(map(told, names), " or the "),
            )
        )
    report: dict[str, Any] = {
        "rows": len(target),
        "confidence": CONFIDENCE,
        "resamples": RESAMPLES,
        "candidate": _described(values[:, 0], resampled[:, 0]),
        "champion": None,
        "difference": None,
    }
    if champion is not None:
        report["champion"] = _described(values[:, 1], resampled[:, 1])
        report["difference"] = _described(values[:, 0] - values[:, 1], resampled[:, 0] - resampled[:, 1])
    return report


def _resample(errors: Floats, target: Floats, seed_text: str) -> Floats:
    """Give the metrics of every resample: metric × model × resample."""
    rows = len(target)
    rng = np.random.default_rng(int.from_bytes(hashlib.sha256(seed_text.encode()).digest()[:16], "big"))
    at_once = max(1, BLOCK_VALUES // rows)
    blocks = []
    for start in range(0, RESAMPLES, at_once):
        count = min(at_once, RESAMPLES - start)
        drawn = rng.integers(0, rows, (count, rows)) + np.arange(count)[:, None] * rows
        weights = np.bincount(drawn.ravel(), minlength=count * rows).reshape(count, rows)
        blocks.append(_metrics(errors, target, weights.astype(np.float64)))
    return np.concatenate(blocks, axis=2)


def _metrics(errors: Floats, target: Floats, weights: Floats) -> Floats:
    """Compute the metrics of rows counted `weights` times: metric × model × sample.

    Sums of products instead of gathered copies of the rows: a resample is one line of a matrix product. By
    `einsum`, because the threads of BLAS wait for each other on a busy machine, thirty times longer than the
    product takes.
    """
    rows = weights.sum(axis=1)
    squared = np.einsum("mr,sr->ms", errors**2, weights)
    centred = target - target.mean()  # r2 does not move with the origin, and small numbers square exactly
    total, squares = np.einsum("mr,sr->ms", np.stack([centred, centred**2]), weights)
    spread = squares - total**2 / rows
    with np.errstate(divide="ignore", invalid="ignore"):
        r2 = np.where(spread > 0, 1 - squared / spread, np.nan)
    return np.stack([np.sqrt(squared / rows), np.einsum("mr,sr->ms", np.abs(errors), weights) / rows, r2])


def _described(values: Floats, resampled: Floats) -> dict[str, dict[str, float | None]]:
    tail = 100 * (1 - CONFIDENCE) / 2
    report: dict[str, dict[str, float | None]] = {}
    for metric, value, found in zip(METRICS, values.tolist(), resampled, strict=True):
        known = found[np.isfinite(found)]
        low, high = np.percentile(known, [tail, 100 - tail]).tolist() if len(known) else (None, None)
        defined = np.isfinite(value) and low is not None
        report[metric] = {
            "value": value if defined else None,
            "low": low if defined else None,
            "high": high if defined else None,
        }
    return report
