"""What a check found of a model's quality: its metrics, which of them have fallen, and that in words."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tidegate.core.figures import apart, metric_name
from tidegate.core.sentences import Sentence, joined, say, told


@dataclass(frozen=True)
class Metric:
    """One metric of a window; the interval is the bootstrap's.

    Attributes
    ----------
    effect : float
        By how much it is worse than its threshold, on its scale; below 0 where it is better.
    q_value : float
        The rate of false alarms over all metrics at which it is worth a report.
    rows : int
        How many truths it is about.
    lately : Metric or None
        The same by the truths of earlier checks too.
    """

    name: str
    value: float
    low: float | None
    high: float | None
    threshold: float | None = None
    operator: str = ""
    effect: float = 0.0
    q_value: float = 1.0
    fallen: bool = False
    rows: int = 0
    lately: Metric | None = None

    @property
    def telling(self) -> Metric:
        """That by which it has fallen: of these truths, or else of the last ones."""
        return self if self.fallen or self.lately is None else self.lately

    @property
    def has_fallen(self) -> bool:
        """Whether it has fallen by either."""
        return self.telling.fallen

    def to_dict(self) -> dict[str, Any]:
        """Give the JSON form."""
        return {
            "value": _plain(self.value),
            "low": self.low,
            "high": self.high,
            "threshold": self.threshold,
            "effect": _plain(self.effect),
            "q_value": self.q_value,
            **({"lately": {"rows": self.lately.rows, **self.lately.to_dict()}} if self.lately else {}),
        }

    def violation(self) -> dict[str, str]:
        """Give the entry of `constraint_violations.json`, in the container's words."""
        spread = 0.0 if self.low is None or self.high is None else (self.high - self.low) / 2
        return {
            "constraint_check_type": self.operator,
            "description": f"Metric {self.name} with {self.value} +/- {spread} was {self.operator} "
            f"'{self.threshold}'",
            "metric_name": self.name,
        }


@dataclass(frozen=True)
class Quality:
    """What a window's answers say of the model.

    Attributes
    ----------
    denied : bool
        Whether they deny what those before them showed, so that those say nothing any more.
    """

    rows: int
    verdict: str
    metrics: tuple[Metric, ...]
    statistics: Mapping[str, Any]
    sentence: Sentence
    denied: bool = False

    def to_dict(self) -> dict[str, Any]:
        """Give the JSON form."""
        return {
            "rows": self.rows,
            "verdict": self.verdict,
            "metrics": {each.name: each.to_dict() for each in self.metrics},
            "statistics": dict(self.statistics),
            "violations": [each.telling.violation() for each in self.metrics if each.has_fallen],
            "sentence": str(self.sentence),
            "denied": self.denied,
        }


def in_words(rows: int, metrics: Sequence[Metric]) -> Sentence:
    """Say which metrics have fallen: by these truths, and then by the last ones."""
    fallen = [each.telling for each in metrics if each.has_fallen]
    if not fallen:
        return say("by {rows:,} known truths the model predicts as well as at training", rows=rows)
    spans = []
    for over in sorted({each.rows for each in fallen}):
        words = joined([_in_words(each) for each in fallen if each.rows == over], "; ")
        last = told("the last " if over > rows else "")
        spans.append(say("by {last}{rows:,} known truths {metrics}", last=last, rows=over, metrics=words))
    return joined(spans, "; ")


def _in_words(metric: Metric) -> Sentence:
    value, before = apart(metric.value, metric.threshold or 0.0)
    return say(
        "{name} is {value}, and was {before} at training",
        name=told(metric_name(metric.name)),
        value=told(value),
        before=told(before),
    )


def _plain(value: float) -> float | None:
    return value if math.isfinite(value) else None
