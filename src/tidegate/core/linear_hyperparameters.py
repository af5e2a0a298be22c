"""Every documented hyperparameter of Linear Learner: its name, type, range and default.

AWS sends every value as a string. `read_hyperparameters` turns them into native ones or says which is wrong
and why: at `tidegate apply`, and in the local image when a job begins, as AWS's does.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from tidegate.core.hyperparameters import BadHyperparameter

Value = int | float | bool | str

AUTO = "auto"
"""The documented word for a value that the algorithm chooses itself."""


@dataclass(frozen=True)
class Parameter:
    """The rule of one hyperparameter.

    ``low`` and ``high`` are inclusive unless ``open_low`` / ``open_high`` say otherwise; ``words`` are the
    strings that are values on their own (``auto``, ``balanced``, the names of a choice).
    """

    kind: Literal["integer", "number", "flag", "choice"]
    default: Value | None
    low: float = -math.inf
    high: float = math.inf
    open_low: bool = False
    open_high: bool = False
    words: tuple[str, ...] = ()

    def describe(self) -> str:
        """Say in words what is accepted."""
        parts = [repr(word) for word in self.words]
        if self.kind == "flag":
            parts += ["true", "false"]
        elif self.kind != "choice":
            noun = "a whole number" if self.kind == "integer" else "a number"
            if self.low > -math.inf:
                noun += f" {'above' if self.open_low else 'of at least'} {self.low:g}"
            if self.high < math.inf:
                joint = " and" if self.low > -math.inf else ""
                noun += f"{joint} {'below' if self.open_high else 'of at most'} {self.high:g}"
            parts.append(noun)
        return parts[0] if len(parts) == 1 else ", ".join(parts[:-1]) + " or " + parts[-1]


def _positive(default: Value | None, *words: str) -> Parameter:
    return Parameter("number", default, low=0, open_low=True, words=words)


def _not_negative(default: Value | None, *words: str) -> Parameter:
    return Parameter("number", default, low=0, words=words)


def _count(default: Value | None, *words: str) -> Parameter:
    return Parameter("integer", default, low=1, words=words)


def _share(default: Value | None, *words: str) -> Parameter:
    return Parameter("number", default, low=0, high=1, words=words)


def _decay(default: Value | None, *words: str) -> Parameter:
    """A share that would stop the optimizer dead (or never let it forget) if it were exactly 1."""
    return Parameter("number", default, low=0, high=1, open_high=True, words=words)


def _flag(default: Value | None, *words: str) -> Parameter:
    return Parameter("flag", default, words=words)


def _choice(default: Value | None, *words: str) -> Parameter:
    return Parameter("choice", default, words=words)


LOSSES: dict[str, tuple[str, ...]] = {
    "regressor": (
        "squared_loss",
        "absolute_loss",
        "eps_insensitive_squared_loss",
        "eps_insensitive_absolute_loss",
        "quantile_loss",
        "huber_loss",
    ),
    "binary_classifier": ("logistic", "hinge_loss"),
    "multiclass_classifier": ("softmax_loss",),
}
"""The losses of each predictor type; the first is what ``auto`` means."""

CRITERIA = ("accuracy", "f_beta", "precision_at_target_recall", "recall_at_target_precision", "loss_function")

PARAMETERS: dict[str, Parameter] = {
    "predictor_type": _choice(None, *LOSSES),
    "num_classes": Parameter("integer", None, low=3, high=1_000_000),
    "accuracy_top_k": _count(3),
    "balance_multiclass_weights": _flag(False),
    "beta_1": _decay(AUTO, AUTO),
    "beta_2": _decay(AUTO, AUTO),
    "bias_lr_mult": _positive(AUTO, AUTO),
    "bias_wd_mult": _not_negative(AUTO, AUTO),
    "binary_classifier_model_selection_criteria": _choice("accuracy", *CRITERIA),
    "early_stopping_patience": _count(3),
    "early_stopping_tolerance": _positive(0.001),
    "epochs": _count(15),
    "f_beta": _positive(1.0),
    "feature_dim": _count(AUTO, AUTO),
    "huber_delta": _positive(1.0),
    "init_bias": Parameter("number", 0.0),
    "init_method": _choice("uniform", "uniform", "normal"),
    "init_scale": _positive(0.07),
    "init_sigma": _positive(0.01),
    "l1": _not_negative(AUTO, AUTO),
    "learning_rate": _positive(AUTO, AUTO),
    "loss": _choice(AUTO, AUTO, *(loss for losses in LOSSES.values() for loss in losses)),
    "loss_insensitivity": _positive(0.01),
    "lr_scheduler_factor": Parameter("number", AUTO, low=0, high=1, open_low=True, words=(AUTO,)),
    "lr_scheduler_minimum_lr": _positive(AUTO, AUTO),
    "lr_scheduler_step": _count(AUTO, AUTO),
    "margin": _positive(1.0),
    "mini_batch_size": _count(1000),
    "momentum": _decay(AUTO, AUTO),
    "normalize_data": _flag(True, AUTO),
    "normalize_label": _flag(AUTO, AUTO),
    "num_calibration_samples": _count(AUTO, AUTO),
    "num_models": _count(AUTO, AUTO),
    "num_point_for_scaler": _count(10_000),
    "optimizer": _choice(AUTO, AUTO, "sgd", "adam", "rmsprop"),
    "positive_example_weight_mult": _positive(1.0, "balanced", AUTO),
    "quantile": Parameter("number", 0.5, low=0, high=1, open_low=True, open_high=True),
    "target_precision": _share(0.8),
    "target_recall": _share(0.8),
    "unbias_data": _flag(AUTO, AUTO),
    "unbias_label": _flag(AUTO, AUTO),
    "use_bias": _flag(True, AUTO),
    "use_lr_scheduler": _flag(True),
    "wd": _not_negative(AUTO, AUTO),
}
"""The documented hyperparameters; a default of ``None`` means that there is none."""

TUNING_OBJECTIVE = "_tuning_objective_metric"
INTERNAL = frozenset(
    {
        TUNING_OBJECTIVE,
        "_enable_profiler",
        "_ftp_port",
        "_kvstore",
        "_log_level",
        "_num_gpus",
        "_num_kv_servers",
    }
)
"""Names that the service or its SDK adds on its own: accepted; only the tuning one changes anything."""


@dataclass(frozen=True)
class Hyperparameters:
    """Checked values of one job.

    Attributes
    ----------
    values
        Every documented name with its native value, defaults filled in.
    given
        The names that the user set (others hold their default).
    tuned
        Whether a tuning job started this one; it then trains one model, as documented.
    """

    values: Mapping[str, Value | None]
    given: frozenset[str]
    tuned: bool = False

    def text(self, name: str) -> str:
        """Return a choice (or the word ``auto``)."""
        return str(self.values[name])

    def whole(self, name: str) -> int:
        """Return a whole number; asked only of what has a value, given or by default."""
        return int(self.values[name])  # type: ignore[arg-type]

    def number(self, name: str) -> float:
        """Return a number; asked only of what has a value, given or by default."""
        return float(self.values[name])  # type: ignore[arg-type]

    def auto(self, name: str) -> bool:
        """Tell whether the value is left to the algorithm."""
        return self.values[name] == AUTO

    def flag(self, name: str, auto: bool = True) -> bool:
        """Return a yes or no; ``auto`` is what the word ``auto`` stands for here."""
        return auto if self.auto(name) else bool(self.values[name])

    def number_or(self, name: str, auto: float) -> float:
        """Return a number; ``auto`` is what the word ``auto`` stands for here."""
        return auto if self.auto(name) else self.number(name)


def read_hyperparameters(raw: Mapping[str, object]) -> Hyperparameters:
    """Check the strings of ``hyperparameters.json``.

    Raises
    ------
    BadHyperparameter
        For the first that is wrong, with one sentence that names it, its value and what is accepted.
    """
    values: dict[str, Value | None] = {name: rule.default for name, rule in PARAMETERS.items()}
    for name, text in raw.items():
        if name in INTERNAL:
            continue
        if name not in PARAMETERS:
            raise BadHyperparameter(
                name,
                f"Unknown hyperparameter {name!r}: Linear Learner has none of that name. "
                f"Check the spelling; the names are {', '.join(sorted(PARAMETERS))}.",
            )
        values[name] = _parse(name, str(text).strip())
    _check_together(values, raw)
    return Hyperparameters(values, frozenset(raw) - INTERNAL, TUNING_OBJECTIVE in raw)


def _parse(name: str, text: str) -> Value:
    rule = PARAMETERS[name]
    if text in rule.words:
        return text
    wrong = BadHyperparameter(
        name, f"Hyperparameter {name}: {text!r} is not accepted; give {rule.describe()}."
    )
    if rule.kind == "choice":
        raise wrong
    if rule.kind == "flag":
        if text.lower() in ("true", "1"):
            return True
        if text.lower() in ("false", "0"):
            return False
        raise wrong
    try:
        value: int | float = int(text) if rule.kind == "integer" else float(text)
    except ValueError:
        raise wrong from None
    if not math.isfinite(value) or value < rule.low or value > rule.high:
        raise wrong
    if (rule.open_low and value == rule.low) or (rule.open_high and value == rule.high):
        raise wrong
    return value


def _check_together(values: dict[str, Value | None], raw: Mapping[str, object]) -> None:
    predictor = values["predictor_type"]
    if predictor is None:
        raise BadHyperparameter(
            "predictor_type",
            "Hyperparameter predictor_type is required: give regressor, binary_classifier or "
            "multiclass_classifier.",
        )
    if predictor == "multiclass_classifier" and values["num_classes"] is None:
        raise BadHyperparameter(
            "num_classes", "Hyperparameter num_classes is required for a multiclass_classifier: 3 or more."
        )
    allowed = LOSSES[str(predictor)]
    if values["loss"] == AUTO:
        values["loss"] = allowed[0]
    elif values["loss"] not in allowed:
        raise BadHyperparameter(
            "loss",
            f"Hyperparameter loss: {raw['loss']!r} does not fit predictor_type {predictor}; "
            f"give auto, {', '.join(allowed)}.",
        )
