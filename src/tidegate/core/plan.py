"""What a training run will make: for each algorithm the names, places and settings it passes on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tidegate.core import names
from tidegate.core.algorithms import BUILT_IN
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
    content_types: Mapping[str, str],
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
    content_types : mapping of str to str
        What the channels of each algorithm hold, as `prepare` wrote them.

    Returns
    -------
    list of dict
        Plain JSON: the machine hands each entry to one iteration.
    """
    root = f"s3://{artifacts}/{names.run_prefix(spec.name, run)}"
    plans = [_plan_algorithm(spec, name, run, root, prefix, parameters) for name in spec.algorithms]
    return [{**plan, "content_type": content_types[plan["algorithm"]]} for plan in plans]


def _plan_algorithm(
    spec: ModelSpec, name: str, run: str, root: str, prefix: str, parameters: str
) -> dict[str, Any]:
    algorithm = spec.algorithms[name]
    home = f"{root}/{name}"
    return {
        "model": spec.name,
        "run": run,
        "algorithm": name,
        "job": names.job_name(prefix, spec.name, name, run),
        "hyperparameters": algorithm.hyperparameters,
        "tuning": None
        if algorithm.tuning is None
        else {
            "job": names.tuning_job_name(prefix, name, run),
            **tuning_request(algorithm.tuning, algorithm.hyperparameters),
        },
        "resources": {
            "InstanceType": algorithm.instance,
            "InstanceCount": algorithm.count,
            "VolumeSizeInGB": VOLUME_GB,
        },
        "spot": algorithm.spot,
        "stopping": {
            "MaxRuntimeInSeconds": algorithm.max_runtime_seconds,
            # As long again may be spent waiting for spot capacity; AWS wants this field with spot only.
            **({"MaxWaitTimeInSeconds": 2 * algorithm.max_runtime_seconds} if algorithm.spot else {}),
        },
        "train": f"{home}/train/",
        "validation": f"{home}/validation/",
        "output": f"{home}/model",
        "checkpoints": f"{home}/checkpoints",
        "recipe": f"{home}/recipe.tar.gz",
        "rows": f"{root}/test/rows.jsonl",
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
