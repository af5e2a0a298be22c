"""The models that are trained side by side: neighbours in learning rate, weight decay and l1."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import product

from .hyperparameters import Hyperparameters

AMAZON_MODELS = 32
"""How many the built-in algorithm trains when ``num_models`` is auto."""

_MOST_COLUMNS = 512
"""Candidates times classes: bounds the memory of a multiclass job."""


@dataclass(frozen=True)
class Candidate:
    """The settings of one of the models."""

    learning_rate: float
    wd: float
    l1: float


def make_candidates(settings: Hyperparameters, rates: Iterable[float], classes: int) -> list[Candidate]:
    """Return the candidates of a job, the most usual settings first.

    A value that the user gave is kept by every candidate. ``rates`` are the learning rates that suit the
    optimizer when none is given. A job of a tuning job trains one model, as documented.
    """
    axes = [
        (settings.number("learning_rate"),) if not settings.auto("learning_rate") else tuple(rates),
        (settings.number("wd"),) if not settings.auto("wd") else (0.0, 1e-4, 1e-3, 1e-2, 1e-1),
        (settings.number("l1"),) if not settings.auto("l1") else (0.0, 1e-3),
    ]
    ranked = sorted(product(*(enumerate(axis) for axis in axes)), key=lambda cell: sum(i for i, _ in cell))
    grid = [Candidate(*(value for _, value in cell)) for cell in ranked]
    wanted = len(grid) if settings.auto("num_models") else settings.whole("num_models")
    if settings.tuned:
        wanted = 1
    return grid[: max(1, min(wanted, _MOST_COLUMNS // classes))]
