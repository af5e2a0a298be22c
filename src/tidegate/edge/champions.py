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
        columns = columns_of_model(found[name]) if name in found else None
        if columns is not None:
            champions.append(Champion(algorithm, found[name], columns))
    return champions


def columns_of_model(model: str) -> dict[str, str] | None:
    """Read which columns a model's recipe reads, in order, each with its type; None where it is no more."""
    recipe = _recipe(model)
    if recipe is None:
        return None
    kinds = {column["name"]: column["type"] for column in recipe["columns"]}
    return {column: kinds[column] for column in recipe["inputs"]}


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
