"""What a training run will make: for each algorithm the names, places and settings it passes on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tidegate.core import names
from tidegate.core.algorithms import BUILT_IN, MOST_SPOT_SECONDS, Algorithm
from tidegate.core.endpoints import scaling, serverless_config
from tidegate.core.spec import ModelSpec
from tidegate.core.tuning import tuning_request

VOLUME_GB = 30


def plan_run(
    spec: ModelSpec,
    run: str,
    *,
    prefix: str,
    parameters: str,
    artifacts: str,
    prepared: Mapping[str, Any],
) -> list[dict[str, Any]]:
    """Lay out a run, one entry an algorithm, ready for the machine's Map.

    Parameters
    ----------
    spec : ModelSpec
        The model.
    run : str
        The run's id.
    prefix : str
        The deployment's prefix of every SageMaker name (at most three characters).
    parameters : str
        The first folder of the deployment's names in Parameter Store.
    artifacts : str
        The artifacts bucket.
    prepared : mapping
        What `prepare` wrote: ``train``, the number of training rows, ``content_types``, what the channels of
        each algorithm hold, and ``part_rows``, how many held-out rows a file has at most.

    Returns
    -------
    list of dict
        Plain JSON: the machine hands each entry to one iteration.
    """
    root = f"s3://{artifacts}/{names.run_prefix(spec.name, run)}"
    return [_plan_algorithm(spec, name, run, root, prefix, parameters, prepared) for name in spec.algorithms]


def _plan_algorithm(
    spec: ModelSpec,
    name: str,
    run: str,
    root: str,
    prefix: str,
    parameters: str,
    prepared: Mapping[str, Any],
) -> dict[str, Any]:
    algorithm = spec.algorithms[name]
    home = f"{root}/{name}"
    hyperparameters = _hyperparameters(name, algorithm, prepared["train"] // algorithm.count)
    checkpoints = algorithm.spot and BUILT_IN[name].checkpoints
    return {
        "model": spec.name,
        "run": run,
        "algorithm": name,
        "job": names.job_name(prefix, spec.name, name, run),
        "hyperparameters": hyperparameters,
        "tuning": None
        if algorithm.tuning is None
        else {
            "job": names.tuning_job_name(prefix, name, run),
            **tuning_request(algorithm.tuning, hyperparameters),
        },
        "resources": {
            "InstanceType": algorithm.instance,
            "InstanceCount": algorithm.count,
            "VolumeSizeInGB": VOLUME_GB,
        },
        "spot": algorithm.spot,
        "stopping": {
            "MaxRuntimeInSeconds": algorithm.max_runtime_seconds,
            # AWS wants this field with spot only.
            **({"MaxWaitTimeInSeconds": _most_wait(algorithm, checkpoints)} if algorithm.spot else {}),
        },
        "content_type": prepared["content_types"][name],
        # Each instance gets some of the files, of which there is one for each.
        "distribution": "ShardedByS3Key" if algorithm.count > 1 else "FullyReplicated",
        "train": f"{home}/train/",
        "validation": f"{home}/validation/",
        "output": f"{home}/model",
        "checkpoints": {"S3Uri": f"{home}/checkpoints"} if checkpoints else None,
        "recipe": f"{home}/recipe.tar.gz",
        "rows": f"{root}/test/rows/",
        "part_rows": prepared["part_rows"],
        "truth": f"{root}/test/truth.csv",
        "training_rows": f"{root}/train_raw.csv",
        "candidate": f"{home}/candidate",
        "champion": f"{home}/champion",
        "baseline": f"{home}/baseline",
        "accept": BUILT_IN[name].accept,
        "environment": dict(BUILT_IN[name].environment),
        "transform_instance": spec.scoring.instance,
        "gate": {
            "metric": spec.gate.metric,
            "at_most": spec.gate.at_most,
            "at_least": spec.gate.at_least,
            "against_champion": spec.gate.against_champion,
        },
        "endpoint": names.endpoint_name(prefix, spec.name, name),
        "instance": spec.serving.instance,
        "instances": spec.serving.instances["min"],
        "serverless": serverless_config(spec.serving),
        "scaling": scaling(spec.serving, names.endpoint_name(prefix, spec.name, name)),
        "capture_percent": spec.serving.capture_percent,
        "capture": f"{root.split('/runs/')[0]}/capture",
        "parameters": {
            what: names.parameter_name(parameters, spec.name, name, what)
            for what in ("candidate", "model", "endpoint", "config")
        },
    }


def _hyperparameters(name: str, algorithm: Algorithm, rows: int) -> dict[str, str]:
    """Complete what the model's file says by what depends on the rows that an instance gets."""
    tuned = algorithm.tuning.ranges if algorithm.tuning else {}
    by_rows = {key: value for key, value in BUILT_IN[name].by_rows(rows).items() if key not in tuned}
    return {**by_rows, **algorithm.hyperparameters}


def _most_wait(algorithm: Algorithm, checkpoints: bool) -> int:
    """Bound a spot training with its wait for an instance: twice the training, where SageMaker allows it."""
    wanted = 2 * algorithm.max_runtime_seconds
    return wanted if checkpoints else min(wanted, MOST_SPOT_SECONDS)
