"""What a tuning request must be for a job to begin, and the training jobs that its definitions make."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tidegate.local.sagemaker.context import Context
from tidegate.local.sagemaker.errors import ResourceNotFound, ValidationException
from tidegate.local.sagemaker.images.registry import ImageNotRegistered
from tidegate.local.sagemaker.jobs.lifecycle import TUNING
from tidegate.local.sagemaker.jobs.records import UNFINISHED
from tidegate.local.sagemaker.jobs.training import check_training_request, with_metrics
from tidegate.local.sagemaker.tuning.ranges import Choices, Range, read_ranges

Record = dict[str, Any]

_COPIED = (
    "RoleArn",
    "InputDataConfig",
    "OutputDataConfig",
    "VpcConfig",
    "StoppingCondition",
    "EnableNetworkIsolation",
    "EnableInterContainerTrafficEncryption",
    "EnableManagedSpotTraining",
    "CheckpointConfig",
    "Environment",
)
_NOT_SERVED = {"Hyperband": "Strategy Hyperband is not served here. Use Bayesian with early stopping."}


@dataclass(frozen=True)
class Definition:
    """One way to train: what it varies, what it keeps, what it is judged by."""

    name: str | None
    ranges: tuple[Range, ...]
    metric: str
    maximize: bool
    given: Record

    @property
    def image(self) -> str:
        """The image of the algorithm; empty when none is named."""
        return str(self.given["AlgorithmSpecification"].get("TrainingImage", ""))

    @property
    def static(self) -> Record:
        """The hyperparameters that all its jobs have; the algorithm is told what it is judged by."""
        return {**self.given.get("StaticHyperParameters", {}), "_tuning_objective_metric": self.metric}

    def training_request(self, job: str, values: Mapping[str, str]) -> Record:
        """Return the request of a training job with these hyperparameters."""
        given = self.given
        return {
            **{key: given[key] for key in _COPIED if key in given},
            "TrainingJobName": job,
            "AlgorithmSpecification": given["AlgorithmSpecification"],
            "HyperParameters": {**self.static, **values},
            **({"ResourceConfig": resources} if (resources := _resources(given)) else {}),
        }


def read_definitions(request: Record) -> list[Definition]:
    """Read the definition or definitions of a request, or refuse them with a sentence."""
    if ("TrainingJobDefinition" in request) == ("TrainingJobDefinitions" in request):
        raise ValidationException("Give either TrainingJobDefinition or TrainingJobDefinitions.")
    several = "TrainingJobDefinitions" in request
    given = request["TrainingJobDefinitions"] if several else [request["TrainingJobDefinition"]]
    names = [each.get("DefinitionName") for each in given]
    if several and (None in names or len(set(names)) < len(names)):
        raise ValidationException("Each of TrainingJobDefinitions needs a DefinitionName of its own.")
    definitions = [_read(each, request["HyperParameterTuningJobConfig"], several) for each in given]
    if len({each.maximize for each in definitions}) > 1:
        raise ValidationException("All of TrainingJobDefinitions must have the same type of TuningObjective.")
    return definitions


def written_out(ctx: Context, request: Record, definitions: list[Definition]) -> Record:
    """Return a request with what Describe adds; the SageMaker SDK's ``attach`` reads it."""
    whole = [
        {
            **each.given,
            "AlgorithmSpecification": with_metrics(ctx, each.given["AlgorithmSpecification"]),
            "StaticHyperParameters": each.static,
            "ResourceConfig": _resources(each.given),
        }
        for each in definitions
    ]
    if "TrainingJobDefinitions" in request:
        return {**request, "TrainingJobDefinitions": whole}
    return {**request, "TrainingJobDefinition": whole[0]}


def check(ctx: Context, request: Record, definitions: list[Definition]) -> None:
    """Refuse what AWS refuses and what cannot run here, each with a sentence."""
    config = request["HyperParameterTuningJobConfig"]
    if (refusal := _NOT_SERVED.get(config["Strategy"])) is not None:
        raise ValidationException(refusal)
    if "Autotune" in request:
        raise ValidationException("Autotune is not served here. Give the ranges yourself and leave it out.")
    convergence = config.get("TuningJobCompletionCriteria", {}).get("ConvergenceDetected", {})
    if convergence.get("CompleteOnConvergence") == "Enabled":
        raise ValidationException(
            "CompleteOnConvergence is not served here. Use BestObjectiveNotImproving instead."
        )
    most = job_count(config, definitions)
    if (parallel := config["ResourceLimits"]["MaxParallelTrainingJobs"]) > most:
        raise ValidationException(
            f"MaxParallelTrainingJobs is {parallel}, and there are {most} jobs in all. Lower it."
        )
    for definition in definitions:
        static = definition.given.get("StaticHyperParameters", {})
        for each in definition.ranges:
            if each.name in static:
                raise ValidationException(
                    f"The hyperparameter {each.name} is in StaticHyperParameters and has a range. Choose one."
                )
        check_training_request(definition.training_request("any", {}))
        _check_metric(ctx, definition)
    _check_parents(ctx, request, definitions)


