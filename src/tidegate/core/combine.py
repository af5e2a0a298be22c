"""How the predictions of a model's algorithms become one: the rules of `serving.combine` in the model file.

Batch scoring, the API and the command line all combine here, so that a row gets the same answer everywhere.
"""

from __future__ import annotations

import importlib
import math
from collections.abc import Callable, Mapping
from functools import cache
from numbers import Real

from tidegate.core.errors import CombineFailed, RuleAbsent
from tidegate.core.sentences import of_the_data, say, told

RULES = ("max", "min", "mean", "median", "weighted")
OWN_RULE_PATTERN = r"^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*:[A-Za-z_][A-Za-z0-9_]*$"

OwnRule = Callable[[Mapping[str, float]], float]


def combine(rule: str, predictions: Mapping[str, float], weights: Mapping[str, float] | None = None) -> float:
    """Make one prediction of several.

    Parameters
    ----------
    rule : str
        One of `RULES`, or ``module:function`` for a function of your own, which gets the mapping and
        answers a number; its module has to be importable where this runs (in AWS: from a layer).
    predictions : mapping
        One prediction an algorithm; at least one. With ``serving.on_failure: others`` some may be absent.
    weights : mapping, optional
        ``serving.weights``, for ``weighted`` alone; only those of the algorithms that answered count.

    Raises
    ------
    CombineFailed
        When a rule of your own cannot be found, fails, or answers something that is no finite number.

    Examples
    --------
    >>> combine("max", {"xgboost": 9500.0, "linear-learner": 9900.0})
    9900.0
    >>> combine("weighted", {"xgboost": 9500.0, "other": 9900.0}, {"xgboost": 3, "other": 1})
    9600.0
    """
    values = list(predictions.values())
    if rule == "max":
        return max(values)
    if rule == "min":
        return min(values)
    if rule == "mean":
        return math.fsum(values) / len(values)
    if rule == "median":
        middle = sorted(values)[(len(values) - 1) // 2 : len(values) // 2 + 1]
        return math.fsum(middle) / len(middle)
    if rule == "weighted":
        shares = [(weights or {}).get(name, 1.0) for name in predictions]
        return math.fsum(w * v for w, v in zip(shares, values, strict=True)) / math.fsum(shares)
    return _own(rule, predictions)


@cache
def own_rule(rule: str) -> OwnRule:
    """Find the function that ``module:function`` names.

    Raises
    ------
    RuleAbsent
        When there is no such module or no such function in it.
    """
    module, _, name = rule.partition(":")
    try:
        found = getattr(importlib.import_module(module), name)
    except ImportError as error:
        raise RuleAbsent(
            say(
                "serving.combine is '{rule}', but '{module}' cannot be imported here ({error}); put it into "
                "the layer that the parameter CombineLayerArn names",
                rule=told(rule),
                module=told(module),
                error=told(error),
            )
        ) from error
    except AttributeError:
        raise RuleAbsent(
            say(
                "serving.combine is '{rule}', but '{module}' has no '{name}'",
                rule=told(rule),
                module=told(module),
                name=told(name),
            )
        ) from None
    if not callable(found):
        raise RuleAbsent(
            say(
                "serving.combine is '{rule}', but '{name}' is not a function",
                rule=told(rule),
                name=told(name),
            )
        )
    function: OwnRule = found
    return function


def _own(rule: str, predictions: Mapping[str, float]) -> float:
    function = own_rule(rule)
    try:
        answer = function(dict(predictions))
    except Exception as error:  # whatever a person's own code raises is theirs to read
        raise CombineFailed(
            say(
                "serving.combine: {rule} failed: {kind}: {error}",
                rule=told(rule),
                kind=told(type(error).__name__),
                error=of_the_data(error),
            )
        ) from error
    if isinstance(answer, bool) or not isinstance(answer, Real) or not math.isfinite(answer):
        raise CombineFailed(
            say(
                "serving.combine: {rule} answered {answer}; it must answer a finite number",
                rule=told(rule),
                answer=of_the_data(repr(answer)),
            )
        )
    return float(answer)
