"""How many instances of which type models need at once, by the quotas of SageMaker that bound them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from tidegate.core.spec import ModelSpec

TRAINING, SPOT, TRANSFORM, ENDPOINT = "training job", "spot training job", "transform job", "endpoint"
# Of a training run: candidate and champion score the held-out rows side by side.
SCORING_AT_ONCE = 2


@dataclass(frozen=True)
class Need:
    """What one quota has to allow.

    Attributes
    ----------
    instance, usage : str
        Which quota: of ``ml.m5.large`` for ``training job``, say.
    least : int
        With fewer a run of some model never gets what it needs at once.
    most : int
        What is needed where endpoints have scaled out and are updated then.
    """

    instance: str
    usage: str
    least: int
    most: int

    @property
    def quota(self) -> str:
        """The name of the quota in Service Quotas.

        >>> Need("ml.m5.large", TRAINING, 2, 2).quota
        'ml.m5.large for training job usage'
        """
        return f"{self.instance} for {self.usage} usage"


def needs(specs: Iterable[ModelSpec]) -> list[Need]:
    """Add up what models need, by instance type and usage.

    Jobs count for the model with the most, as runs of several at once wait for each other where they must.
    Endpoints count for all models, as all serve at once, and once more for the model with the most: an update
    starts as many instances beside those that serve.
    """
    jobs: dict[tuple[str, str], int] = defaultdict(int)
    serving: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    updated: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for spec in specs:
        for key, count in _jobs_of(spec).items():
            jobs[key] = max(jobs[key], count)
        if spec.serving.serverless is not None:
            continue
        instance, bounds = spec.serving.instance, spec.serving.instances
        for at, bound in enumerate(("min", "max")):
            count = bounds[bound] * len(spec.algorithms)
            serving[instance][at] += count
            updated[instance][at] = max(updated[instance][at], count)
    found = [Need(instance, usage, count, count) for (instance, usage), count in jobs.items()]
    for instance, (least, most) in serving.items():
        found.append(Need(instance, ENDPOINT, least + updated[instance][0], most + updated[instance][1]))
    return sorted(found, key=lambda need: (need.instance, need.usage))


def _jobs_of(spec: ModelSpec) -> dict[tuple[str, str], int]:
    jobs: dict[tuple[str, str], int] = defaultdict(int)
    for algorithm in spec.algorithms.values():
        at_once = algorithm.tuning.parallel if algorithm.tuning else 1
        jobs[algorithm.instance, SPOT if algorithm.spot else TRAINING] += algorithm.count * at_once
    held_out = SCORING_AT_ONCE * len(spec.algorithms)
    jobs[spec.scoring.instance, TRANSFORM] += max(held_out, spec.scoring.count * len(spec.algorithms))
    return jobs
