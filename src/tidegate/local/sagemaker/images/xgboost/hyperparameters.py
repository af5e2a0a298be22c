"""What a training job of the XGBoost image was asked to do: its hyperparameters, settled for the library.

What the library no longer knows is accepted, as the image does, and left out with a line in the log.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tidegate.core.hyperparameters import BadHyperparameter
from tidegate.core.xgboost_hyperparameters import read_hyperparameters
from tidegate.core.xgboost_ranges import METRICS
from tidegate.local.sagemaker.images.container import ContainerError

METRICS_TO_MAXIMIZE = frozenset(METRICS[: METRICS.index("recall_micro") + 1])

# Known to the image and gone from the library since 1.x; they never changed what a model predicts by much.
_WITHOUT_EFFECT = frozenset(
    {"predictor", "dsplit", "sketch_eps", "deterministic_histogram", "prob_buffer_row"}
)


@dataclass
class Settings:
    """What a training job was asked to do; `library` goes to XGBoost as it is."""

    num_round: int
    library: dict[str, Any]
    early_stopping_rounds: int | None = None
    csv_weights: bool = False
    eval_metrics: tuple[str, ...] = ()
    warnings: list[str] = field(default_factory=list)


def read_settings(given: Mapping[str, str]) -> Settings:
    """Check the hyperparameters of a job and turn them into typed settings.

    Raises
    ------
    ContainerError
        With one sentence that names the hyperparameter, as it will stand in the job's FailureReason.
    """
    try:
        return _settle(read_hyperparameters(given))
    except BadHyperparameter as error:
        raise ContainerError(str(error)) from error


def _settle(values: dict[str, Any]) -> Settings:
    settings = Settings(
        num_round=values.pop("num_round"),
        early_stopping_rounds=values.pop("early_stopping_rounds", None),
        csv_weights=values.pop("csv_weights", 0) == 1,
        eval_metrics=_metrics_to_print(values),
        library=values,
    )
    values.pop("save_model_on_termination", None)  # a job that is stopped always leaves its model here
    if values.pop("use_dask_gpu_training", "false") == "true":
        settings.warnings.append("use_dask_gpu_training: one process here does the work of all GPUs.")
    for name in sorted(_WITHOUT_EFFECT & set(values)):
        del values[name]
        settings.warnings.append(f"Hyperparameter {name} has no effect in today's XGBoost and is left out.")
    if values.get("tree_method") == "gpu_hist":
        values.update(tree_method="hist", device="cuda")  # its name in the library since 2.0
    if values.get("objective") == "reg:linear":
        values["objective"] = "reg:squarederror"
    if "updater" in values:
        values["updater"] = ",".join(values["updater"])
    return settings


def _metrics_to_print(values: dict[str, Any]) -> tuple[str, ...]:
    asked = values.pop("eval_metric", ())
    tuned = values.pop("_tuning_objective_metric", ())
    # With a tuner the image sorts the union, so that every host prints the same order.
    return tuple(sorted({*asked, *tuned})) if tuned else tuple(asked)
