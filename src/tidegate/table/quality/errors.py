"""What a regression's errors sum up to, as a state that adds."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from tidegate.table.columns import Floats
from tidegate.table.profile.moments import Moments


@dataclass(frozen=True)
class RegressionErrors:
    """Sums of absolute and squared errors, and the moments of the truth."""

    absolute: float
    squared: float
    truth: Moments

    @classmethod
    def of(cls, truth: Floats, predictions: Floats) -> RegressionErrors:
        """Sum up the errors of predictions."""
        errors = predictions - truth
        return cls(float(np.abs(errors).sum()), float((errors**2).sum()), Moments.of(truth))

    def __add__(self, other: RegressionErrors) -> RegressionErrors:
        """Sum up the errors of both."""
        return RegressionErrors(
            self.absolute + other.absolute, self.squared + other.squared, self.truth + other.truth
        )

    def metrics(self) -> dict[str, float]:
        """Give mae, mse, rmse and r2; r2 is NaN where the truth never varies."""
        mse = self.squared / self.truth.count
        return {
            "mae": self.absolute / self.truth.count,
            "mse": mse,
            "rmse": math.sqrt(mse),
            "r2": 1 - self.squared / self.truth.m2 if self.truth.m2 > 0 else math.nan,
        }
