"""A model of another shape needs another model file and no change of code."""

from __future__ import annotations

import datetime as dt
import io
import random

import pyarrow as pa
import pyarrow.parquet as pq

from tests.e2e.town import Town, csv_bytes

SPEC = {
    "name": "flat-rents",
    "target": "Rent per month (EUR)",
    "features": {
        "Fläche": "numeric",
        "street": {"type": "categorical", "levels": 300},
        "available from": "date",
        "furnished?": "boolean",
    },
    "algorithms": {
        "xgboost": {"hyperparameters": {"num_round": 80, "max_depth": 5}},
        "linear-learner": {"hyperparameters": {"epochs": 10}},
    },
    "split": {"train": 0.6, "validation": 0.2, "test": 0.2},
    "gate": {"metric": "r2", "at_least": 0.5},
    "serving": {"combine": "mean", "instance": "ml.t2.medium"},
}


def flats(count: int) -> list[dict]:
    dice = random.Random(3)
    streets = [f'Street No. {n}, "{chr(65 + n % 26)}"' for n in range(500)]
    made = []
    for _ in range(count):
        area, street = round(dice.uniform(20, 150), 1), dice.choice(streets)
        day = dt.date(2020, 1, 1) + dt.timedelta(days=dice.randrange(1500))
        rent = 8 * area + 2 * (len(street) + ord(street[-2])) + 30 * (day.year - 2020) + dice.gauss(0, 30)
        made.append(
            {
                "Fläche": area,
                "street": street,
                "available from": day.isoformat(),
                "furnished?": dice.choice(["true", "false"]),
                "Rent per month (EUR)": round(rent, 2),
                "remarks, unused": "line one\nline two, with a comma",
            }
        )
    return made


def test_five_hundred_categories_dates_and_a_target_with_spaces_work(town: Town):
    town.declare(SPEC)
    record = town.train("flat-rents", "flats.csv", csv_bytes(flats(1500)))
    assert record["status"] == "SUCCEEDED", record["reason"]
    endpoint = record["result"]["algorithms"]["xgboost"]["endpoint"]
    small, large = (
        town.invoke(endpoint, f'{area},"Street No. 1, ""B""",2022-05-01,true') for area in (25, 140)
    )
    assert float(large) > float(small) + 400
    unheard_of = town.invoke(endpoint, "80,A street nobody knows,,")
    assert 200 < float(unheard_of) < 2000


def test_parquet_trains_as_csv_does(town: Town):
    rows = flats(1500)
    town.declare({**SPEC, "name": "flat-rents-pq"})
    columns = {key: [row[key] for row in rows] for key in rows[0]}
    columns["available from"] = [dt.date.fromisoformat(day) for day in columns["available from"]]
    columns["furnished?"] = [word == "true" for word in columns["furnished?"]]
    out = io.BytesIO()
    pq.write_table(pa.table(columns), out)
    record = town.train("flat-rents-pq", "flats.parquet", out.getvalue())
    assert record["status"] == "SUCCEEDED", record["reason"]
