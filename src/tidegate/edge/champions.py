"""Which models may score: the approved one of each algorithm, and the columns that it reads.

Parameter Store keeps a name, and a name may outlive what it names: a stack that was deleted and deployed
anew, a model that somebody removed, a role or a folder that is gone. Such a champion counts as none, and why
is said.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tidegate.core import names
from tidegate.core.champions import Found, unusable
from tidegate.core.payload import most_rows
from tidegate.core.scoring import Champion
from tidegate.core.spec import ModelSpec
from tidegate.edge import parameters
from tidegate.edge.sagemaker import if_there
from tidegate.edge.storage import client, is_there, read_json


@dataclass(frozen=True)
class Champions:
    """The approved models of a model's algorithms, in the order of the model file.

    Attributes
    ----------
    approved : list of Champion
        Those that there are.
    lost : dict of str to str
        By algorithm why the one that Parameter Store names counts as none.
    """

    approved: list[Champion] = field(default_factory=list)
    lost: dict[str, str] = field(default_factory=dict)


def approved(spec: ModelSpec, root: str, role: str | None = None) -> Champions:
    """Look up the approved model of each algorithm.

    Parameters
    ----------
    spec : ModelSpec
        The model.
    root : str
        The first folder of the deployment's names in Parameter Store.
    role : str, optional
        The role of the deployment's jobs, where the models are to be used by jobs. Without it it is enough
        that a model is known with what it reads: what it predicted can then be checked.
    """
    wanted = {names.parameter_name(root, spec.name, each, "model"): each for each in spec.algorithms}
    found = parameters.values(wanted)
    champions = Champions()
    for name, algorithm in wanted.items():
        if name not in found:
            continue
        model = look_at(found[name], files=role is not None)
        trouble = unusable(model, role)
        if trouble is None:
            champions.approved.append(_champion(algorithm, found[name], model.recipe or {}))
        else:
            champions.lost[algorithm] = trouble
    return champions


def read_champion(algorithm: str, model: str) -> Champion | None:
    """Read off a model's recipe how it reads its columns; None where the model is no more."""
    found = look_at(model)
    return _champion(algorithm, model, found.recipe) if found.recipe else None


def look_at(model: str, *, files: bool = False) -> Found:
    """Look at a model by its name: what SageMaker says of it, its recipe, and with `files` its artefacts."""
    described = if_there(client("sagemaker").describe_model, ModelName=model)
    if described is None:
        return Found(model)
    containers = described.get("Containers") or []
    if len(containers) != 2 or any("ModelDataUrl" not in each for each in containers):
        return Found(model, is_ours=False, described=True)
    artefacts = [str(each["ModelDataUrl"]) for each in containers]
    # The recipe lies unpacked beside the archive that the first container loads.
    place = f"{artefacts[0].rsplit('/', 1)[0]}/recipe.json"
    recipe: dict[str, Any] | None = read_json(place) if is_there(place) else None
    absent = [each for each in artefacts if not is_there(each)] if files else []
    return Found(
        model,
        role=described.get("ExecutionRoleArn"),
        absent=tuple(absent if recipe else [place, *absent]),
        recipe=recipe,
        described=True,
    )


def _champion(algorithm: str, model: str, recipe: Mapping[str, Any]) -> Champion:
    columns = {column["name"]: column for column in recipe["columns"]}
    return Champion(
        algorithm,
        model,
        {name: columns[name]["type"] for name in recipe["inputs"]},
        {name: each["missing"] for name, each in columns.items() if "missing" in each},
        {name: each["levels"] for name, each in columns.items() if "levels" in each},
        most_rows(recipe, algorithm),
    )
