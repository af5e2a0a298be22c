"""``image train``: read the settings and channels, fit, print the metrics, save the model."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from tidegate.local.sagemaker.images.container import ClientError, ml_root, read_config

from . import log
from .artifact import LinearModel, sigmoid
from .binary import best_cut
from .dataset import Dataset, read_channel
from .fit import SEED, Trainer
from .hyperparameters import Hyperparameters, read_hyperparameters
from .losses import Loss, make_loss
from .metrics import final_metrics
from .scaling import fit_scaling

Floats = npt.NDArray[np.float64]
_SCORE_ROWS = 8192

_IDLE_WHEN_AUTO = frozenset(
    {
        "beta_1",
        "beta_2",
        "bias_lr_mult",
        "init_bias",
        "init_method",
        "init_scale",
        "init_sigma",
        "lr_scheduler_factor",
        "lr_scheduler_minimum_lr",
        "lr_scheduler_step",
        "momentum",
        "use_lr_scheduler",
    }
)
"""Settings of the documented optimizers: our own one for ``auto`` has no use for them."""


class StopRequest:
    """True once the platform asks to stop (SIGTERM): the loop then ends and the best model is saved."""

    def __init__(self) -> None:
        self._asked = False
        signal.signal(signal.SIGTERM, self._note)

    def _note(self, *_: object) -> None:
        self._asked = True

    def __call__(self) -> bool:
        return self._asked


def train(should_stop: Callable[[], bool]) -> None:
    """Run one training job in the container's folders; ``should_stop`` ends it early, keeping its best model.

    Raises
    ------
    ClientError
        With one sentence on the setting or the data at fault.
    """
    settings = read_hyperparameters(read_config("hyperparameters"))
    _tell_what_is_different(settings)
    channels = _read_channels()
    data = channels["train"]
    predictor = settings.text("predictor_type")
    regression = predictor == "regressor"
    classes = settings.whole("num_classes") if predictor == "multiclass_classifier" else 1
    if not settings.auto("feature_dim") and settings.whole("feature_dim") != data.features:
        raise ClientError(
            f"Hyperparameter feature_dim: it is {settings.whole('feature_dim')}, but the rows of channel "
            f"train have {data.features} features. Leave it to auto, or check that the label comes first."
        )
    for name, channel in channels.items():
        _check_labels(name, channel.y, predictor, classes)
    scaling = fit_scaling(data, settings, regression, SEED)
    for channel in channels.values():
        scaling.apply(channel)
        if not settings.flag("use_bias"):
            channel.x[:, 0] = 0
    loss = make_loss(settings)
    trainer = Trainer(settings, loss, classes, scaling.label_scale, scaling.normal_label, should_stop)
    validation = channels.get("validation")
    fit = trainer.fit(data, validation, _row_weights(data.y, settings, classes))

    weights, bias = scaling.raw_weights(fit.weights)
    threshold, probability = 0.5, settings.text("loss") != "hinge_loss"
    scores = {
        name: _margins(channel, fit.weights, scaling.label_scale, scaling.label_shift)
        for name, channel in channels.items()
    }
    if predictor == "binary_classifier":
        held = "validation" if validation else "train"
        rows = trainer.calibration_rows(channels[held])
        threshold = _threshold(scores[held][:rows, 0], channels[held].y[:rows], settings, probability)
    about = {"optimizer": fit.optimizer, "epoch": fit.epoch, **vars(fit.candidate)}
    model = LinearModel(predictor, weights, bias, threshold, probability, about)
    for name in ("train", "validation", "test"):
        if name in channels:
            _report(name, model, scores[name], channels[name].y, loss, settings, scaling.label_scale)
    log.log(f"Best model found for hyperparameters: {json.dumps(about)}")
    model.save(ml_root() / "model")
    log.log(f"Saved the model to {ml_root() / 'model'}.")


def _read_channels() -> dict[str, Dataset]:
    config = read_config("inputdataconfig")
    unknown = sorted(set(config) - {"train", "validation", "test"})
    if unknown:
        raise ClientError(f"Linear Learner has no channel {unknown[0]!r}: use train, validation and test.")
    kinds: dict[str, str | None] = {}
    for name in ("train", "validation", "test"):
        entry: dict[str, Any] = config.get(name) or {}
        if entry.get("TrainingInputMode") == "Pipe":
            raise ClientError(f"Channel {name} is in Pipe mode, which the local image lacks: use File.")
        kinds[name] = entry.get("ContentType")
    data = read_channel("train", kinds["train"])
    if data is None:
        raise ClientError("The job has no channel named train: Linear Learner cannot do without it.")
    channels = {"train": data}
    for name in ("validation", "test"):
        other = read_channel(name, kinds[name], data.origin)
        if other is None:
            log.log(f"{name.capitalize()} data is not provided.")
        else:
            channels[name] = other
    return channels


def _tell_what_is_different(settings: Hyperparameters) -> None:
    """Log what was given and cannot work here."""
    whitened = settings.text("optimizer") == "auto" and settings.auto("learning_rate")
    given = ", ".join(sorted(_IDLE_WHEN_AUTO & settings.given))
    if whitened and given:
        log.log(f"Known, but of no effect while optimizer and learning_rate are auto: {given}.", "WARNING")
    if settings.values["positive_example_weight_mult"] == "auto":
        log.log("positive_example_weight_mult: auto balances the two classes here.")
    hosts = read_config("resourceconfig").get("hosts") or []
    if len(hosts) > 1:
        log.log(f"The job asks for {len(hosts)} hosts; locally one trains on all the data.", "WARNING")


def _check_labels(channel: str, y: Floats, predictor: str, classes: int) -> None:
    if predictor == "regressor":
        return
    highest = 1 if predictor == "binary_classifier" else classes - 1
    wrong = y[(y != np.floor(y)) | (y < 0) | (y > highest)]
    if len(wrong):
        raise ClientError(
            f"Channel {channel} has the label {wrong[0]:g}; a {predictor} needs whole numbers from 0 to "
            f"{highest}" + (" (num_classes - 1)." if classes > 1 else ".")
        )
    if channel == "train" and len(np.unique(y)) < 2:
        raise ClientError(
            f"Every row of channel train has the label {y[0]:g}: there is nothing to tell apart."
        )


def _row_weights(y: Floats, settings: Hyperparameters, classes: int) -> Floats:
    """Return each training row's weight; their mean is 1."""
    weights = np.ones(len(y))
    if settings.text("predictor_type") == "binary_classifier":
        asked = settings.values["positive_example_weight_mult"]
        positives = float((y == 1).sum())
        # A word is balanced or auto; how the built-in algorithm makes its auto choice is not documented.
        ratio = (len(y) - positives) / positives if isinstance(asked, str) else float(asked or 1)
        weights[y == 1] = ratio
    elif classes > 1 and settings.flag("balance_multiclass_weights"):
        counts = np.bincount(y.astype(np.int64), minlength=classes)
        weights = 1 / counts[y.astype(np.int64)]
    normal: Floats = weights / weights.mean()
    return normal


