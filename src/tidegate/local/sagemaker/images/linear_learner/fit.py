"""The training loop: mini-batches of the rows as they lie, all candidates at once, the best one wins."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tidegate.local.sagemaker.images.container import ClientError

from . import log
from .binary import best_cut
from .candidates import AMAZON_MODELS, Candidate, make_candidates
from .dataset import Dataset
from .hyperparameters import Hyperparameters
from .losses import Loss
from .optimizers import Adam, Optimizer, Penalty, RmsProp, Schedule, Sgd, Whitened

Matrix = npt.NDArray[Any]

SEED = 20_260_101
"""First weights are the same in every run: the same data give the same model."""

_WIDEST_WHITENED = 1500
"""Above so many features the eigenvectors cost more than they save; auto then means adam."""

_RATES = {
    "whitened exact": (1.0,),
    "whitened quadratic": (1.0, 0.5),
    "whitened smooth": (1.0, 2.0, 4.0),
    "whitened corner": (0.5, 1.5, 0.15),
    "adam": (0.03, 0.1, 0.01, 0.003),
    "rmsprop": (0.03, 0.1, 0.01, 0.003),
    "sgd": (0.03, 0.1, 0.01, 0.003),
}
_SCORE_ROWS = 8192


@dataclass(frozen=True)
class Fit:
    """The winner: normalized weights (bias first, one column a class), its settings, where it was found."""

    weights: npt.NDArray[np.float64]
    candidate: Candidate
    optimizer: str
    epoch: int


@dataclass(frozen=True)
class _Standing:
    """How the candidates do after an epoch: less is better, and ``loss`` breaks ties."""

    values: Matrix
    losses: Matrix

    def best(self) -> int:
        order = np.lexsort((np.nan_to_num(self.losses, nan=np.inf), np.nan_to_num(self.values, nan=np.inf)))
        return int(order[0])


class Trainer:
    """Trains the candidates of one job on normalized data."""

    def __init__(
        self,
        settings: Hyperparameters,
        loss: Loss,
        classes: int,
        label_scale: float,
        normal_label: Callable[[Matrix], Matrix],
        should_stop: Callable[[], bool],
    ) -> None:
        self._settings, self._loss, self._classes = settings, loss, classes
        self._unit = label_scale**loss.degree
        self._normal_label, self._should_stop = normal_label, should_stop
        self._random = np.random.default_rng(SEED)

    def fit(self, train: Dataset, validation: Dataset | None, row_weights: Matrix) -> Fit:
        """Return the best model that any candidate had after any epoch."""
        settings = self._settings
        epochs, patience = settings.whole("epochs"), settings.whole("early_stopping_patience")
        batch = self._batch_size(train.rows)
        method = self._method(train.features)
        candidates = self._candidates(method, batch == train.rows)
        optimizer, weights = self._start(train, row_weights, batch, method, candidates)
        held = validation or train
        held_weights = None if validation else row_weights
        best: Fit | None = None
        record, waited = np.inf, 0
        for epoch in range(epochs):
            weights, running = self._epoch(train, row_weights, batch, optimizer, weights)
            standing = self._judge(held, held_weights, weights)
            winner = standing.best()
            value = float(standing.values[winner])
            if not np.isfinite(value):
                if best is None:
                    raise ClientError(
                        "Training diverged: no candidate has a finite loss after the first epoch. Give a "
                        "smaller learning_rate, or leave normalize_data and learning_rate to the algorithm."
                    )
                break
            log.epoch_metric(epoch, "train", self._loss.objective, float(running[winner]))
            if validation:
                log.epoch_metric(epoch, "validation", self._loss.objective, float(standing.losses[winner]))
            log.log(
                f"#early_stopping_criteria_metric: host={log.HOST}, epoch={epoch}, "
                f"criteria={self._criterion()}, value={abs(value)!r}"
            )
            needed = settings.number("early_stopping_tolerance") * abs(record) if np.isfinite(record) else 0.0
            if value < record:
                log.log(f"Epoch {epoch}: Loss improved. Updating best model")
                best = Fit(self._columns(weights, winner), candidates[winner], method, epoch)
            waited = 0 if record - value > needed or not np.isfinite(record) else waited + 1
            record = min(record, value)
            log.progress(epoch + 1, epochs)
            if self._should_stop():
                log.log("Asked to stop: the best model so far is kept.")
                break
            if waited >= patience:
                log.log(f"No gain above the tolerance for {patience} epochs: training stops early.")
                break
        assert best is not None  # the first epoch either sets it or raises
        return best

    def _batch_size(self, rows: int) -> int:
        batch = self._settings.whole("mini_batch_size")
        if rows < batch:
            given = "" if "mini_batch_size" in self._settings.given else " (its default)"
            raise ClientError(
                f"No training data processed: channel train has {rows} rows, and mini_batch_size is {batch}"
                f"{given}, so that not one batch is full. Set mini_batch_size to {rows} or fewer."
            )
        return batch

    def _method(self, features: int) -> str:
        name = self._settings.text("optimizer")
        if name != "auto":
            return name
        if self._settings.auto("learning_rate") and features <= _WIDEST_WHITENED:
            return "whitened"
        return "adam"

    def _candidates(self, method: str, whole: bool) -> list[Candidate]:
        key = method
        if method == "whitened":
            kind = "quadratic" if self._loss.quadratic else "smooth" if self._loss.curvature else "corner"
            key = "whitened exact" if kind == "quadratic" and whole else f"whitened {kind}"
        candidates = make_candidates(self._settings, _RATES[key], self._classes)
        log.log(
            f"Training {len(candidates)} model(s) in parallel with the {method} optimizer"
            + (f" (auto; the built-in algorithm trains {AMAZON_MODELS})" * self._settings.auto("num_models"))
            + "."
        )
        return candidates

    def _start(
        self, train: Dataset, row_weights: Matrix, batch: int, method: str, candidates: list[Candidate]
    ) -> tuple[Optimizer, Matrix]:
        settings = self._settings
        rates, wd, l1 = (
            np.tile(np.asarray([getattr(one, name) for one in candidates], np.float32), self._classes)
            for name in ("learning_rate", "wd", "l1")
        )
        penalty = Penalty(
            wd, l1, settings.number_or("bias_wd_mult", 0.0), settings.number_or("bias_lr_mult", 1.0)
        )
        shape = (train.features + 1, len(rates))
        if method == "whitened":
            # From zero: what the data say nothing about then stays zero, instead of a random number.
            whitened = Whitened(train.x, row_weights, batch, self._loss.curvature, rates, penalty)
            return whitened, np.zeros(shape, np.float32)
        steps = settings.whole("epochs") * -(-train.rows // batch)
        makers: dict[str, type[Adam | Sgd | RmsProp]] = {"adam": Adam, "sgd": Sgd, "rmsprop": RmsProp}
        optimizer = makers[method](settings, Schedule(settings, rates, steps), penalty)
        if settings.text("init_method") == "normal":
            weights = self._random.normal(0.0, settings.number("init_sigma"), shape)
        else:
            reach = settings.number("init_scale")
            weights = self._random.uniform(-reach, reach, shape)
        weights[0] = settings.number("init_bias") if settings.flag("use_bias") else 0.0
        return optimizer, weights.astype(np.float32)

    def _epoch(
        self, train: Dataset, row_weights: Matrix, batch: int, optimizer: Optimizer, weights: Matrix
    ) -> tuple[Matrix, Matrix]:
        """Go once through the rows as they lie; return the weights and each candidate's running mean loss."""
        labels = self._normal_label(train.y).astype(np.float32)
        steps = range(0, train.rows, batch)
        total: Matrix = np.zeros(weights.shape[1] // self._classes)
        late: Matrix = np.zeros_like(weights)
        late_share = 0.0
        with np.errstate(over="ignore", invalid="ignore"):  # a candidate that diverges drops out by its loss
            for number, start in enumerate(steps):
                end = start + batch
                rows, importance = train.x[start:end], row_weights[start:end].astype(np.float32)
                losses, slopes = self._evaluate(rows @ weights, labels[start:end])
                total += (losses * importance[:, None]).sum(axis=0, dtype=np.float64)
                slopes *= importance.reshape(-1, *(1,) * (slopes.ndim - 1))
                gradient = rows.T @ slopes.reshape(len(rows), -1) / len(rows)
                share = len(rows) / batch
                optimizer.step(weights, gradient, share)
                if optimizer.averages and number >= len(steps) // 2:
                    late += share * weights
                    late_share += share
                if self._should_stop():
                    break
        if late_share:
            weights = (late / late_share).astype(np.float32)
        return weights, total / train.rows

    def _evaluate(self, scores: Matrix, labels: Matrix) -> tuple[Matrix, Matrix]:
        if self._classes > 1:
            scores = scores.reshape(len(scores), self._classes, -1)
        return self._loss.evaluate(scores, labels[:, None])

    def _judge(self, data: Dataset, row_weights: Matrix | None, weights: Matrix) -> _Standing:
        """Return every candidate's criterion on ``data``, with losses in label units."""
        total: Matrix = np.zeros(weights.shape[1] // self._classes)
        labels = self._normal_label(data.y).astype(np.float32)
        cut = self._settings.text("predictor_type") == "binary_classifier" and self._criterion() != "loss"
        kept: list[Matrix] = []
        with np.errstate(over="ignore", invalid="ignore"):
            for at in range(0, data.rows, _SCORE_ROWS):
                scores = data.x[at : at + _SCORE_ROWS] @ weights
                losses, _ = self._evaluate(scores, labels[at : at + _SCORE_ROWS])
                if row_weights is not None:
                    losses = losses * row_weights[at : at + _SCORE_ROWS, None]
                total += losses.sum(axis=0, dtype=np.float64)
                if cut and at < self.calibration_rows(data):
                    kept.append(scores)
        mean = total / data.rows * self._unit
        if not cut:
            return _Standing(mean, mean)
        sample = np.concatenate(kept)[: self.calibration_rows(data)]
        value, _ = best_cut(sample, data.y[: len(sample)], self._settings)
        return _Standing(np.where(np.isfinite(mean), -value, np.inf), mean)

    def calibration_rows(self, data: Dataset) -> int:
        """Return how many rows decide the threshold of a binary classifier (auto: all)."""
        return int(min(data.rows, self._settings.number_or("num_calibration_samples", data.rows)))

    def _criterion(self) -> str:
        if self._settings.text("predictor_type") == "binary_classifier":
            name = self._settings.text("binary_classifier_model_selection_criteria")
            return "loss" if name == "loss_function" else name
        return self._loss.objective

    def _columns(self, weights: Matrix, candidate: int) -> npt.NDArray[np.float64]:
        count = weights.shape[1] // self._classes
        return weights.reshape(len(weights), self._classes, count)[:, :, candidate].astype(np.float64)
