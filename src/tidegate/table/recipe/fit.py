"""Fitting a recipe on the training rows: medians, levels, and means where the algorithm wants them scaled."""

from __future__ import annotations

from typing import Any

import numpy as np

from tidegate.core.algorithms import BUILT_IN
from tidegate.core.spec import ModelSpec
from tidegate.table.columns import Categories, Floats, Numbers, Table
from tidegate.table.recipe.dates import DATE_PARTS, date_parts

VERSION = 1
SPARSE_VERSION = 2  # one that says in which content type it is served; who knows only 1 must not read it
# A sparse entry takes about three times the text of a zero, and sparse rows train faster from far denser on.
_SPARSE_FROM = 4


def fit_recipe(table: Table, spec: ModelSpec, algorithm: str, scale: bool) -> dict[str, Any]:
    """Fit a recipe.

    Parameters
    ----------
    table : Table
        The training rows.
    spec : ModelSpec
        The model, for the columns' types and the most levels of each categorical.
    algorithm : str
        Whose recipe it is.
    scale : bool
        Whether numbers are brought to mean 0 and standard deviation 1.

    Returns
    -------
    dict
        The recipe, ready for JSON. Where three quarters of an encoded row or more are the zeros of levels,
        and the algorithm reads sparse rows, its ``content_type`` is the sparse one.
    """
    columns: list[dict[str, Any]] = []
    outputs: list[str] = []
    for name, feature in spec.features.items():
        column = table.columns[name]
        if isinstance(column, Categories):
            columns.append(_fit_category(name, column, feature.levels))
            outputs += [*(f"{name}={level}" for level in columns[-1]["levels"]), f"{name}=(other)"]
            if feature.missing:
                columns[-1]["missing"] = list(feature.missing)
            continue
        if feature.type == "date":
            columns.append(_fit_date(name, column, scale))
            outputs += [f"{name}.{part}" for part in DATE_PARTS]
        else:
            columns.append(_fit_number(name, feature.type, column, scale))
            outputs.append(name)
        if feature.missing:
            columns[-1]["missing"] = list(feature.missing)
        if columns[-1]["indicator"]:
            outputs.append(f"{name} is missing")
    sparse = BUILT_IN[algorithm].sparse if algorithm in BUILT_IN else None
    entries = len(outputs) - sum(len(column["levels"]) for column in columns if "levels" in column)
    is_sparse = sparse is not None and len(outputs) >= _SPARSE_FROM * entries
    return {
        "version": SPARSE_VERSION if is_sparse else VERSION,
        **({"content_type": sparse} if is_sparse else {}),
        "model": spec.name,
        "target": spec.target,
        "algorithm": algorithm,
        "inputs": list(spec.features),
        "columns": columns,
        "outputs": outputs,
    }


def _fit_category(name: str, column: Categories, most: int) -> dict[str, Any]:
    counts = np.bincount(column.codes[column.codes >= 0], minlength=len(column.levels)).tolist()
    seen = [(-count, level) for count, level in zip(counts, column.levels, strict=True) if count]
    return {
        "name": name,
        "type": "categorical",
        "levels": sorted(level for _, level in sorted(seen)[:most]),
    }


def _fit_number(name: str, kind: str, column: Numbers, scale: bool) -> dict[str, Any]:
    gaps = np.isnan(column.values)
    impute = _median(column.values[~gaps])
    return {
        "name": name,
        "type": kind,
        "impute": impute,
        "indicator": bool(gaps.any()),
        "scale": _scale(np.where(gaps, impute, column.values)) if scale else None,
    }


def _fit_date(name: str, column: Numbers, scale: bool) -> dict[str, Any]:
    gaps = np.isnan(column.values)
    parts = date_parts(column.values[~gaps])
    impute = [_median(part) for part in parts]
    filled = [
        np.concatenate([part, np.full(int(gaps.sum()), value)])
        for part, value in zip(parts, impute, strict=True)
    ]
    return {
        "name": name,
        "type": "date",
        "parts": list(DATE_PARTS),
        "impute": impute,
        "indicator": bool(gaps.any()),
        "scale": [_scale(part) for part in filled] if scale else None,
    }


def _median(values: Floats) -> float:
    return float(np.median(values)) if len(values) else 0.0  # a column of gaps alone says nothing


def _scale(values: Floats) -> dict[str, float]:
    spread = float(np.std(values))
    return {"mean": float(np.mean(values)), "std": spread if spread > 0 and np.isfinite(spread) else 1.0}
