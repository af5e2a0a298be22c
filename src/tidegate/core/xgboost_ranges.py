"""Which typed hyperparameters the XGBoost image has and their ranges, as in its public source."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Interval:
    """A range of numbers; an open end leaves its own bound out."""

    low: float = -math.inf
    high: float = math.inf
    low_open: bool = False
    high_open: bool = False

    def __contains__(self, value: float) -> bool:
        above = value > self.low if self.low_open else value >= self.low
        below = value < self.high if self.high_open else value <= self.high
        return above and below

    def __str__(self) -> str:
        low = "(-inf" if self.low == -math.inf else f"{'(' if self.low_open else '['}{self.low:g}"
        high = "+inf)" if self.high == math.inf else f"{self.high:g}{')' if self.high_open else ']'}"
        return f"{low}, {high}"


# The metrics that the XGBoost image documents (its own and the library's). AWS registers validation:*;
# train:* is what its describe answers also show.
METRICS = (
    "accuracy",
    "auc",
    "aucpr",
    "balanced_accuracy",
    "f1",
    "f1_binary",
    "f1_macro",
    "map",
    "ndcg",
    "precision",
    "r2",
    "recall",
    "precision_macro",
    "precision_micro",
    "recall_macro",
    "recall_micro",
    "aft-nloglik",
    "cox-nloglik",
    "error",
    "gamma-deviance",
    "gamma-nloglik",
    "interval-regression-accuracy",
    "logloss",
    "mae",
    "mape",
    "merror",
    "mlogloss",
    "mphe",
    "mse",
    "poisson-nloglik",
    "rmse",
    "rmsle",
    "tweedie-nloglik",
)

_UNIT = Interval(0, 1)
_SHARE = Interval(0, 1, low_open=True)
_POSITIVE = Interval(0)
_FLAG = Interval(0, 1)

INTEGERS = {
    "num_round": Interval(1),
    "csv_weights": _FLAG,
    "early_stopping_rounds": Interval(1),
    "verbosity": Interval(0, 3),
    "nthread": Interval(1),
    "max_depth": _POSITIVE,
    "refresh_leaf": _FLAG,
    "max_leaves": _POSITIVE,
    "max_bin": _POSITIVE,
    "one_drop": _FLAG,
    "num_class": Interval(2),
    "seed": Interval(-(2**31), 2**31 - 1, low_open=True, high_open=True),
    "num_parallel_tree": Interval(1),
    "prob_buffer_row": Interval(1, low_open=True),
}
FLOATS = {
    "eta": _UNIT,
    "gamma": _POSITIVE,
    "min_child_weight": _POSITIVE,
    "max_delta_step": _POSITIVE,
    "subsample": _SHARE,
    "colsample_bytree": _SHARE,
    "colsample_bylevel": _SHARE,
    "colsample_bynode": _SHARE,
    "lambda": _POSITIVE,
    "alpha": _POSITIVE,
    "sketch_eps": Interval(0, 1, low_open=True, high_open=True),
    "scale_pos_weight": Interval(0, low_open=True),
    "rate_drop": _UNIT,
    "skip_drop": _UNIT,
    "lambda_bias": _UNIT,
    "tweedie_variance_power": Interval(1, 2, low_open=True, high_open=True),
    "base_score": _POSITIVE,
    "aft_loss_distribution_scale": _POSITIVE,
}
_BOOLEAN = ("true", "false")
CHOICES: dict[str, tuple[str, ...]] = {
    "booster": ("gbtree", "gblinear", "dart"),
    "tree_method": ("auto", "exact", "approx", "hist", "gpu_hist"),
    "dsplit": ("row", "col"),
    "process_type": ("default", "update"),
    "grow_policy": ("depthwise", "lossguide"),
    "predictor": ("auto", "cpu_predictor", "gpu_predictor"),
    "sample_type": ("uniform", "weighted"),
    "normalize_type": ("tree", "forest"),
    "objective": (
        "binary:logistic",
        "binary:logitraw",
        "binary:hinge",
        "count:poisson",
        "multi:softmax",
        "multi:softprob",
        "rank:pairwise",
        "rank:ndcg",
        "rank:map",
        "reg:linear",
        "reg:squarederror",
        "reg:logistic",
        "reg:gamma",
        "reg:pseudohubererror",
        "reg:squaredlogerror",
        "reg:absoluteerror",
        "reg:tweedie",
        "survival:aft",
        "survival:cox",
    ),
    "save_model_on_termination": _BOOLEAN,
    "aft_loss_distribution": ("normal", "logistic", "extreme"),
    "deterministic_histogram": _BOOLEAN,
    "sampling_method": ("uniform", "gradient_based"),
    "use_dask_gpu_training": _BOOLEAN,
}
TREE_UPDATERS = (
    "grow_colmaker",
    "distcol",
    "grow_histmaker",
    "grow_skmaker",
    "sync",
    "refresh",
    "prune",
)
LINEAR_UPDATERS = ("shotgun", "coord_descent")
GROWING_UPDATERS = {"grow_colmaker", "distcol", "grow_histmaker"}
