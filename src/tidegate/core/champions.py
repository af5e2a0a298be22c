"""Whether the model that Parameter Store names as a champion can be used. A pure decision, no AWS calls."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Found:
    """What there is of a model that a name points at.

    Attributes
    ----------
    name : str
        The name.
    described : bool
        Whether SageMaker knows a model of that name.
    is_ours : bool
        Whether it is built as a training run builds models: a recipe, then an algorithm.
    role : str or None
        The role that its containers act in.
    absent : tuple of str
        Which of its files are not there, or in a bucket that cannot be looked into.
    recipe : mapping or None
        Its recipe.
    """

    name: str
    described: bool = False
    is_ours: bool = True
    role: str | None = None
    absent: tuple[str, ...] = ()
    recipe: Mapping[str, Any] | None = None


def whys(lost: Mapping[str, str]) -> str:
    """Say of each algorithm why the model that is named counts as none.

    >>> whys({"xgboost": "it is no more", "linear-learner": "it lacks a file"})
    'xgboost: it is no more; linear-learner: it lacks a file'
    """
    return "; ".join(f"{algorithm}: {reason}" for algorithm, reason in lost.items())


def unusable(found: Found, role: str | None = None) -> str | None:
    """Say why a model cannot be used; None where it can.

    Parameters
    ----------
    found : Found
        What there is of it.
    role : str, optional
        The role of the deployment's jobs, where a job shall use the model. A model of another role is one of
        a deployment that is gone, and its role with it: jobs in its name could not begin.

    >>> unusable(Found("tg-cars-xgboost-0123456789ab"))
    'the model tg-cars-xgboost-0123456789ab, which Parameter Store names, is no more'
    """
    opening = f"the model {found.name}, which Parameter Store names,"
    if not found.is_ours:
        return f"{opening} is none that a training run made"
    if not found.described:
        return f"{opening} is no more"
    if found.absent:
        return f"{opening} lacks {found.absent[0]}"
    if role is not None and found.role != role:
        return f"{opening} has the role {found.role or 'of nobody'}, which is not this deployment's"
    return None
