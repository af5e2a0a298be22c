"""Which names in SageMaker belong to a model: told by how `core/names.py` makes them. No AWS calls."""

from __future__ import annotations

import re
from collections.abc import Iterable

from tidegate.core import names


def is_version_of(name: str, prefix: str, model: str, algorithms: Iterable[str]) -> bool:
    """Tell whether a SageMaker model or endpoint configuration was made by a run of a model.

    Parameters
    ----------
    name : str
        The model's or configuration's name.
    prefix : str
        The deployment's prefix.
    model : str
        The model, as people call it.
    algorithms : iterable of str
        The algorithms that it may have. They decide: ``tg-used-car-price-xgboost-…`` is none of ``used-car``.

    >>> is_version_of("tg-cars-xgboost-0123456789ab-1s", "tg", "cars", ["xgboost"])
    True
    >>> is_version_of("tg-cars-old-xgboost-0123456789ab", "tg", "cars", ["xgboost"])
    False
    """
    heads = [names.endpoint_name(prefix, model, algorithm) for algorithm in algorithms]
    run = rf"-[0-9a-f]{{{names.RUN_ID_LENGTH}}}(?:-[0-9A-Za-z])?s?"
    return any(re.fullmatch(re.escape(head) + run, name) for head in heads)