def job_count(config: Record, definitions: list[Definition]) -> int:
    """Return how many training jobs there will be at most."""
    most: int | None = config["ResourceLimits"].get("MaxNumberOfTrainingJobs")
    if config["Strategy"] != "Grid":
        if most is None:
            raise ValidationException("ResourceLimits.MaxNumberOfTrainingJobs is missing.")
        return most
    if not all(isinstance(each, Choices) for definition in definitions for each in definition.ranges):
        raise ValidationException("Strategy Grid takes CategoricalParameterRanges only.")
    count = sum(
        math.prod(len(each.values) for each in definition.ranges if isinstance(each, Choices))
        for definition in definitions
    )
    if most not in (None, count):
        raise ValidationException(
            f"The grid has {count} combinations, and MaxNumberOfTrainingJobs is {most}. Leave it out."
        )
    return count


def parents_of(request: Record) -> list[str]:
    """Return the names of the tuning jobs that a request starts from."""
    parents = request.get("WarmStartConfig", {}).get("ParentHyperParameterTuningJobs", [])
    return [each.get("HyperParameterTuningJobName", "") for each in parents]


def _read(given: Record, config: Record, several: bool) -> Definition:
    objective = given.get("TuningObjective") or config.get("HyperParameterTuningJobObjective")
    if objective is None or (several and "TuningObjective" not in given):
        where = "each definition's TuningObjective" if several else "HyperParameterTuningJobObjective"
        raise ValidationException(f"It is not said what to tune for: give {where}.")
    ranges = read_ranges(given.get("HyperParameterRanges") or config.get("ParameterRanges") or {})
    return Definition(
        given.get("DefinitionName"), ranges, objective["MetricName"], objective["Type"] == "Maximize", given
    )


def _resources(given: Record) -> Record:
    if "ResourceConfig" in given:
        return dict(given["ResourceConfig"])
    chosen = given.get("HyperParameterTuningResourceConfig", {})
    # AWS goes through InstanceConfigs until one is to be had; here the first always is.
    first = (chosen.get("InstanceConfigs") or [chosen])[0]
    keys = ("InstanceType", "InstanceCount", "VolumeSizeInGB", "VolumeKmsKeyId")
    return {key: value for key in keys if (value := first.get(key, chosen.get(key))) is not None}


def _check_metric(ctx: Context, definition: Definition) -> None:
    algorithm = definition.given["AlgorithmSpecification"]
    try:
        known = {name for name, _ in ctx.images(definition.image).metric_definitions}
    except ImageNotRegistered:
        return  # its training jobs fail with the sentence that says how to register it
    known |= {each["Name"] for each in algorithm.get("MetricDefinitions", [])}
    if definition.metric not in known:
        raise ValidationException(
            f"The objective metric {definition.metric} is not defined for this algorithm. "
            f"Known: {', '.join(sorted(known)) or 'none'}. Add it to MetricDefinitions."
        )


def _check_parents(ctx: Context, request: Record, definitions: list[Definition]) -> None:
    identical = request.get("WarmStartConfig", {}).get("WarmStartType") == "IdenticalDataAndAlgorithm"
    for name in parents_of(request):
        parent = ctx.store.get(TUNING.kind, name)
        if parent is None:
            raise ResourceNotFound(f"Amazon SageMaker can't find a tuning job called {name}.")
        if parent[TUNING.status_key] in UNFINISHED:
            raise ValidationException(f"The parent tuning job {name} has not ended. Wait until it has.")
        theirs = read_definitions(parent)
        same = [(each.image, each.given.get("InputDataConfig")) for each in definitions] == [
            (each.image, each.given.get("InputDataConfig")) for each in theirs
        ]
        if identical and not same:
            raise ValidationException(
                f"The parent tuning job {name} has another image or other data. "
                "Use the WarmStartType TransferLearning."
            )
