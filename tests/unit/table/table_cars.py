"""The used cars that these tests declare: one column of each type."""

from __future__ import annotations

from tidegate.core.spec import ModelSpec

FEATURES = {
    "KM": "numeric",
    "Age": "integer",
    "Fuel": "categorical",
    "Sold": "date",
    "Metallic": "boolean",
}


def cars_spec(target: str, *algorithms: str) -> ModelSpec:
    """Declare a model of used cars."""
    return ModelSpec.from_dict(
        {
            "name": "cars",
            "target": target,
            "id": "Id",
            "features": FEATURES,
            "algorithms": dict.fromkeys(algorithms or ("xgboost",)),
        }
    )
