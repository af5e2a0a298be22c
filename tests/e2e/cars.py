"""A small made-up world of used cars, quick to learn: the price follows from the columns, with some noise."""

from __future__ import annotations

import random
from typing import Any

HEADER = ["listing", "km", "year", "make", "automatic", "price"]
MAKES = {"toyota": 1200.0, "fiat": -900.0, "volvo": 2500.0, "skoda": 0.0}


def spec(name: str, **changes: Any) -> dict[str, Any]:
    """Declare a model of these cars that trains in a second or two."""
    return {
        "name": name,
        "target": "price",
        "id": "listing",
        "features": {"km": "numeric", "year": "integer", "make": "categorical", "automatic": "boolean"},
        "algorithms": {
            "xgboost": {"hyperparameters": {"num_round": 60, "max_depth": 4}, "instance": "ml.m5.large"},
            "linear-learner": {"hyperparameters": {"epochs": 10}, "instance": "ml.m5.large"},
        },
        "gate": {"metric": "rmse", "at_most": 3000.0, "against_champion": "not_worse"},
        **changes,
    }


def rows(count: int = 600, seed: int = 1, noise: float = 300.0) -> list[dict[str, Any]]:
    """Make cars; the same seed makes the same cars."""
    dice = random.Random(seed)
    cars = []
    for number in range(count):
        km, year = round(dice.uniform(0, 250_000)), dice.randint(1998, 2024)
        make, automatic = dice.choice(sorted(MAKES)), dice.random() < 0.4
        price = 3000 + 550 * (year - 1998) - 0.02 * km + MAKES[make] + 800 * automatic + dice.gauss(0, noise)
        cars.append(
            {
                "listing": f"c{seed}-{number}",
                "km": "" if dice.random() < 0.05 else km,
                "year": year,
                "make": make,
                "automatic": "yes" if automatic else "no",
                "price": round(price, 2),
            }
        )
    return cars