def _margins(data: Dataset, weights: Floats, label_scale: float, label_shift: float) -> Floats:
    """Return raw scores of a normalized channel, in blocks to bound memory."""
    starts = range(0, data.rows, _SCORE_ROWS)
    parts = [data.x[at : at + _SCORE_ROWS].astype(np.float64) @ weights for at in starts]
    scores: Floats = np.concatenate(parts) * label_scale + label_shift
    return scores


def _threshold(margins: Floats, y: Floats, settings: Hyperparameters, probability: bool) -> float:
    if settings.text("binary_classifier_model_selection_criteria") == "loss_function":
        return 0.5 if probability else 0.0
    _, cut = best_cut(margins[:, None], y, settings)
    return float(sigmoid(cut)[0] if probability else cut[0])


def _report(
    channel: str,
    model: LinearModel,
    margins: Floats,
    y: Floats,
    loss: Loss,
    settings: Hyperparameters,
    label_scale: float,
) -> None:
    # A classifier's label_scale is 1; only a regression label was ever divided.
    normal = (margins / label_scale)[:, :, None] if margins.shape[1] > 1 else margins / label_scale
    losses, _ = loss.evaluate(normal, y[:, None] / label_scale)
    log.final_metric(channel, loss.objective, "loss", float(losses.mean()) * label_scale**loss.degree)
    for name, kind, value in final_metrics(channel, model, model.scores_of(margins), y, settings):
        log.final_metric(channel, name, kind, value)
