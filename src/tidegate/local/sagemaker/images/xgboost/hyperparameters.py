"""The hyperparameters of the XGBoost image: which exist, of what type and in which range.

AWS sends every value as a string. The names, ranges and dependencies are those of the image's public source;
what the library no longer knows is accepted, as the image does, and left out with a line in the log.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tidegate.local.sagemaker.images.container import ContainerError
from tidegate.local.sagemaker.images.registry import XGBOOST_METRICS
from tidegate.local.sagemaker.images.xgboost.ranges import (
    CHOICES,
    FLOATS,
    GROWING_UPDATERS,
    INTEGERS,
    LINEAR_UPDATERS,
    TREE_UPDATERS,
    Interval,
)

METRICS_TO_MAXIMIZE = frozenset(XGBOOST_METRICS[: XGBOOST_METRICS.index("recall_micro") + 1])

_ALIASES = {
    "learning_rate": "eta",
    "min_split_loss": "gamma",
    "reg_lambda": "lambda",
    "reg_alpha": "alpha",
}
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
    values: dict[str, Any] = {}
    for name, text in given.items():
        name = _ALIASES.get(name, name)
        values[name] = _parse(name, str(text))
    if "num_round" not in values:
        raise ContainerError("Missing required hyperparameter: num_round")
    _check_together(values)
    return _settle(values)


def _parse(name: str, text: str) -> Any:
    if name in INTEGERS:
        return _number(name, text, int, "a whole number", INTEGERS[name])
    if name in FLOATS:
        return _number(name, text, float, "a number", FLOATS[name])
    if name in CHOICES:
        if text not in CHOICES[name]:
            raise _wrong(name, f"{text} is not one of {', '.join(CHOICES[name])}")
        return text
    other = _OTHERS.get(name)
    if other is None:
        raise ContainerError(f"Extraneous hyperparameter found: {name}")
    return other(name, text)


def _number(name: str, text: str, convert: Callable[[str], Any], kind: str, allowed: Interval) -> Any:
    try:
        value = convert(text)
    except ValueError:
        raise _wrong(name, f"could not parse value {text!r}, which should be {kind}") from None
    if value not in allowed:
        raise _wrong(name, f"{text} is not in {allowed}")
    return value


def _wrong(name: str, what: str) -> ContainerError:
    return ContainerError(f"Hyperparameter {name}: {what}.")


def _eval_metrics(name: str, text: str) -> tuple[str, ...]:
    metrics = tuple(part.strip() for part in text.split(","))
    for metric in metrics:
        base, at, threshold = metric.partition("@")
        if at:
            if base not in ("error", "ndcg", "map"):
                raise _wrong(name, f"{metric}: only error, ndcg and map take a threshold after '@'")
            try:
                float(threshold.removesuffix("-"))  # "ndcg@5-" counts lists without relevant rows as 0
            except ValueError:
                raise _wrong(name, f"{metric}: what follows '@' must be a number") from None
        elif metric not in XGBOOST_METRICS:
            raise _wrong(name, f"{metric!r} is not one of {', '.join(XGBOOST_METRICS)}")
    return metrics


def _updaters(name: str, text: str) -> tuple[str, ...]:
    updaters = tuple(part.strip() for part in text.split(","))
    for updater in updaters:
        if updater not in TREE_UPDATERS + LINEAR_UPDATERS:
            raise _wrong(name, f"{updater!r} is not one of {', '.join(TREE_UPDATERS + LINEAR_UPDATERS)}")
    return updaters


def _monotone(name: str, text: str) -> str:
    signs = _literal(name, text, (tuple, list), "such as (1, 0, -1)")
    if any(sign not in (-1, 0, 1) for sign in signs):
        raise _wrong(name, f"{text} may hold -1, 0 and 1 only")
    return f"({','.join(str(sign) for sign in signs)})"


def _interactions(name: str, text: str) -> str:
    groups = _literal(name, text, (list,), "such as [[0, 1], [2, 3]]")
    for group in groups:
        if not isinstance(group, list) or any(not isinstance(i, int) or i < 0 for i in group):
            raise _wrong(name, f"{text} must be lists of column numbers, such as [[0, 1], [2, 3]]")
    return str(groups)


def _literal(name: str, text: str, types: tuple[type, ...], example: str) -> Any:
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError):
        value = None
    if not isinstance(value, types):
        raise _wrong(name, f"could not parse value {text!r}; write it {example}")
    return value


def _device(name: str, text: str) -> str:
    base, colon, ordinal = text.partition(":")
    if base not in ("cpu", "cuda", "gpu") or (colon and not ordinal.isdigit()):
        raise _wrong(name, f"{text} is not one of cpu, cuda, cuda:<number>, gpu")
    return text


_OTHERS: dict[str, Callable[[str, str], Any]] = {
    "eval_metric": _eval_metrics,
    "updater": _updaters,
    "monotone_constraints": _monotone,
    "interaction_constraints": _interactions,
    "device": _device,
    # The tuner's own: "validation:rmse" and the like.
    "_tuning_objective_metric": lambda name, text: _eval_metrics(name, text.partition(":")[2] or text),
}


def _check_together(values: Mapping[str, Any]) -> None:
    objective = values.get("objective")
    if objective in ("multi:softmax", "multi:softprob") and "num_class" not in values:
        raise _wrong("objective", f"{objective} needs the hyperparameter num_class as well")
    metrics = values.get("eval_metric", ())
    if "auc" in metrics and not str(objective).startswith(("binary:", "rank:")):
        raise _wrong("eval_metric", "auc is for the objectives binary:* and rank:* only")
    if "aft-nloglik" in metrics and objective != "survival:aft":
        raise _wrong("eval_metric", "aft-nloglik is for the objective survival:aft only")
    method = values.get("tree_method")
    if "monotone_constraints" in values and method not in ("exact", "hist"):
        raise _wrong("monotone_constraints", "it works only with tree_method exact or hist")
    if "interaction_constraints" in values and method not in ("exact", "hist", "approx"):
        raise _wrong("interaction_constraints", "it works only with tree_method exact, hist or approx")
    if "updater" in values:
        _check_updaters(values["updater"], values)


def _check_updaters(updaters: tuple[str, ...], values: Mapping[str, Any]) -> None:
    if values.get("booster") == "gblinear":
        if len(updaters) != 1 or updaters[0] not in LINEAR_UPDATERS:
            raise _wrong("updater", f"booster gblinear takes one of {', '.join(LINEAR_UPDATERS)}")
    elif values.get("process_type") == "update":
        if not set(updaters) <= {"refresh", "prune"}:
            raise _wrong("updater", "process_type update takes refresh and prune only")
    elif set(updaters) & set(LINEAR_UPDATERS):
        raise _wrong("updater", f"{', '.join(LINEAR_UPDATERS)} are for booster gblinear only")
    elif len(GROWING_UPDATERS & set(updaters)) > 1:
        raise _wrong("updater", f"choose one of {', '.join(sorted(GROWING_UPDATERS))}")


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
        values.update(tree_method="hist", device=values.get("device", "cuda"))
    if "device" in values:
        settings.warnings.append(
            "Hyperparameter device is not in the public source of AWS's XGBoost image (up to 3.2-0), which "
            "refuses what it does not know; on its 1.x images a GPU is chosen with tree_method=gpu_hist."
        )
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
