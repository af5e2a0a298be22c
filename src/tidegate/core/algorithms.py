"""The algorithms that can fit a model, and what each of them needs to be told apart for.

Adding one means adding a row to `BUILT_IN` and an image to the template's map.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tidegate.core import checks
from tidegate.core.names import ALGORITHM_NAME_MAX

if TYPE_CHECKING:
    from tidegate.core.tuning import Tuning

# SageMaker's bound on MaxWaitTimeInSeconds of a managed spot training without checkpoints.
MOST_SPOT_SECONDS = 3600
GPU_FAMILIES = ("ml.p", "ml.g")


@dataclass(frozen=True)
class BuiltIn:
    """What differs from algorithm to algorithm.

    Attributes
    ----------
    scaled : bool
        Whether the recipe standardises numeric columns.
    accept : str
        The answer that batch transform asks of the model's container, one record a line.
    hyperparameters : dict
        What is set unless the model's file says otherwise.
    quality_metric : str
        The training metric, on the validation rows, that people look at first.
    environment : dict
        Variables of the model's container.
    sparse : str or None
        The content type in which the algorithm reads rows that are nearly all zeros, absent ones left out.
    most_bytes : int
        The largest body that its container takes. That of the built-in algorithms is 6 MiB, SageMaker's own
        default of a payload, unless the container says how to raise it.
    by_rows : callable
        What is set by the number of training rows that an instance gets, unless the model's file says so.
    checkpoints : bool
        Whether its training keeps checkpoints; for one that does not, SageMaker waits an hour at most for
        spot instances and their work together.
    """

    scaled: bool
    accept: str
    hyperparameters: Mapping[str, str]
    quality_metric: str
    environment: Mapping[str, str] = field(default_factory=dict)
    sparse: str | None = None
    most_bytes: int = 6 * 1024**2
    by_rows: Callable[[int], dict[str, str]] = lambda _rows: {}
    checkpoints: bool = False


# The most that batch transform sends, and as much as it may be after the recipe has made it longer.
_LARGEST_BODY = 100 * 1024**2

# Some thirty updates an epoch; batches of fewer rows cost more time than they save epochs.
_UPDATES, _LEAST_BATCH, _MOST_BATCH = 32, 32, 1000


def mini_batch(rows: int) -> dict[str, str]:
    """Choose Linear Learner's batch for so many training rows: it refuses fewer rows than one batch.

    Its own default is 1,000, whatever the number of rows: one update an epoch of a thousand rows.

    >>> mini_batch(20), mini_batch(1000), mini_batch(10_000), mini_batch(10**6)
    ({'mini_batch_size': '20'}, {'mini_batch_size': '32'}, {'mini_batch_size': '312'}, \
{'mini_batch_size': '1000'})
    """
    batch = min(_MOST_BATCH, max(_LEAST_BATCH, rows // _UPDATES), rows)
    return {"mini_batch_size": str(max(1, batch))}


BUILT_IN: dict[str, BuiltIn] = {
    "xgboost": BuiltIn(
        scaled=False,
        accept="text/csv",
        hyperparameters={"objective": "reg:squarederror", "num_round": "300", "eval_metric": "rmse"},
        quality_metric="validation:rmse",
        # Its server refuses bodies over 6 MiB by itself, and a recipe makes them longer.
        environment={"MAX_CONTENT_LENGTH": str(_LARGEST_BODY)},
        sparse="text/libsvm",
        most_bytes=_LARGEST_BODY,
        checkpoints=True,
    ),
    "linear-learner": BuiltIn(
        scaled=True,
        accept="application/jsonlines",
        hyperparameters={"predictor_type": "regressor"},
        quality_metric="validation:rmse",
        by_rows=mini_batch,
    ),
}


@dataclass(frozen=True)
class Algorithm:
    """How one algorithm of a model is trained."""

    hyperparameters: dict[str, str] = field(default_factory=dict)
    instance: str = "ml.m5.xlarge"
    count: int = 1
    spot: bool = False
    max_runtime_seconds: int = 3600
    tuning: Tuning | None = None


def read_algorithm(name: str, raw: object, path: tuple[str, ...]) -> Algorithm:
    """Check one entry under ``algorithms`` and complete it.

    Raises
    ------
    BadSpec
        For an algorithm that nobody serves, or a setting that cannot be.
    """
    if name not in BUILT_IN:
        known = checks.listed(BUILT_IN)
        checks.refuse(
            f"'{name}' is not an algorithm Tidegate knows ({known}){checks.nearest(name, BUILT_IN)}", path
        )
    assert len(name) <= ALGORITHM_NAME_MAX  # names.job_name counts on it
    entry = checks.mapping(raw if raw is not None else {}, path)
    checks.no_other_keys(entry, Algorithm.__dataclass_fields__, path)
    instance = checks.instance(entry.get("instance", "ml.m5.xlarge"), (*path, "instance"))
    count = checks.whole(entry.get("count", 1), 1, 20, (*path, "count"))
    if count > 1 and name == "xgboost" and has_gpu(instance):
        checks.refuse(
            f"XGBoost trains on several GPU instances by Dask alone, which Tidegate does not start; take one "
            f"{instance}, or {count} instances without a GPU",
            (*path, "count"),
        )
    spot = checks.flag(entry.get("spot", False), (*path, "spot"))
    runtime = checks.whole(
        entry.get("max_runtime_seconds", 3600), 60, 432_000, (*path, "max_runtime_seconds")
    )
    if spot and not BUILT_IN[name].checkpoints and runtime > MOST_SPOT_SECONDS:
        checks.refuse(
            f"{name} keeps no checkpoints, and without them a spot training may wait and train for "
            f"{MOST_SPOT_SECONDS} seconds at most; lower it, or take spot out",
            (*path, "max_runtime_seconds"),
        )
    return Algorithm(
        hyperparameters=_read_hyperparameters(name, entry, instance, path),
        instance=instance,
        count=count,
        spot=spot,
        max_runtime_seconds=runtime,
        tuning=_read_tuning(name, entry.get("tuning"), (*path, "tuning")),
    )


def _read_tuning(name: str, raw: object, path: tuple[str, ...]) -> Tuning | None:
    if raw is None:
        return None
    # Seldom asked for, and a cold function's imports count.
    from tidegate.core.tuning import read_tuning

    return read_tuning(raw, BUILT_IN[name].quality_metric, path)


def has_gpu(instance: str) -> bool:
    """Tell whether an instance type carries GPUs: SageMaker's P and G families do."""
    return instance.startswith(GPU_FAMILIES)


def _read_hyperparameters(
    name: str, entry: Mapping[str, Any], instance: str, path: tuple[str, ...]
) -> dict[str, str]:
    path = (*path, "hyperparameters")
    given = checks.mapping(entry.get("hyperparameters") or {}, path)
    chosen = dict(BUILT_IN[name].hyperparameters)
    if name == "xgboost" and has_gpu(instance):
        # The image 3.0-5 refuses the library's own `device`; this is its way to a GPU.
        chosen["tree_method"] = "gpu_hist"
    for key, value in given.items():
        chosen[checks.text(str(key), path)] = checks.scalar(value, (*path, str(key)))
    return chosen
