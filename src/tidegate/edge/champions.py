"""Which models may score: the approved one of each algorithm, and the columns that it reads."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError

from tidegate.core import names
from tidegate.core.scoring import Champion
from tidegate.core.spec import ModelSpec
from tidegate.edge import parameters
from tidegate.edge.storage import client, read_json


def approved(spec: ModelSpec, root: str) -> list[Champion]:
    """Look up the approved model of each algorithm that has one, in the order of the model file.

    Parameters
    ----------
    spec : ModelSpec
        The model.
    root : str
        The first folder of the deployment's names in Parameter Store.
    """
    wanted = {names.parameter_name(root, spec.name, each, "model"): each for each in spec.algorithms}
    found = parameters.values(wanted)
    champions = []
    for name, algorithm in wanted.items():
        champion = read_champion(algorithm, found[name]) if name in found else None
        if champion is not None:
            champions.append(champion)
    return champions


def read_champion(algorithm: str, model: str) -> Champion | None:
    """Read off a model's recipe how it reads its columns; None where the model is no more."""
    recipe = _recipe(model)
    if recipe is None:
        return None
    columns = {column["name"]: column for column in recipe["columns"]}
    return Champion(
        algorithm,
        model,
        {name: columns[name]["type"] for name in recipe["inputs"]},
        {name: each["missing"] for name, each in columns.items() if "missing" in each},
        {name: each["levels"] for name, each in columns.items() if "levels" in each},
    )


def _recipe(model: str) -> dict[str, Any] | None:
    """Read the recipe of a model: it lies unpacked beside the archive that the first container loads."""
    try:
        described = client("sagemaker").describe_model(ModelName=model)
    except ClientError as error:
        if "Could not find" in str(error):  # deleted by hand: as good as none
            return None
        raise
    archive: str = described["Containers"][0]["ModelDataUrl"]
    recipe: dict[str, Any] | None = read_json(f"{archive.rsplit('/', 1)[0]}/recipe.json")
    return recipe
