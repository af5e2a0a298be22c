"""The whole of preprocessing: from a dropped file to the channels, recipes and held-out rows of a run."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tidegate.core.spec import ModelSpec
from tidegate.table.raw import write_raw, write_rows, write_truth
from tidegate.table.read import read_drop
from tidegate.table.recipe import fit_recipe, write_channel
from tidegate.table.split import split

SCALED = {"xgboost": False, "linear-learner": True}


def prepare(
    path: Path,
    spec: ModelSpec,
    out: Path,
    name: str,
    *,
    bundle: Callable[[dict[str, Any]], bytes],
    scale: Mapping[str, bool] = SCALED,
) -> dict[str, Any]:
    """Read, check, split and encode a drop for every algorithm of a model.

    Writes under `out`: ``test/rows.jsonl``, ``test/truth.csv``, ``train_raw.csv`` and, for each algorithm,
    ``<algorithm>/recipe.json``, ``recipe.tar.gz``, ``train/part-0.csv`` and ``validation/part-0.csv`` (or
    ``.libsvm``, where the recipe says so).

    Parameters
    ----------
    path : Path
        The dropped file.
    spec : ModelSpec
        The model it was dropped for.
    out : Path
        A folder; made if absent.
    name : str
        What people call the file.
    bundle : callable
        Makes the archive that serves a recipe: `tidegate.serving.bundle.make_bundle`.
    scale : mapping of str to bool
        Which algorithms want scaled numbers; one that is not named does not.

    Returns
    -------
    dict
        ``rows``, ``train``, ``validation``, ``test``, ``columns``; ``outputs`` and ``content_types`` by
        algorithm.

    Raises
    ------
    BadDrop
        For a file that cannot be used.
    """
    table = read_drop(path, spec, name)
    rows = table.rows
    parts = split(table, spec.split)
    del table  # its columns are copied into the parts
    write_rows(parts["test"], spec, out / "test" / "rows.jsonl")
    write_truth(parts["test"], out / "test" / "truth.csv")
    write_raw(parts["train"], spec, out / "train_raw.csv")
    outputs, content_types = {}, {}
    for algorithm in spec.algorithms:
        recipe = fit_recipe(parts["train"], spec, algorithm, scale.get(algorithm, False))
        folder = out / algorithm
        content_types[algorithm] = recipe.get("content_type", "text/csv")
        ending = content_types[algorithm].removeprefix("text/")
        for part in ("train", "validation"):
            write_channel(parts[part], recipe, folder / part / f"part-0.{ending}")
        (folder / "recipe.json").write_text(json.dumps(recipe, ensure_ascii=False, indent=1), "utf-8")
        (folder / "recipe.tar.gz").write_bytes(bundle(recipe))
        outputs[algorithm] = len(recipe["outputs"])
    counts = {part: got.rows for part, got in parts.items()}
    return {
        "rows": rows,
        **counts,
        "columns": len(spec.features),
        "outputs": outputs,
        "content_types": content_types,
    }
