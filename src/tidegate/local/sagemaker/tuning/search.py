"""Strategies of tuning: each proposes hyperparameters and, if it learns, is told what became of them."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

from tidegate.local.sagemaker.tuning.ranges import Choices, Numbers, Range

Values = dict[str, str]

# Before it models anything, Bayesian search looks around; and it looks at as many points each time.
_LOOKS_AROUND = 4


class Search(Protocol):
    """What a strategy does."""

    def propose(self) -> Values | None:
        """Return the next hyperparameters to try, None when there are no more."""

    def tell(self, values: Mapping[str, str], objective: float | None) -> None:
        """Take in what became of a proposal, or of a job of a parent; None when it gave no objective."""


def make_search(strategy: str, ranges: Sequence[Range], *, maximize: bool, seed: int) -> Search:
    """Return the search of a strategy: Random, Grid or Bayesian."""
    if strategy == "Grid":
        return Grid(ranges)
    if strategy == "Random":
        return Random(ranges, seed)
    return Bayesian(ranges, maximize, seed)


class Random:
    """Draws every value by chance, independently of all others."""

    def __init__(self, ranges: Sequence[Range], seed: int) -> None:
        self._ranges = ranges
        self._random = random.Random(seed)  # nosec B311 # a search that can be repeated

    def propose(self) -> Values:
        """Draw."""
        return {each.name: self._draw(each) for each in self._ranges}

    def tell(self, values: Mapping[str, str], objective: float | None) -> None:
        """Chance does not learn."""

    def _draw(self, each: Range) -> str:
        if isinstance(each, Choices):
            return self._random.choice(each.values)
        return each.at(self._random.random())


class Grid:
    """Tries every combination of categorical values once."""

    def __init__(self, ranges: Sequence[Range]) -> None:
        self._combinations = combinations(ranges)

    def propose(self) -> Values | None:
        """Return the next combination."""
        return next(self._combinations, None)

    def tell(self, values: Mapping[str, str], objective: float | None) -> None:
        """All combinations are tried, whatever comes of them."""


def combinations(ranges: Sequence[Range]) -> Iterator[Values]:
    """Give every combination of categorical ranges."""
    lists = [each.values for each in ranges if isinstance(each, Choices)]
    for chosen in itertools.product(*lists):
        yield {each.name: value for each, value in zip(ranges, chosen, strict=True)}


class Bayesian:
    """Proposes what a model of the results so far expects most of: Optuna's tree-structured Parzen estimator.

    Bergstra et al., "Algorithms for Hyper-Parameter Optimization", NIPS 2011. AWS uses Gaussian processes;
    neither its proposals nor those are reproducible in each other.
    """

    def __init__(self, ranges: Sequence[Range], maximize: bool, seed: int) -> None:
        import optuna  # here: it takes a third of a second, and most local clouds never tune

        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self._optuna = optuna
        self._ranges = ranges
        self._distributions = {each.name: _distribution(optuna, each) for each in ranges}
        sampler = optuna.samplers.TPESampler(seed=seed, n_startup_trials=_LOOKS_AROUND, constant_liar=True)
        self._study = optuna.create_study(direction="maximize" if maximize else "minimize", sampler=sampler)
        self._asked: list[tuple[Values, Any]] = []

    def propose(self) -> Values:
        """Ask the model."""
        trial = self._study.ask(self._distributions)
        values = {
            each.name: trial.params[each.name]
            if isinstance(each, Choices)
            else each.at(trial.params[each.name])
            for each in self._ranges
        }
        self._asked.append((values, trial))
        return values

    def tell(self, values: Mapping[str, str], objective: float | None) -> None:
        """Let the model learn; a job without an objective only ends its trial."""
        state = self._optuna.trial.TrialState
        for number, (asked, trial) in enumerate(self._asked):
            if asked == values:
                del self._asked[number]
                self._study.tell(trial, objective, state=state.FAIL if objective is None else state.COMPLETE)
                return
        params = self._places(values)
        if objective is not None and params is not None:
            earlier = self._optuna.trial.create_trial(
                params=params, distributions=self._distributions, value=objective
            )
            self._study.add_trial(earlier)

    def _places(self, values: Mapping[str, str]) -> dict[str, Any] | None:
        """Return where an earlier job lies in our ranges, None when it lies outside."""
        places: dict[str, Any] = {}
        for each in self._ranges:
            text = values.get(each.name, "")
            place = each.place(text) if isinstance(each, Numbers) else text if text in each.values else None
            if place is None:
                return None
            places[each.name] = place
        return places


def _distribution(optuna: Any, each: Range) -> Any:
    if isinstance(each, Choices):
        return optuna.distributions.CategoricalDistribution(each.values)
    return optuna.distributions.FloatDistribution(0.0, 1.0)
