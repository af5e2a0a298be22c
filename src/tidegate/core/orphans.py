"""Which endpoint configurations and models nothing refers to any more. A pure decision, no AWS calls.

What failed, was rejected or superseded leaves a model and perhaps a configuration behind, by the names that
`core/names.py` gave them. Their artefacts stay in S3: only SageMaker's records of them are removed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tidegate.core import names

LEAST_AGE_SECONDS = 24 * 3600.0
# No execution of the train machine lives longer (its TimeoutSeconds), nor one of the others.
LONGEST_RUN_SECONDS = 1_000_000.0


@dataclass(frozen=True)
class Config:
    """An endpoint configuration and the models that it names."""

    name: str
    models: tuple[str, ...]


@dataclass(frozen=True)
class Maker:
    """The run that made something, as its record tells.

    Parameters
    ----------
    model : str
        The use case that it trained.
    finished : float or None
        When it ended, in seconds since 1970; None while it is at work.
    """

    model: str
    finished: float | None


@dataclass(frozen=True)
class Scene:
    """What an account holds, as far as it matters here; times are seconds since 1970.

    Parameters
    ----------
    now : float
        When the looking began.
    prefix : str
        The deployment's prefix of SageMaker names.
    configs : sequence of Config
        Every endpoint configuration of the account, also other people's.
    models : sequence of str
        Every model that has the prefix.
    served : frozenset of str
        Configurations that endpoints have, or are about to have.
    named : frozenset of str
        What Parameter Store names: candidates, approved models, configurations.
    used : frozenset of str
        Models that a job at work reads.
    makers : mapping of str to Maker
        Runs that this deployment has a record of.
    renamed : mapping of str to float
        For each use case when one of its names in Parameter Store last changed.
    in_flight : mapping of str to float
        For each use case with runs at work, of any kind, when the oldest of them started.
    """

    now: float
    prefix: str
    configs: Sequence[Config] = ()
    models: Sequence[str] = ()
    served: frozenset[str] = frozenset()
    named: frozenset[str] = frozenset()
    used: frozenset[str] = frozenset()
    makers: Mapping[str, Maker] = field(default_factory=dict)
    renamed: Mapping[str, float] = field(default_factory=dict)
    in_flight: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Orphans:
    """What may be removed: the configurations first, then the models."""

    configs: tuple[str, ...]
    models: tuple[str, ...]


def orphans(scene: Scene, least_age_seconds: float = LEAST_AGE_SECONDS) -> Orphans:
    """Decide what may be removed.

    Only what a finished run of this very deployment made, and long enough ago; so that whatever a person or
    another deployment made is out of reach, whatever its name.
    """
    kept = [config for config in scene.configs if not _may_go(config.name, scene, least_age_seconds)]
    referred = scene.named | scene.used | {model for config in kept for model in config.models}
    going = {config.name for config in scene.configs} - {config.name for config in kept}
    return Orphans(
        tuple(sorted(going)),
        tuple(
            sorted(
                model
                for model in set(scene.models) - referred
                if _is_settled(model, scene, least_age_seconds)
            )
        ),
    )


def _may_go(config: str, scene: Scene, least_age_seconds: float) -> bool:
    return config not in scene.served | scene.named and _is_settled(config, scene, least_age_seconds)


def _is_settled(name: str, scene: Scene, least_age_seconds: float) -> bool:
    """Tell whether the run that made something is over, and every run that may have looked it up."""
    maker = scene.makers.get(names.maker_of(scene.prefix, name) or "")
    if maker is None or maker.finished is None:
        return False
    # Until then it may have been the approved one: a run that began before may be working with it.
    settled = max(maker.finished, scene.renamed.get(maker.model, maker.finished))
    oldest = scene.in_flight.get(maker.model)
    return scene.now - settled >= least_age_seconds and (oldest is None or oldest > settled)
