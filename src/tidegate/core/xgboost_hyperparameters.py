"""The hyperparameters of AWS's XGBoost image (3.0-5): which exist, of what type, and in which range.

AWS sends every value as a string. The names, ranges and dependencies are those of the image's public source;
what it does not name it refuses, so that a job would fail minutes after its file was dropped.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from typing import Any

from tidegate.core.hyperparameters import BadHyperparameter
from tidegate.core.xgboost_ranges import (
    CHOICES,
    FLOATS,
    GROWING_UPDATERS,
    INTEGERS,
    LINEAR_UPDATERS,
    METRICS,
    TREE_UPDATERS,
    Interval,
)

_ALIASES = {
    "learning_rate": "eta",
    "min_split_loss": "gamma",
    "reg_lambda": "lambda",
    "reg_alpha": "alpha",
}


def read_hyperparameters(given: Mapping[str, str]) -> dict[str, Any]:
    """Read what a job is given as typed values, under the names that the library knows.

    Raises
    ------
    BadHyperparameter
        For the first one that the image refuses.

    Examples
    --------
    >>> read_hyperparameters({"num_round": "100", "learning_rate": "0.1"})
    {'num_round': 100, 'eta': 0.1}
    """
    values: dict[str, Any] = {}
    for name, text in given.items():
        name = _ALIASES.get(name, name)
        values[name] = _parse(name, str(text))
    if "num_round" not in values:
        raise BadHyperparameter("num_round", "Missing required hyperparameter: num_round")
    _check_together(values)
    return values


def known_hyperparameters() -> set[str]:
    """Name all that the image takes."""
    return {*INTEGERS, *FLOATS, *CHOICES, *_OTHERS, *_ALIASES} - {"_tuning_objective_metric"}


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
        raise BadHyperparameter(name, f"Extraneous hyperparameter found: {name}")
    return other(name, text)


def _number(name: str, text: str, convert: Callable[[str], Any], kind: str, allowed: Interval) -> Any:
    try:
        value = convert(text)
    except ValueError:
        raise _wrong(name, f"could not parse value {text!r}, which should be {kind}") from None
    if value not in allowed:
        raise _wrong(name, f"{text} is not in {allowed}")
    return value


def _wrong(name: str, what: str) -> BadHyperparameter:
    return BadHyperparameter(name, f"Hyperparameter {name}: {what}.")


def _eval_metrics(name: str, text: str) -> tuple[str, ...]:
    metrics = tuple(text.split(","))  # with its blanks, which the image does not take off either
    for metric in metrics:
        base, at, threshold = (part.strip() for part in metric.partition("@"))
        if at:
            if base not in ("error", "ndcg", "map"):
                raise _wrong(name, f"{metric}: only error, ndcg and map take a threshold after '@'")
            try:
                float(threshold)
            except ValueError:
                raise _wrong(name, f"{metric}: what follows '@' must be a number") from None
        elif metric not in METRICS:
            raise _wrong(name, f"{metric!r} is not one of {', '.join(METRICS)}")
    return metrics


def _tuned_metric(name: str, text: str) -> tuple[str, ...]:
    channel, _, metric = text.partition(":")
    if channel != "validation":
        raise _wrong(name, f"{text} is not one of the image's metrics, such as validation:rmse")
    return _eval_metrics(name, metric)


def _updaters(name: str, text: str) -> tuple[str, ...]:
    updaters = tuple(text.split(","))
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
    groups = _literal(name, text, (list,), "such as [[1, 2], [3, 4]]")
    for group in groups:
        if not isinstance(group, list) or any(not isinstance(i, int) or i < 1 for i in group):
            raise _wrong(name, f"{text} must be lists of column numbers from 1 on, such as [[1, 2], [3, 4]]")
    return str(groups)


def _literal(name: str, text: str, types: tuple[type, ...], example: str) -> Any:
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError):
        value = None
    if not isinstance(value, types):
        raise _wrong(name, f"could not parse value {text!r}; write it {example}")
    return value


_OTHERS: dict[str, Callable[[str, str], Any]] = {
    "eval_metric": _eval_metrics,
    "updater": _updaters,
    "monotone_constraints": _monotone,
    "interaction_constraints": _interactions,
    # The tuner's own: "validation:rmse" and the like.
    "_tuning_objective_metric": _tuned_metric,
}


def _check_together(values: Mapping[str, Any]) -> None:
    objective = values.get("objective")
    if objective in ("multi:softmax", "multi:softprob") and "num_class" not in values:
        raise _wrong("objective", f"{objective} needs the hyperparameter num_class as well")
    metrics = values.get("eval_metric", ())
    if metrics and objective is None:
        raise _wrong("eval_metric", "the image takes it only beside an objective")
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
