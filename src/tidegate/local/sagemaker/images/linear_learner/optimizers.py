"""How the weights of all candidates move after a mini-batch: sgd, adam, rmsprop, and ``Whitened`` for auto.

Weights and gradients are matrices (1 + features, columns) with the bias in row 0; a candidate owns one
column, or one per class. Rates, ``wd`` and ``l1`` are per column.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from .hyperparameters import Hyperparameters

Matrix = npt.NDArray[Any]
_BLOCK_ROWS = 8192


class Optimizer(Protocol):
    """Moves weights in place. ``averages`` tells whether the mean of an epoch's steps is its result."""

    averages: bool

    def step(self, weights: Matrix, gradient: Matrix, share: float) -> None:
        """Apply the mean gradient of a batch; ``share`` is the batch's size over the full batch's."""
        ...


@dataclass(frozen=True)
class Penalty:
    """Regularization per column, and how the bias differs."""

    wd: Matrix
    l1: Matrix
    bias_wd_mult: float
    bias_lr_mult: float


class Schedule:
    """The learning rate over time: times ``factor`` every ``every`` steps, never under ``floor``."""

    def __init__(self, settings: Hyperparameters, rates: Matrix, total_steps: int) -> None:
        self._on = settings.flag("use_lr_scheduler")
        self._rates = rates
        every = settings.number_or("lr_scheduler_step", max(1, total_steps // 100))
        # auto: a hundred times smaller at the end than at the beginning.
        self._factor = settings.number_or("lr_scheduler_factor", 0.01 ** (every / max(1, total_steps)))
        self._every = int(every)
        self._floor = settings.number_or("lr_scheduler_minimum_lr", 1e-5)
        self._steps = 0

    def next(self) -> Matrix:
        """Return the rates of this step and move on."""
        rates = self._rates
        if self._on:
            faded: Matrix = rates * self._factor ** (self._steps // self._every)
            rates = np.maximum(faded, np.minimum(self._floor, rates))
        self._steps += 1
        return rates


class _FirstOrder(ABC):
    """What sgd, adam and rmsprop share: penalties, the schedule, and l1 as a soft threshold (exact zeros)."""

    averages = False

    def __init__(self, settings: Hyperparameters, schedule: Schedule, penalty: Penalty) -> None:
        self._settings, self._schedule, self._penalty = settings, schedule, penalty

    def step(self, weights: Matrix, gradient: Matrix, share: float) -> None:
        """See `Optimizer.step`."""
        penalty = self._penalty
        gradient = gradient + penalty.wd * weights
        gradient[0] += (penalty.bias_wd_mult - 1) * penalty.wd * weights[0]
        direction, pace = self.direction(gradient)
        rates = pace * self._schedule.next() * share
        rates[0] *= penalty.bias_lr_mult
        weights -= rates * direction
        if penalty.l1.any():
            threshold = rates[1:] * penalty.l1
            weights[1:] = np.sign(weights[1:]) * np.maximum(np.abs(weights[1:]) - threshold, 0)

    @abstractmethod
    def direction(self, gradient: Matrix) -> tuple[Matrix, Matrix]:
        """Return where to go and the pace of each coordinate."""


class Sgd(_FirstOrder):
    """Stochastic gradient descent with momentum (auto: none)."""

    def __init__(self, settings: Hyperparameters, schedule: Schedule, penalty: Penalty) -> None:
        super().__init__(settings, schedule, penalty)
        self._keep = settings.number_or("momentum", 0.0)
        self._velocity: Matrix | float = 0.0

    def direction(self, gradient: Matrix) -> tuple[Matrix, Matrix]:
        """See `_FirstOrder.direction`."""
        self._velocity = self._keep * self._velocity + gradient
        return self._velocity, np.ones_like(gradient)


class Adam(_FirstOrder):
    """Adam (Kingma and Ba, 2015); auto: beta_1 0.9, beta_2 0.999."""

    def __init__(self, settings: Hyperparameters, schedule: Schedule, penalty: Penalty) -> None:
        super().__init__(settings, schedule, penalty)
        self._beta_1 = settings.number_or("beta_1", 0.9)
        self._beta_2 = settings.number_or("beta_2", 0.999)
        self._first: Matrix | float = 0.0
        self._second: Matrix | float = 0.0
        self._steps = 0

    def direction(self, gradient: Matrix) -> tuple[Matrix, Matrix]:
        """See `_FirstOrder.direction`."""
        self._steps += 1
        self._first = self._beta_1 * self._first + (1 - self._beta_1) * gradient
        self._second = self._beta_2 * self._second + (1 - self._beta_2) * gradient**2
        spread = np.sqrt(self._second / (1 - self._beta_2**self._steps))
        return self._first / (1 - self._beta_1**self._steps), 1 / (spread + 1e-8)


class RmsProp(_FirstOrder):
    """RMSProp (Hinton, 2012) with a memory of 0.9, and momentum (auto: none)."""

    def __init__(self, settings: Hyperparameters, schedule: Schedule, penalty: Penalty) -> None:
        super().__init__(settings, schedule, penalty)
        self._keep = settings.number_or("momentum", 0.0)
        self._second: Matrix | float = 0.0
        self._velocity: Matrix | float = 0.0

    def direction(self, gradient: Matrix) -> tuple[Matrix, Matrix]:
        """See `_FirstOrder.direction`."""
        self._second = 0.9 * self._second + 0.1 * gradient**2
        self._velocity = self._keep * self._velocity + gradient
        return self._velocity, 1 / (np.sqrt(self._second) + 1e-8)


class Whitened:
    """Mini-batch descent in coordinates where the features are uncorrelated; our answer to ``auto``.

    With the documented defaults a thousand rows give fifteen updates, too few for adam to arrive. Here a step
    is the gradient times the inverse of ``M = X' diag(1 + h/B) X / n``: the curvature of the data plus the
    fourth-moment term of mean-square stability of mini-batch descent (Jain et al., 2018), in which ``h`` is
    each row's leverage and ``B`` the batch size. A rate of 1 is then stable even for one-hot columns so rare
    that most batches lack them, and the mean of an epoch's later steps is close to the exact minimum. Losses
    with corners have bounded slopes and do without the second term.
    """

    averages = True

    def __init__(
        self,
        x: npt.NDArray[np.float32],
        row_weights: Matrix,
        batch: int,
        curvature: float,
        rates: Matrix,
        penalty: Penalty,
    ) -> None:
        self._rates, self._penalty = rates, penalty
        # Steps shrink slowly where batches are only samples of the data; without curvature (absolute,
        # quantile, hinge) the gradient never fades by itself, so that they must shrink from the start.
        self._corner = curvature == 0
        self._steps_an_epoch = -(-len(x) // batch)
        self._steps = 0
        basis, spectrum = _spectrum(x, row_weights)
        if batch < len(x) and curvature:
            rest = (len(x) - batch) / (len(x) - 1)
            leverage = np.empty(len(x))
            root = (basis / np.sqrt(spectrum)).astype(np.float32)
            for at in range(0, len(x), _BLOCK_ROWS):
                leverage[at : at + _BLOCK_ROWS] = ((x[at : at + _BLOCK_ROWS] @ root) ** 2).sum(axis=1)
            basis, spectrum = _spectrum(x, row_weights * (1 + rest * row_weights * leverage / batch))
        self._basis = basis.astype(np.float32)
        scale = curvature or 1.0
        self._inverse = (1 / (scale * spectrum[:, None] + penalty.wd)).astype(np.float32)

    def step(self, weights: Matrix, gradient: Matrix, share: float) -> None:
        """See `Optimizer.step`."""
        penalty = self._penalty
        slope = gradient.copy()
        slope[1:] += penalty.wd * weights[1:] + penalty.l1 * np.sign(weights[1:])
        slope[0] += penalty.wd * penalty.bias_wd_mult * weights[0]
        fade = np.sqrt(1 + self._steps) if self._corner else 1 + self._steps // self._steps_an_epoch / 2
        if self._steps_an_epoch == 1 and not self._corner:
            fade = 1.0
        self._steps += 1
        weights -= self._rates * (share / fade) * (self._basis @ (self._inverse * (self._basis.T @ slope)))


def _spectrum(x: npt.NDArray[np.float32], row_weights: Matrix) -> tuple[Matrix, Matrix]:
    """Return eigenvectors and eigenvalues of the weighted mean of ``x x'``, without the empty directions."""
    width = x.shape[1]
    gram = np.zeros((width, width))
    # Narrow data: in 64 bits, for nearly collinear columns; wide data: in 32, for speed.
    kind = np.float64 if width <= 256 else np.float32
    for at in range(0, len(x), _BLOCK_ROWS):
        rows = x[at : at + _BLOCK_ROWS].astype(kind, copy=False)
        gram += (rows * row_weights[at : at + _BLOCK_ROWS, None].astype(kind)).T @ rows
    values, vectors = np.linalg.eigh(gram / len(x))
    kept = values > (1e-9 if kind is np.float64 else 1e-6) * values[-1]
    return vectors[:, kept], values[kept]
