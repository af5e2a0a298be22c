"""What runs leave behind is collected; what serves, or is named, stays and goes on serving."""

from __future__ import annotations

from botocore.exceptions import ClientError

from tests.e2e import cars
from tests.e2e.town import Town, csv_bytes, tidegate

XGBOOST = {"xgboost": {"hyperparameters": {"num_round": 30}, "instance": "ml.m5.large"}}


def there_is(town: Town, model: str, config: bool = False) -> bool:
    sagemaker = town.client("sagemaker")
    try:
        if config:
            sagemaker.describe_endpoint_config(EndpointConfigName=model)
        else:
            sagemaker.describe_model(ModelName=model)
    except ClientError as error:
        assert "Could not find" in str(error)
        return False
    return True


def test_what_was_superseded_or_rejected_is_removed_and_what_serves_goes_on_serving(town: Town):
    name = "cars-orphans"
    town.declare(cars.spec(name, algorithms=XGBOOST))
    first = town.train(name, "first.csv", csv_bytes(cars.rows(300)))
    poor = town.train(name, "poor.csv", csv_bytes(cars.rows(300, seed=2, noise=30_000)))
    best = town.train(name, "best.csv", csv_bytes(cars.rows(900)))
    assert [run["status"] for run in (first, poor, best)] == ["SUCCEEDED", "REJECTED", "SUCCEEDED"]
    made = {
        word: f"{town.endpoint(name)}-{run['run']}"
        for word, run in (("first", first), ("poor", poor), ("best", best))
    }

    code, young = tidegate(town, "gc")
    assert code == 0, young
    assert not {made["first"], made["poor"]} & {*young["models"], *young["endpoint_configs"]}

    code, told = tidegate(town, "gc", "--dry-run", "--older-than", "0")
    assert (code, told["removed"]) == (0, False)
    assert {each for each in told["models"] if name in each} == {made["first"], made["poor"]}
    assert [each for each in told["endpoint_configs"] if name in each] == [made["first"]]
    assert there_is(town, made["first"], config=True)

    code, collected = tidegate(town, "gc", "--older-than", "0")
    assert (code, collected["removed"]) == (0, True)
    assert not there_is(town, made["first"], config=True)
    assert not there_is(town, made["first"])
    assert not there_is(town, made["poor"])
    assert there_is(town, made["best"], config=True)
    assert there_is(town, made["best"])
    assert float(town.invoke(town.endpoint(name), "50000,2015,fiat,yes")) > 0
    # The artefacts are still there: what was removed can be made again.
    assert town.keys(town.artifacts, f"{name}/runs/{first['run']}/xgboost/model/")
    again = tidegate(town, "gc", "--older-than", "0")[1]
    assert not [each for each in (*again["models"], *again["endpoint_configs"]) if name in each]
