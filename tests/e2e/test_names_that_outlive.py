"""Names that outlive what they name: a champion that was deleted by hand, or whose files are gone, is none."""

from __future__ import annotations

import pytest

from tests.e2e import cars
from tests.e2e.caller import Caller
from tests.e2e.town import Town, csv_bytes

XGBOOST = {"xgboost": {"hyperparameters": {"num_round": 20}, "instance": "ml.m5.large"}}


def champion_of(town: Town, name: str) -> str:
    found = town.parameter(name, "xgboost", "model")
    assert found
    return found


def delete_the_model(town: Town, name: str) -> str:
    town.client("sagemaker").delete_model(ModelName=champion_of(town, name))
    return "is no more"


def lose_the_artefact(town: Town, name: str) -> str:
    described = town.client("sagemaker").describe_model(ModelName=champion_of(town, name))
    archive = described["Containers"][1]["ModelDataUrl"]
    bucket, _, key = archive.removeprefix("s3://").partition("/")
    town.client("s3").delete_object(Bucket=bucket, Key=key)
    return f"lacks {archive}"


def name_one_of_before(town: Town, name: str) -> str:
    """What a stack that was deleted leaves behind, when one of the same name is deployed."""
    stale = f"{town.endpoint(name)}-{'0' * 12}"
    for what in ("model", "config"):
        parameter = f"/{town.stack}/{name}/xgboost/{what}"
        town.client("ssm").put_parameter(Name=parameter, Value=stale, Type="String", Overwrite=True)
    return f"the model {stale}, which Parameter Store names, is no more"


@pytest.mark.parametrize("lose", [delete_the_model, lose_the_artefact, name_one_of_before])
def test_a_champion_that_is_gone_counts_as_none_and_every_door_says_so(town: Town, lose):
    name = f"cars-{lose.__name__.replace('_', '-')}"
    town.declare(cars.spec(name, algorithms=XGBOOST))
    assert town.train(name, "first.csv", csv_bytes(cars.rows(300)))["status"] == "SUCCEEDED"
    said = lose(town, name)
    scored = town.score(name, "rows.csv", csv_bytes(cars.rows(20)))
    assert scored["status"] == "FAILED"
    assert said in scored["reason"]
    assert f"tidegate train {name} FILE" in scored["reason"]
    second = town.train(name, "second.csv", csv_bytes(cars.rows(400)))
    assert second["status"] == "SUCCEEDED", second["reason"]
    assert "there is no champion to compare with: the model" in second["reason"]
    assert said in second["reason"]
    assert second["result"]["algorithms"]["xgboost"]["champion"] is None
    assert second["result"]["algorithms"]["xgboost"]["model"] == champion_of(town, name)
    assert float(town.invoke(town.endpoint(name), "50000,2015,fiat,yes")) > 0
    assert town.score(name, "again.csv", csv_bytes(cars.rows(20)))["status"] == "SUCCEEDED"


def test_the_api_says_409_of_names_that_point_at_nothing_and_answers_for_the_others(town: Town):
    name = "cars-named-of-before"
    town.declare(cars.spec(name, algorithms=XGBOOST))
    assert town.train(name, "first.csv", csv_bytes(cars.rows(300)))["status"] == "SUCCEEDED"
    name_one_of_before(town, name)

    caller = Caller(town)

    def lost() -> dict | None:
        said = caller.predict(name, [{"km": 1}])
        return said.document if said.status == 409 else None

    # What it knows of a model that served a moment ago is kept for some seconds.
    assert "train it again" in town.until(lost, "the API looked again")["detail"]
    listed = caller.ask("GET", "/models")
    assert listed.status == 200
    assert {each["name"]: each["state"] for each in listed.document["models"]}[name] == "not deployed"
