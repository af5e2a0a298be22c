"""What a model answered and what was true, and Model Monitor's files about it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tidegate.table.columns import Floats
from tidegate.table.compare.alike import Worth, worth
from tidegate.table.profile.succession import Succession
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
BY_ERRORS_ALONE = {"mae", "mse", "rmse", "accuracy"}
LOWER_IS_BETTER = {"mae", "mse", "rmse", "falsePositiveRate", "falseNegativeRate"}
Rows = npt.NDArray[np.int64]
_SECTIONS = {
    "Regression": "regression",
    "BinaryClassification": "binary_classification",
    "MulticlassClassification": "multiclass_classification",
}


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
    in_order : bool
        Whether they are in the order in which the model was asked.
    """

    problem: str
    truth: Floats | Labels
    answers: Floats | Labels
    positive: str = "1"
    scores: Floats | None = None
    in_order: bool = False

    @classmethod
    def of_numbers(
        cls, problem: str, truth: Floats, predictions: Floats, *, in_order: bool = False
    ) -> Answers:
        """Read answers off the numbers that an endpoint gives: of two classes the chance of the second."""
        if problem == "Regression":
            return cls(problem, truth, predictions, in_order=in_order)
        if problem == "BinaryClassification":
            sure = _labels(predictions >= 0.5)
            return cls(problem, _labels(truth), sure, "1", predictions, in_order=in_order)
        return cls(problem, _labels(truth), _labels(predictions), in_order=in_order)

    def __add__(self, other: Answers) -> Answers:
        """Put the answers of both after each other."""

        def joined(one: Any, more: Any) -> Any:
            return None if one is None or more is None else np.concatenate([one, more])

        return Answers(
            self.problem,
            joined(self.truth, other.truth),
            joined(self.answers, other.answers),
            self.positive,
            joined(self.scores, other.scores),
            self.in_order and other.in_order,
        )

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return len(self.truth)

    def some(self, most: int) -> Answers:
        """Keep the first rows."""
        scores = None if self.scores is None else self.scores[:most]
        return Answers(self.problem, self.truth[:most], self.answers[:most], self.positive, scores)

    def alike(self, lately: Answers) -> tuple[Worth, Worth]:
        """Tell how many answers tell as much as one independent one, by their errors, and by all of them.

        Errors that are alike make all metrics less sure, and truths that are alike those metrics that measure
        errors by how the truth varies, or by how often each class is true.
        """
        own, late = self._orders(), lately._orders()
        errors, truths = (worth(one, more) for one, more in zip(own, late, strict=True))
        return errors, max(errors, truths)

    def _orders(self) -> tuple[Succession, Succession]:
        if not self.in_order:
            return Succession(), Succession()
        truth: Any = self.truth
        answers: Any = self.answers
        if self.problem == "Regression":
            return Succession.of_all(np.abs(answers - truth)), Succession.of_all(truth)
        return Succession.of_all((answers != truth).astype(float)), Succession.of_all(truth == self.positive)

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


def section_of(problem: str) -> str:
    """Name the part of Model Monitor's files that is about a kind of problem."""
    if problem not in _SECTIONS:
        raise ValueError(f"problem type {problem!r} is none of {', '.join(_SECTIONS)}")
    return _SECTIONS[problem]


def problem_of(constraints: Mapping[str, Any]) -> str:
    """Tell which kind of problem a `constraints.json` of model quality is about."""
    found = (name for name, section in _SECTIONS.items() if f"{section}_constraints" in constraints)
    return next(found, "Regression")


def quality_files(given: Answers) -> tuple[dict[str, Any], dict[str, Any]]:
    """Give the contents of `statistics.json` and `constraints.json` of a model's quality."""
    section = section_of(given.problem)
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


def sample_deviations(measure: Callable[[Rows], dict[str, float]], rows: int) -> dict[str, float]:
    """Give the standard deviation of each metric over five samples of 80 %; NaN below 200 rows.

    So the guide to Model Monitor, "Model quality metrics"; seeded, so that the same rows give the same files.
    """
    if rows < LEAST_ROWS_FOR_DEVIATION:
        return dict.fromkeys(measure(np.arange(rows)), math.nan)
    rng = np.random.default_rng(rows)
    size = int(SAMPLE_SHARE * rows)
    samples = [measure(rng.permutation(rows)[:size]) for _ in range(SAMPLES)]
    return {name: float(np.std([each[name] for each in samples], ddof=1)) for name in samples[0]}


def _labels(values: Any) -> Labels:
    return np.array([f"{float(value):g}" for value in values])


def _number(value: float) -> float | str:
    return value if math.isfinite(value) else "NaN"
