"""Model quality of any problem: Model Monitor's files, and a window's metrics against their thresholds."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tidegate.core.figures import figure
from tidegate.core.sentences import Sentence, say, told
from tidegate.core.verdict import LEAST_ROWS, Finding, Verdict, decide
from tidegate.table.columns import Floats
from tidegate.table.compare.false_alarms import q_values
from tidegate.table.drift.tails import normal_tail
from tidegate.table.quality.classification import (
    Labels,
    binary_metrics,
    confusion,
    curves,
    multiclass_metrics,
)
from tidegate.table.quality.errors import RegressionErrors

LEAST_ROWS_FOR_DEVIATION = 200
SAMPLES = 5
SAMPLE_SHARE = 0.8
LESS, GREATER = "LessThanThreshold", "GreaterThanThreshold"
LOWER_IS_BETTER = {"mae", "mse", "rmse", "false_positive_rate", "false_negative_rate"}
RESAMPLES = 200
CONFIDENCE = 0.95
# Samples of 80 % drawn without replacement vary less than metrics do: by √(0.2 / 0.8) of it.
SAMPLE_SPREAD = math.sqrt((1 - SAMPLE_SHARE) / SAMPLE_SHARE)
Rows = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Answers:
    """What a model answered, and what was true.

    Attributes
    ----------
    problem : str
        ``Regression``, ``BinaryClassification`` or ``MulticlassClassification``.
    truth, answers : array
        Numbers for a regression, labels as texts otherwise.
    positive : str
        The label that a classifier of two classes looks for.
    scores : array, optional
        How sure it was of the positive label, for the curves.
    """

    problem: str
    truth: Floats | Labels
    answers: Floats | Labels
    positive: str = "1"
    scores: Floats | None = None

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return len(self.truth)

    def metrics(self, rows: Rows | None = None) -> dict[str, float]:
        """Measure all rows, or some of them."""
        chosen: Any = slice(None) if rows is None else rows
        truth: Any = self.truth[chosen]
        answers: Any = self.answers[chosen]
        if self.problem == "Regression":
            return RegressionErrors.of(truth, answers).metrics()
        if self.problem == "BinaryClassification":
            scores = None if self.scores is None else self.scores[chosen]
            return binary_metrics(truth, answers, self.positive, scores)
        return multiclass_metrics(truth, answers)


_SECTIONS = {
    "Regression": "regression",
    "BinaryClassification": "binary_classification",
    "MulticlassClassification": "multiclass_classification",
}


@dataclass(frozen=True)
class MetricComparison:
    """One metric of a window against its threshold; the interval is the bootstrap's."""

    name: str
    value: float
    low: float
    high: float
    threshold: float
    operator: str
    q_value: float
    violated: bool
    description: str


@dataclass(frozen=True)
class QualityComparison:
    """What a window's answers say of the model."""

    rows: int
    metrics: tuple[MetricComparison, ...]

    def verdict(self, least_rows: int = LEAST_ROWS) -> Verdict:
        """Conclude: ok, drift, or insufficient."""
        findings = [
            Finding(each.name, each.operator, 1 + abs(each.value - each.threshold), _words(each))
            for each in self.metrics
            if each.violated
        ]
        return decide(self.rows, findings, least_rows=least_rows)

    def violations_document(self) -> dict[str, Any]:
        """Give the contents of `constraint_violations.json`."""
        return {
            "violations": [
                {
                    "constraint_check_type": each.operator,
                    "description": each.description,
                    "metric_name": each.name,
                }
                for each in self.metrics
                if each.violated
            ]
        }


def quality_files(given: Answers) -> tuple[dict[str, Any], dict[str, Any]]:
    """Give the contents of `statistics.json` and `constraints.json` of a model's quality."""
    section = _section(given.problem)
    values, deviations = given.metrics(), sample_deviations(given.metrics, given.rows)
    metrics: dict[str, Any] = {
        name: {"value": _number(value), "standard_deviation": _number(deviations[name])}
        for name, value in values.items()
    }
    if section != "regression":
        truth: Any = given.truth
        answers: Any = given.answers
        classes = np.union1d(truth, answers).tolist()
        table = confusion(truth, answers, classes)
        lines = ({name: int(n) for name, n in zip(classes, line, strict=True)} for line in table)
        metrics = {"confusion_matrix": dict(zip(classes, lines, strict=True)), **metrics}
        if given.scores is not None:
            metrics |= curves(truth == given.positive, given.scores)
    statistics = {"version": 0.0, "dataset": {"item_count": given.rows}, f"{section}_metrics": metrics}
    rules = {
        name: {"threshold": value, "comparison_operator": GREATER if name in LOWER_IS_BETTER else LESS}
        for name, value in values.items()
        if math.isfinite(value)
    }
    return statistics, {"version": 0.0, f"{section}_constraints": rules}


