"""The whole of preprocessing: from a dropped file to the channels, recipes and held-out rows of a run."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from tidegate.core.errors import BadDrop
from tidegate.core.payload import PART_ROWS, most_rows
from tidegate.core.sentences import say, told
from tidegate.core.spec import ModelSpec
from tidegate.table.columns import Indices
from tidegate.table.raw import write_raw, write_rows, write_truth
from tidegate.table.read import read_drop
from tidegate.table.recipe import fit_recipe, write_channel
from tidegate.table.split import shuffled, split

# The champion, whose recipe may make wider rows, scores the same files; see `look_up_champion`.
ROOM_FOR_THE_CHAMPION = 2
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

    Writes under `out`: ``test/rows/part-….jsonl``, ``test/truth.csv``, ``train_raw.csv`` and, for each one,
    ``<algorithm>/recipe.json``, ``recipe.tar.gz``, ``train/part-….csv``, one for each instance that trains,
    and ``validation/part-0.csv`` (or ``.libsvm``, where the recipe says so).

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
        algorithm; ``part_rows``, how many of the held-out rows a file has at most.

    Raises
    ------
    BadDrop
        For a file that cannot be used, or has fewer training rows than instances that share them.
    """
    table = read_drop(path, spec, name)
    rows = table.rows
    parts = split(table, spec.split)
    del table  # its columns are copied into the parts
    write_truth(parts["test"], out / "test" / "truth.csv")
    write_raw(parts["train"], spec, out / "train_raw.csv")
    outputs, content_types, fitting = {}, {}, [PART_ROWS]
    # Linear Learner goes through its rows as they lie there; a file is often sorted.
    orders = {part: shuffled(parts[part]) for part in ("train", "validation")}
    for algorithm in spec.algorithms:
        recipe = fit_recipe(parts["train"], spec, algorithm, scale.get(algorithm, False))
        folder = out / algorithm
        content_types[algorithm] = recipe.get("content_type", "text/csv")
        ending = content_types[algorithm].removeprefix("text/")
        shares = {"train": spec.algorithms[algorithm].count, "validation": 1}
        for part, count in shares.items():
            for number, rows_of_it in enumerate(_shared(orders[part], count, algorithm, name)):
                path = folder / part / f"part-{number}.{ending}"
                write_channel(parts[part], recipe, path, rows_of_it)
        (folder / "recipe.json").write_text(json.dumps(recipe, ensure_ascii=False, indent=1), "utf-8")
        (folder / "recipe.tar.gz").write_bytes(bundle(recipe))
        outputs[algorithm] = len(recipe["outputs"])
        fitting.append(most_rows(recipe, algorithm))
    part_rows = max(1, min(fitting) // ROOM_FOR_THE_CHAMPION)
    write_rows(parts["test"], spec, out / "test" / "rows", part_rows)
    counts = {part: got.rows for part, got in parts.items()}
    return {
        "rows": rows,
        **counts,
        "columns": len(spec.features),
        "outputs": outputs,
        "content_types": content_types,
        "part_rows": part_rows,
    }


def _shared(rows: Indices, count: int, algorithm: str, name: str) -> list[Indices]:
    """Deal rows out to so many files, one a training instance; as equally as can be."""
    if len(rows) < count:
        raise BadDrop(
            say(
                "{file}: {rows} rows train {algorithm}, fewer than the {count} instances that share them; "
                "add rows, or lower algorithms.{algorithm}.count in model.yaml",
                file=told(name),
                rows=len(rows),
                algorithm=told(algorithm),
                count=count,
            )
        )
    return [np.asarray(share) for share in np.array_split(rows, count)]
