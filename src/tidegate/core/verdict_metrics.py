"""The metrics by which a model's checks are watched: one a verdict, and how many there are of columns."""

from __future__ import annotations

COLUMNS = "columns"
WANTED = ("verdicts", COLUMNS)  # what `monitor.metrics` may ask for
BY_MODEL = "model"  # the dimension beside the stack's
VERDICTS = {
    "ok": "VerdictOk",
    "drift": "VerdictDrift",
    "bad data": "VerdictBadData",
    "insufficient": "VerdictInsufficient",
}
"""The name of the metric of each verdict: how many algorithms of the model got it."""

OF_A_COLUMN = 3  # its rows, those with a value, how far it drifted
OF_QUALITY = 4  # mae, mse, rmse, r2


def most_of_columns(features: int) -> int:
    """Count the metrics of an algorithm with all its columns, its prediction among them, and its quality.

    >>> most_of_columns(10)
    37
    """
    return OF_A_COLUMN * (features + 1) + OF_QUALITY
