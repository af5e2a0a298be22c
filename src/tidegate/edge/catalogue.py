"""What is declared and what serves it, read from S3 and Parameter Store and kept for a few seconds."""

from __future__ import annotations

import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import Any

from tidegate.api.model import GONE, MOST_RECORDS, Model, Served
from tidegate.core import names
from tidegate.core.errors import NotThere
from tidegate.core.payload import most_rows
from tidegate.core.spec import ModelSpec
from tidegate.edge.hosting import describe
from tidegate.edge.storage import client, read_json
from tidegate.serving.apply import Recipe

KEPT_SECONDS = 20.0
# For who asks what a model is, or is about to be refused: so that many such requests are few look-ups.
LATELY_SECONDS = 1.0
MOST_KEPT = 256


class Catalogue:
    """The models of a stack.

    Parameters
    ----------
    artifacts : str
        The artifacts bucket.
    root : str
        The first folder of the stack's names in Parameter Store.
    prefix : str
        The stack's prefix of SageMaker's names.
    """

    def __init__(self, artifacts: str, root: str, prefix: str) -> None:
        self._artifacts, self._root, self._prefix = artifacts, root, prefix
        self._kept: dict[str, tuple[float, Model]] = {}
        self._pool = ThreadPoolExecutor(4)

    def model(self, name: str, *, seconds: float = KEPT_SECONDS) -> Model | None:
        """Find a model, None where nobody declared it.

        A model that is served is kept; one that is not is looked up each time, so that it answers as soon as
        it is deployed.

        Parameters
        ----------
        seconds : float
            How old what is known of it may be.
        """
        kept = self._kept.get(name)
        if kept is not None and time.monotonic() - kept[0] < seconds:
            return kept[1]
        begun = time.monotonic()
        model = self._read(name)
        if model is not None and model.served:
            if len(self._kept) >= MOST_KEPT:
                self._kept.clear()
            self._kept[name] = (begun, model)
        return model

    def models(self) -> list[Model]:
        """List every declared model, by name."""
        pages = client("s3").get_paginator("list_objects_v2")
        folders = [
            each["Prefix"].rstrip("/")
            for page in pages.paginate(Bucket=self._artifacts, Delimiter="/")
            for each in page.get("CommonPrefixes", [])
        ]
        # A pool of its own: each look-up waits for the other one, whose workers must not be waiting too.
        with ThreadPoolExecutor(4) as pool:
            found = pool.map(lambda name: self.model(name, seconds=LATELY_SECONDS), folders)
            return [model for model in found if model is not None]

    def status(self, endpoint: str) -> str:
        """Give an endpoint's status, ``Missing`` where there is none."""
        description = describe(endpoint)
        return str(description["EndpointStatus"]) if description else GONE

    def coming(self, model: Model) -> bool:
        """Tell whether an endpoint of a model that nothing serves yet is on its way."""
        name = model.spec.name
        endpoints = [names.endpoint_name(self._prefix, name, each) for each in model.absent]
        return "Creating" in self._pool.map(self.status, endpoints)

    def metrics(self, served: Served, model: str) -> Mapping[str, Any]:
        """Read how a served version did on the held-out rows of its run."""
        key = names.evaluation_key(model, served.run, served.algorithm)
        evaluation = read_json(f"s3://{self._artifacts}/{key}") or {}
        return {
            name: measure["value"]
            for name, measure in (evaluation.get("candidate") or {}).items()
            if isinstance(measure, dict) and "value" in measure
        }

    def _read(self, name: str) -> Model | None:
        parameters = self._pool.submit(self._parameters, name)
        document = read_json(f"s3://{self._artifacts}/{names.spec_key(name)}")
        found = parameters.result()
        if document is None:
            return None
        spec = ModelSpec.from_dict(document["spec"])
        there = [each for each in spec.algorithms if {"endpoint", "model"} <= found.get(each, {}).keys()]
        looked = dict(
            zip(there, self._pool.map(lambda one: self._served(name, one, found[one]), there), strict=True)
        )
        return Model(
            spec,
            tuple(each for each in looked.values() if isinstance(each, Served)),
            {algorithm: str(each) for algorithm, each in looked.items() if isinstance(each, NotThere)},
        )

    def _parameters(self, model: str) -> dict[str, dict[str, str]]:
        root = f"/{self._root}/{model}"
        found: dict[str, dict[str, str]] = {}
        pages = client("ssm").get_paginator("get_parameters_by_path")
        for page in pages.paginate(Path=root, Recursive=True):
            for each in page["Parameters"]:
                algorithm, _, what = each["Name"].removeprefix(f"{root}/").partition("/")
                found.setdefault(algorithm, {})[what] = each["Value"]
        return found

    def _served(self, model: str, algorithm: str, named: Mapping[str, str]) -> Served | NotThere:
        """Read what a version reads; a name that points at nothing is the trouble of one algorithm alone."""
        try:
            run = names.champion_run(named["model"])
            spec = _run_spec(self._artifacts, model, run)
            recipe, levels, most = _recipe(
                self._artifacts, model, run, algorithm, serverless=spec.serving.serverless is not None
            )
        except ValueError:
            return NotThere("the version that is named is none that a training run made")
        except NotThere as gone:
            return gone
        features = {name: feature.type for name, feature in spec.features.items()}
        missing = {name: words for name, words in spec.missing.items() if name in features}
        endpoint, version = named["endpoint"], named["model"]
        return Served(algorithm, endpoint, version, run, features, recipe, missing, levels, most)


# What a run wrote does not change, so it is read once.
@lru_cache(MOST_KEPT)
def _run_spec(artifacts: str, model: str, run: str) -> ModelSpec:
    document = read_json(f"s3://{artifacts}/{names.run_spec_key(model, run)}")
    if document is None:
        raise NotThere(f"the run {run}, which made the version that is named, is no more")
    return ModelSpec.from_dict(document["spec"])


@lru_cache(MOST_KEPT)
def _recipe(
    artifacts: str, model: str, run: str, algorithm: str, *, serverless: bool
) -> tuple[Recipe | None, dict[str, frozenset[str]], int]:
    """Read the recipe where it is applied here, which values it knows of each field, how many rows fit."""
    recipe: Any = read_json(f"s3://{artifacts}/{names.recipe_key(model, run, algorithm)}")
    if serverless and recipe is None:
        raise NotThere(f"the recipe of the run {run}, which made the version that is named, is no more")
    columns = recipe["columns"] if recipe else []
    levels = {each["name"]: frozenset(each["levels"]) for each in columns if "levels" in each}
    most = most_rows(recipe, algorithm) if recipe else MOST_RECORDS
    return Recipe(recipe) if serverless else None, levels, most
