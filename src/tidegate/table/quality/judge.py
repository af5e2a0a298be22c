"""Whether a model predicts worse than at training: one rule for every kind of model.

A metric has fallen when it is worse by more than `EFFECT` and by more than chance explains. Both are asked on
a scale on which the size of a model's errors does not matter: errors by their ratio, R² by that of the
errors it stands for, shares of right answers by their difference. How unsure a metric is tells the bootstrap
(Efron and Tibshirani, 1993) for the window, and the interval or the deviation that was written at training
for the baseline. The procedure of Benjamini and Hochberg goes over all metrics together. A threshold that
somebody edited holds to the letter.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from tidegate.core.figures import figure, metric_name
from tidegate.core.monitor import QUALITY_FALSE_ALARMS
from tidegate.core.sentences import Sentence, joined, say, told
from tidegate.table.columns import Floats
from tidegate.table.compare.false_alarms import q_values
from tidegate.table.drift.tails import normal_tail
from tidegate.table.quality.answers import GREATER, SAMPLE_SHARE, Answers, quality_files, section_of

EFFECT = 0.05
RESAMPLES = 400
MOST_RESAMPLED = 20_000  # the interval of more rows is narrow enough
CONFIDENCE = 0.95
_Z = 1.96
# Samples of 80 % drawn without replacement vary less than metrics do: by √(0.2 / 0.8) of it.
_SAMPLE_SPREAD = math.sqrt((1 - SAMPLE_SHARE) / SAMPLE_SHARE)
_EDITED = 1e-9


@dataclass(frozen=True)
class Metric:
    """One metric of a window; the interval is the bootstrap's.

    Attributes
    ----------
    effect : float
        By how much it is worse than its threshold, on its scale; below 0 where it is better.
    q_value : float
        The rate of false alarms over all metrics at which it is worth a report.
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

    def to_dict(self) -> dict[str, Any]:
        """Give the JSON form."""
        return {
            "value": _plain(self.value),
            "low": self.low,
            "high": self.high,
            "threshold": self.threshold,
            "effect": _plain(self.effect),
            "q_value": self.q_value,
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
    """What a window's answers say of the model."""

    rows: int
    verdict: str
    metrics: tuple[Metric, ...]
    statistics: Mapping[str, Any]
    sentence: Sentence

    def to_dict(self) -> dict[str, Any]:
        """Give the JSON form."""
        return {
            "rows": self.rows,
            "verdict": self.verdict,
            "metrics": {each.name: each.to_dict() for each in self.metrics},
            "statistics": dict(self.statistics),
            "violations": [each.violation() for each in self.metrics if each.fallen],
            "sentence": str(self.sentence),
        }


def judge(
    given: Answers,
    constraints: Mapping[str, Any],
    statistics: Mapping[str, Any] | None = None,
    evaluation: Mapping[str, Any] | None = None,
    *,
    least_rows: int,
    false_alarms: float = QUALITY_FALSE_ALARMS,
) -> Quality:
    """Judge predictions whose truth is known.

    Parameters
    ----------
    constraints, statistics : mapping
        The contents of the model quality baseline.
    evaluation : mapping, optional
        How the champion did on its held-out rows: metrics with ``value``, ``low`` and ``high``.
    least_rows : int
        Fewer rows give no verdict.
    false_alarms : float
        The share of windows no worse than the baseline that may be called worse, over all metrics together.
    """
    section = section_of(given.problem)
    written, _ = quality_files(given)
    if given.rows < least_rows:
        sentence = say(
            "{rows:,} predictions have their truth, and {least:,} are needed to tell the quality",
            rows=given.rows,
            least=least_rows,
        )
        return Quality(given.rows, "insufficient", (), written, sentence)
    rules = {_camel(name): rule for name, rule in constraints.get(f"{section}_constraints", {}).items()}
    known = {_camel(name): at for name, at in (statistics or {}).get(f"{section}_metrics", {}).items()}
    measured = _measured(given)
    metrics = [
        _judged(each, drawn, rules.get(each.name), known.get(each.name), (evaluation or {}).get(each.name))
        for each, drawn in measured
    ]
    asked = [each for each in metrics if each.threshold is not None]
    q_of = dict(zip((each.name for each in asked), q_values([each.q_value for each in asked]), strict=True))
    concluded = tuple(_concluded(each, q_of, known.get(each.name), false_alarms) for each in metrics)
    fallen = [each for each in concluded if each.fallen]
    return Quality(given.rows, "drift" if fallen else "ok", concluded, written, _in_words(given.rows, fallen))


def _measured(given: Answers) -> list[tuple[Metric, Floats]]:
    """Measure each metric, with an interval and its resamples."""
    some = given.some(MOST_RESAMPLED)
    rng = np.random.default_rng(some.rows)
    drawn = [some.metrics(rng.integers(0, some.rows, some.rows)) for _ in range(RESAMPLES)]
    found = []
    for name, value in given.metrics().items():
        resampled = np.array([each[name] for each in drawn])
        finite = resampled[np.isfinite(resampled)]
        ends = [50 * (1 - CONFIDENCE), 50 * (1 + CONFIDENCE)]
        low, high = np.percentile(finite, ends).tolist() if len(finite) else (None, None)
        found.append((Metric(name, value, low, high), finite))
    return found


def _judged(
    found: Metric,
    drawn: Floats,
    rule: Mapping[str, Any] | None,
    known: Mapping[str, Any] | None,
    evaluated: Mapping[str, Any] | None,
) -> Metric:
    """Compare a metric with its threshold; `q_value` is its p-value until all metrics are known."""
    if rule is None or not math.isfinite(found.value) or not len(drawn):
        return found
    threshold, operator = float(rule["threshold"]), str(rule["comparison_operator"])
    with np.errstate(divide="ignore", invalid="ignore"):
        spread = float(np.std(_worse(found.name, operator, drawn)))
        effect = float(
            _worse(found.name, operator, np.array(found.value))
            - _worse(found.name, operator, np.array(threshold))
        )
    before = _spread_before(found.name, operator, threshold, known, evaluated)
    unsure = math.hypot(spread, before) if math.isfinite(spread) else math.inf
    # An effect without end is a baseline without any error, or a window without any.
    if math.isnan(effect):
        effect, chance = 0.0, 1.0
    elif math.isinf(unsure):
        chance = 1.0 if math.isfinite(effect) or effect < 0 else 0.0
    else:
        chance = normal_tail(effect / unsure) if unsure else float(effect <= 0)
    return Metric(found.name, found.value, found.low, found.high, threshold, operator, effect, chance)


def _worse(name: str, operator: str, values: Floats) -> Floats:
    """Put values on the scale of their metric, on which more is worse."""
    if name in ("mae", "rmse"):
        return np.log(values)
    if name == "mse":  # as its root would be
        return np.log(values) / 2
    if name == "r2":
        return np.log(1 - values) / 2
    return values if operator == GREATER else -values


def _spread_before(
    name: str,
    operator: str,
    threshold: float,
    known: Mapping[str, Any] | None,
    evaluated: Mapping[str, Any] | None,
) -> float:
    """Give how unsure the baseline's metric is: by its interval, or else by its deviation."""
    low, high = (evaluated or {}).get("low"), (evaluated or {}).get("high")
    with np.errstate(divide="ignore", invalid="ignore"):
        if isinstance(low, int | float) and isinstance(high, int | float):
            ends = _worse(name, operator, np.array([float(low), float(high)]))
            width = abs(float(ends[1] - ends[0])) / (2 * _Z)
        else:
            deviation = (known or {}).get("standard_deviation")
            if not isinstance(deviation, int | float):
                return 0.0
            ends = _worse(name, operator, np.array([threshold, threshold + float(deviation)]))
            width = abs(float(ends[1] - ends[0])) / _SAMPLE_SPREAD
    return width if math.isfinite(width) else 0.0


def _concluded(
    found: Metric, q_of: Mapping[str, float], known: Mapping[str, Any] | None, false_alarms: float
) -> Metric:
    if found.threshold is None:
        return found
    q, effect = q_of[found.name], found.effect
    value = (known or {}).get("value")
    edited = isinstance(value, int | float) and not math.isclose(
        found.threshold, value, rel_tol=_EDITED, abs_tol=_EDITED
    )
    fallen = effect > 0 if edited else effect > EFFECT and q <= false_alarms
    return Metric(
        found.name,
        found.value,
        found.low,
        found.high,
        found.threshold,
        found.operator,
        effect,
        q,
        fallen,
    )


def _in_words(rows: int, fallen: list[Metric]) -> Sentence:
    if not fallen:
        return say("by {rows:,} known truths the model predicts as well as at training", rows=rows)
    each = [
        say(
            "{name} is {value}, and was {before} at training",
            name=told(metric_name(metric.name)),
            value=told(figure(metric.value)),
            before=told(figure(metric.threshold or 0.0)),
        )
        for metric in fallen
    ]
    return say("by {rows:,} known truths {metrics}", rows=rows, metrics=joined(each, "; "))


def _camel(name: str) -> str:
    """Name a metric as Model Monitor's metrics are; its files of before have underscores."""
    first, *rest = name.split("_")
    return first + "".join(word[:1].upper() + word[1:] for word in rest)


def _plain(value: float) -> float | None:
    return value if math.isfinite(value) else None
