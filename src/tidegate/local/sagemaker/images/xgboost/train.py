"""A training job of the XGBoost image: hyperparameters and channels in, `xgboost-model` out."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from tidegate.local.sagemaker.images.container import ContainerError, ml_root, read_config
from tidegate.local.sagemaker.images.xgboost.callbacks import (
    Checkpoints,
    EndWhenStopped,
    MetricLines,
    StopRequest,
    latest_checkpoint,
)
from tidegate.local.sagemaker.images.xgboost.channels import load_channels, reason
from tidegate.local.sagemaker.images.xgboost.hyperparameters import (
    METRICS_TO_MAXIMIZE,
    Settings,
    read_settings,
)
from tidegate.local.sagemaker.images.xgboost.library import check_library, check_model, xgboost
from tidegate.local.sagemaker.images.xgboost.metrics import OWN_METRICS, evaluator
from tidegate.local.sagemaker.images.xgboost.readers import warn

MODEL_NAME = "xgboost-model"
_CELLS_PER_THREAD = 200_000  # where a second thread begins to pay, measured on two cores


def train() -> int:
    """Train one model as the files under `/opt/ml/input` say; the exit code is 0, also after a stop."""
    stop = StopRequest()
    check_library()
    settings = read_settings(read_config("hyperparameters"))
    for line in settings.warnings:
        warn(line)
    train_matrix, validation_matrix = load_channels(read_config("inputdataconfig"), settings.csv_weights)
    model = _boost(settings, train_matrix, validation_matrix, stop)
    _save(model, ml_root() / "model")
    if stop.came:
        print(
            f"[INFO] Stopped: the model of the {model.num_boosted_rounds()} rounds so far is saved.",
            flush=True,
        )
    return 0


def _boost(settings: Settings, train_matrix: Any, validation_matrix: Any | None, stop: StopRequest) -> Any:
    folder = ml_root() / "checkpoints"
    checkpoint, rounds_before = latest_checkpoint(folder)
    if checkpoint is not None:
        print(f"[INFO] Resuming from {checkpoint.name}, {rounds_before} rounds done.", flush=True)
        if rounds_before >= settings.num_round:
            return xgboost.Booster(model_file=_readable(checkpoint))
    callbacks: list[Any] = [MetricLines(rounds_before)]
    callbacks.append(Checkpoints(folder, rounds_before, stop) if folder.is_dir() else EndWhenStopped(stop))
    callbacks += _early_stopping(settings, validation_matrix is not None)
    watched = [(train_matrix, "train")]
    if validation_matrix is not None:
        watched.append((validation_matrix, "validation"))
    parameters = dict(settings.library)
    if parameters.get("device", "cpu") != "cpu" and not xgboost.build_info()["USE_CUDA"]:
        device = parameters.pop("device")
        warn(f"The XGBoost installed here has no GPU support: training on the CPU, not on {device}.")
    parameters.setdefault("nthread", _threads(train_matrix))
    of_library = [metric for metric in settings.eval_metrics if metric not in OWN_METRICS]
    if of_library:
        parameters["eval_metric"] = of_library
    stop.training = True
    try:
        return xgboost.train(
            parameters,
            train_matrix,
            num_boost_round=settings.num_round - rounds_before,
            evals=watched,
            custom_metric=evaluator(settings.eval_metrics, parameters.get("objective", "reg:squarederror")),
            callbacks=callbacks,
            xgb_model=None if checkpoint is None else _readable(checkpoint),
            verbose_eval=False,
        )
    except (xgboost.core.XGBoostError, ValueError) as error:
        raise ContainerError(f"XGBoost could not train on this data: {reason(error)}") from error


def _threads(matrix: Any) -> int:
    """As many threads as the data feeds: on small tables threads wait longer than they work."""
    cores = int(os.environ.get("OMP_NUM_THREADS") or os.cpu_count() or 1)
    return max(1, min(cores, int(matrix.num_row() * matrix.num_col()) // _CELLS_PER_THREAD))


def _early_stopping(settings: Settings, validated: bool) -> list[Any]:
    rounds = settings.early_stopping_rounds
    if rounds is None:
        return []
    if not validated or not settings.eval_metrics:
        lacking = "an eval_metric" if validated else "a validation channel"
        warn(f"early_stopping_rounds has no effect in this image without {lacking}.")
        return []
    metric = settings.eval_metrics[-1]
    return [
        xgboost.callback.EarlyStopping(
            rounds=rounds,
            data_name="validation",
            metric_name=metric,
            maximize=metric.partition("@")[0] in METRICS_TO_MAXIMIZE,
            save_best=True,
        )
    ]


def _readable(checkpoint: Path) -> bytearray:
    """The bytes of a checkpoint: the library tells a file's format by its name, which here has none."""
    content = checkpoint.read_bytes()
    check_model(checkpoint.name, content)
    return bytearray(content)


def _save(model: Any, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    # Under its final name the library would have to guess the format (and warn); .ubj names it.
    part = folder / f".{MODEL_NAME}.ubj"
    model.save_model(part)
    part.rename(folder / MODEL_NAME)
