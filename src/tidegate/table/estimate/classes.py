"""How good a classifier will turn out to be, before truth comes: by how sure it is, where that is calibrated.

Confidence-based performance estimation, as NannyML has it: where of all rows with a chance of 0.8 eight in
ten are what was said, the chances alone say how many answers are right. Chances are calibrated on the
held-out rows first. As with a regression's errors, it sees that harder rows came, never that the world
changed. No classifier is trained by Tidegate yet; what serves one later finds its estimate here.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tidegate.table.columns import Floats
from tidegate.table.quality.classification import Labels, binary_of_counts, multiclass_of_counts

DRAWS = 400
CONFIDENCE = 0.95
Metrics = dict[str, dict[str, float]]


@dataclass(frozen=True)
class Calibration:
    """What share of rows with a score really were of the class: rising steps, in between a straight line."""

    scores: Floats
    shares: Floats

    @classmethod
    def fit(cls, scores: Floats, truth: npt.NDArray[np.bool_]) -> Calibration:
        """Fit on held-out rows by pooling adjacent violators (Zadrozny and Elkan, KDD 2002).

        >>> steps = Calibration.fit(np.array([0.1, 0.2, 0.3, 0.9]), np.array([False, True, False, True]))
        >>> steps.shares.tolist()
        [0.0, 0.5, 1.0]
        """
        places, first = np.unique(scores, return_inverse=True)
        count = np.bincount(first).astype(np.float64)
        hits = np.bincount(first, truth)
        blocks: list[list[float]] = []  # hits, rows, and the sum of their scores
        for hit, rows, score in zip(hits.tolist(), count.tolist(), places.tolist(), strict=True):
            blocks.append([hit, rows, score * rows])
            while len(blocks) > 1 and blocks[-2][0] * blocks[-1][1] >= blocks[-1][0] * blocks[-2][1]:
                last = blocks.pop()
                blocks[-1] = [one + other for one, other in zip(blocks[-1], last, strict=True)]
        hit_of, rows_of, scores_of = np.array(blocks).T
        return cls(scores_of / rows_of, hit_of / rows_of)

    def chances(self, scores: Floats) -> Floats:
        """Give the calibrated chance of each score."""
        return np.interp(scores, self.scores, self.shares)

    def to_dict(self) -> dict[str, Any]:
        """Give the JSON form."""
        return {"scores": self.scores.tolist(), "shares": self.shares.tolist()}

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> Calibration:
        """Read the JSON form."""
        return cls(np.array(document["scores"], float), np.array(document["shares"], float))


def expected_binary(chances: Floats, said: npt.NDArray[np.bool_]) -> Metrics:
    """Give the metrics that truth would show of a classifier of two classes, each with an interval.

    Parameters
    ----------
    chances : array
        The calibrated chance of the positive class.
    said : array
        Whether the model said so.
    """
    values = binary_of_counts(*_counts(chances[None, :], said)[:, 0].tolist())
    values["auc"] = _expected_auc(chances)
    drawn = [binary_of_counts(*each) for each in _counts(_drawn(chances), said).T.tolist()]
    return _with_intervals(values, drawn)


def expected_multiclass(chances: Floats, said: Labels, classes: Sequence[str]) -> Metrics:
    """Give the metrics that truth would show of a classifier of many classes, each with an interval.

    Parameters
    ----------
    chances : array
        Row by class, the calibrated chances; those of a row add up to 1.
    said : array
        What the model said.
    classes : sequence of str
        The names of the classes, in the order of the columns.
    """
    places = np.array([said == name for name in classes], dtype=np.float64)  # class × row
    values = multiclass_of_counts((places @ chances).T)
    rng = np.random.default_rng(len(said))
    running = np.cumsum(chances, axis=1)
    drawn = []
    for _ in range(DRAWS):
        true = (rng.random(len(said))[:, None] > running[:, :-1]).sum(axis=1)
        drawn.append(multiclass_of_counts((places @ np.eye(len(classes))[true]).T))
    return _with_intervals(values, drawn)


def _counts(true: Floats, said: npt.NDArray[np.bool_]) -> Floats:
    """Count true and false positives, false and true negatives; one column a draw."""
    hits, positives = true @ said.astype(np.float64), true.sum(axis=1)
    said_so, rows = float(said.sum()), float(len(said))
    return np.array([hits, said_so - hits, positives - hits, rows - said_so - positives + hits])


def _drawn(chances: Floats) -> Floats:
    rng = np.random.default_rng(len(chances))
    return (rng.random((DRAWS, len(chances))) < chances).astype(np.float64)


def _expected_auc(chances: Floats) -> float:
    """Give the area under the curve that ranks by the chance; a row is compared with other rows alone."""
    order = np.argsort(chances, kind="stable")
    sorted_chances = chances[order]
    positives, negatives = float(chances.sum()), float((1 - chances).sum())
    pairs = positives * negatives - float((chances * (1 - chances)).sum())
    if not pairs > 0:
        return math.nan
    _, first = np.unique(sorted_chances, return_index=True)
    above = np.add.reduceat(sorted_chances, first)
    below = np.add.reduceat(1 - sorted_chances, first)
    lower = np.cumsum(below) - below
    own = np.add.reduceat(sorted_chances * (1 - sorted_chances), first)
    return float((above * lower).sum() + 0.5 * (above * below - own).sum()) / pairs


def _with_intervals(values: Mapping[str, float], drawn: Sequence[Mapping[str, float]]) -> Metrics:
    found: Metrics = {}
    for name, value in values.items():
        known = np.array([each[name] for each in drawn if name in each and math.isfinite(each[name])])
        entry = {"value": value}
        if len(known):
            entry["low"], entry["high"] = np.percentile(
                known, [50 * (1 - CONFIDENCE), 50 * (1 + CONFIDENCE)]
            ).tolist()
        found[name] = entry
    return found
