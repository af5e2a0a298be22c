"""A model as the API sees it: what serves it now, what its records hold, and its document."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from tidegate.api.form import Form
from tidegate.core.algorithms import BUILT_IN
from tidegate.core.spec import ModelSpec
from tidegate.serving.apply import Recipe

MOST_RECORDS = 1000  # of a request; fewer where a model's rows are so wide that its container takes fewer
BUSY = frozenset({"Creating", "Updating", "SystemUpdating", "RollingBack"})
GONE = "Missing"  # the status of an endpoint that there is not


@dataclass(frozen=True)
class Served:
    """One algorithm of a model that an endpoint serves.

    Parameters
    ----------
    algorithm, endpoint, version, run : str
        Its name, who serves it, the SageMaker model that is served, the run that made it.
    features : mapping of str to str
        The fields it was trained on, with their types.
    recipe : Recipe, optional
        For a serverless endpoint, which takes rows that are encoded already.
    missing : mapping of str to sequence of str
        For some fields, the words that stand for a missing value.
    levels : mapping of str to frozenset of str
        Of each categorical field, the values that it learned.
    most_rows : int
        How many rows its container takes at once, whatever they hold.
    """

    algorithm: str
    endpoint: str
    version: str
    run: str
    features: Mapping[str, str]
    recipe: Recipe | None = None
    missing: Mapping[str, Sequence[str]] = field(default_factory=dict)
    levels: Mapping[str, frozenset[str]] = field(default_factory=dict)
    most_rows: int = MOST_RECORDS

    @property
    def accept(self) -> str:
        """The type in which the algorithm's container answers."""
        return BUILT_IN[self.algorithm].accept


@dataclass(frozen=True)
class Model:
    """A declared model, with what serves it.

    Attributes
    ----------
    spec : ModelSpec
        Its declaration in force.
    served : tuple of Served
        What serves it.
    lost : mapping of str to str
        By algorithm why what is named as serving it counts as nothing: a name may outlive what it names.
    """

    spec: ModelSpec
    served: tuple[Served, ...]
    lost: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def form(self) -> Form:
        """What its records hold: what the models that serve were trained on, else what is declared."""
        features: dict[str, str] = {}
        missing: dict[str, Sequence[str]] = {}
        for each in self.served:
            features = {**each.features, **features}
            missing = {**each.missing, **missing}
        if not features:
            features = {name: feature.type for name, feature in self.spec.features.items()}
            missing = {name: words for name, words in self.spec.missing.items() if name in features}
        return Form(features, self.spec.id, self.spec.target, missing)

    @cached_property
    def learned(self) -> dict[str, frozenset[str]]:
        """Of each categorical field, the values that everything which serves has learned."""
        found: dict[str, frozenset[str]] = {}
        for each in self.served:
            for name, levels in each.levels.items():
                found[name] = found[name] & levels if name in found else levels
        return found

    @property
    def most_records(self) -> int:
        """How many records are answered at once."""
        return min([MOST_RECORDS, *(each.most_rows for each in self.served)])

    @property
    def absent(self) -> list[str]:
        """The declared algorithms that nothing serves."""
        names = {each.algorithm for each in self.served}
        return [name for name in self.spec.algorithms if name not in names]

    @property
    def state(self) -> str:
        """Say in one word how much of the model is served."""
        if not self.served:
            return "not deployed"
        return "partly serving" if self.absent else "serving"

    def summary(self) -> dict[str, Any]:
        """Give the entry of the list of models."""
        return {
            "name": self.spec.name,
            "target": self.spec.target,
            "state": self.state,
            "algorithms": list(self.spec.algorithms),
            "versions": {each.algorithm: each.version for each in self.served},
        }

    def describe(
        self, status: Callable[[str], str], metrics: Callable[[Served], Mapping[str, Any]]
    ) -> dict[str, Any]:
        """Give the model's document.

        Parameters
        ----------
        status : callable
            Gives an endpoint's status.
        metrics : callable
            Gives the metrics that a version had on the held-out rows of its run.
        """
        algorithms: dict[str, Any] = {
            each.algorithm: {
                "state": status(each.endpoint),
                "version": each.version,
                "run": each.run,
                "metrics": dict(metrics(each)),
            }
            for each in self.served
        }
        algorithms |= {
            name: {"state": "NotDeployed", **({"reason": self.lost[name]} if name in self.lost else {})}
            for name in self.absent
        }
        updating = any(entry["state"] in BUSY for entry in algorithms.values())
        return {
            **self.summary(),
            "state": "updating" if updating else self.state,
            "id": self.spec.id,
            "combine": self.spec.serving.combine,
            "on_failure": self.spec.serving.on_failure,
            "algorithms": algorithms,
            "record": self.form.schema(),
        }