def compare_quality(
    given: Answers,
    constraints: Mapping[str, Any],
    baseline: Mapping[str, Any] | None = None,
    *,
    false_alarms: float | None = 0.05,
) -> QualityComparison:
    """Compare a window's metrics with their thresholds.

    Parameters
    ----------
    constraints : mapping
        The contents of the baseline's `constraints.json`; edited thresholds count.
    baseline : mapping, optional
        The contents of its `statistics.json`, which tells how sure the thresholds are.
    false_alarms : float or None
        A metric beyond its threshold alarms when that is no accident at this rate, over all metrics
        together; with None whenever it is beyond, as Model Monitor does.
    """
    section = _section(given.problem)
    rules = constraints.get(f"{section}_constraints", {})
    before = (baseline or {}).get(f"{section}_metrics", {})
    values = given.metrics()
    drawn = _resampled(given)
    shown = sample_deviations(given.metrics, given.rows)
    names = [name for name in rules if name in values and math.isfinite(values[name])]
    chances = []
    for name in names:
        worse = (values[name] - rules[name]["threshold"]) * (
            1 if rules[name]["comparison_operator"] == GREATER else -1
        )
        spread = math.hypot(float(np.nanstd(drawn[name])), _spread(before.get(name)))
        chances.append(normal_tail(worse / spread) if spread else float(worse <= 0))
    found = []
    for name, q in zip(names, q_values(chances), strict=True):
        value, threshold = values[name], float(rules[name]["threshold"])
        operator = rules[name]["comparison_operator"]
        beyond = value > threshold if operator == GREATER else value < threshold
        low, high = np.nanpercentile(drawn[name], [50 * (1 - CONFIDENCE), 50 * (1 + CONFIDENCE)]).tolist()
        deviation = shown[name] if math.isfinite(shown[name]) else 0.0
        found.append(
            MetricComparison(
                name,
                value,
                low,
                high,
                threshold,
                operator,
                q,
                beyond and (false_alarms is None or q <= false_alarms),
                f"Metric {_camel(name)} with {value} +/- {deviation} was {operator} '{threshold}'",
            )
        )
    return QualityComparison(given.rows, tuple(found))


def sample_deviations(measure: Callable[[Rows], dict[str, float]], rows: int) -> dict[str, float]:
    """Give the standard deviation of each metric over five samples of 80 %; NaN below 200 rows.

    So the guide to Model Monitor, "Model quality metrics"; seeded, so that the same rows give the same files.
    """
    rng = np.random.default_rng(rows)
    size = int(SAMPLE_SHARE * rows)
    samples = [measure(rng.permutation(rows)[:size]) for _ in range(SAMPLES)]
    if rows < LEAST_ROWS_FOR_DEVIATION:
        return dict.fromkeys(samples[0], math.nan)
    return {name: float(np.std([each[name] for each in samples], ddof=1)) for name in samples[0]}


def _resampled(given: Answers) -> dict[str, Floats]:
    """Give each metric over bootstrap resamples (Efron and Tibshirani, 1993)."""
    rng = np.random.default_rng(given.rows)
    drawn = [given.metrics(rng.integers(0, given.rows, given.rows)) for _ in range(RESAMPLES)]
    return {name: np.array([each[name] for each in drawn]) for name in drawn[0]}


def _spread(entry: Mapping[str, Any] | None) -> float:
    """Read how unsure a baseline's metric is off its deviation over samples of 80 %."""
    deviation = (entry or {}).get("standard_deviation")
    return float(deviation) / SAMPLE_SPREAD if isinstance(deviation, int | float) else 0.0


def _section(problem: str) -> str:
    if problem not in _SECTIONS:
        raise ValueError(f"problem type {problem!r} is none of {', '.join(_SECTIONS)}")
    return _SECTIONS[problem]


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word[:1].upper() + word[1:] for word in rest)


def _words(found: MetricComparison) -> Sentence:
    return say(
        "{value} is {way} {threshold} ({low} to {high} at {confidence} confidence)",
        value=told(figure(found.value)),
        way=told("above" if found.operator == GREATER else "below"),
        threshold=told(figure(found.threshold)),
        low=told(figure(found.low)),
        high=told(figure(found.high)),
        confidence=told(format(CONFIDENCE, ".0%")),
    )


def _number(value: float) -> float | str:
    return value if math.isfinite(value) else "NaN"
