"""Taking down: a deleted model leaves nothing that costs, a destroyed stack nothing at all, and both come again."""

from __future__ import annotations

from tests.e2e import cars, watching
from tests.e2e.conftest import ROOT
from tests.e2e.inventory import LISTED_BY, LISTS, PARTS, everything, types_of
from tests.e2e.town import Town, csv_bytes, tidegate
from tidegate.local.deploy import deploy

QUICK = {"xgboost": {"hyperparameters": {"num_round": 20}, "instance": "ml.m5.large"}}
SCALING = {"instances": {"min": 1, "max": 2}}
ADDRESS = "somebody@example.com"
# Of the whole account, made with its first job of a kind; they hold history.
OF_THE_ACCOUNT = {f"logs logGroups /aws/sagemaker/{kind}" for kind in ("TrainingJobs", "TransformJobs")}


def here(town: Town) -> set[str]:
    return everything(town) - OF_THE_ACCOUNT


def serve(town: Town, name: str) -> None:
    """Have everything that a model may have: endpoints that scale, a subscription, scores, a check."""
    town.declare(cars.spec(name, algorithms=QUICK, serving=SCALING, notify=[ADDRESS]))
    record = town.train(name, "cars.csv", csv_bytes(cars.rows(400)))
    assert record["status"] == "SUCCEEDED", record["reason"]
    assert town.train(name, "more.csv", csv_bytes(cars.rows(500)))["status"] in ("SUCCEEDED", "REJECTED")
    assert town.score(name, "rows.csv", csv_bytes(cars.rows(20)))["status"] == "SUCCEEDED"
    town.invoke(town.endpoint(name), "50000,2015,fiat,yes")
    town.until(lambda: town.keys(town.artifacts, f"{name}/capture/"), "the request was captured")
    watching.check(town, name)


def test_every_kind_of_resource_of_the_template_is_walked(town: Town):
    walked = {service for service, *_ in LISTS}
    for kind in types_of(town) - PARTS:
        assert LISTED_BY[kind] in walked, kind


def test_a_deleted_model_leaves_nothing_that_costs_and_keeps_its_data_and_comes_again(town: Town):
    name = "cars-deleted"
    before = here(town)
    serve(town, name)
    made = here(town) - before
    for kind in (
        "Endpoints",
        "EndpointConfigs",
        "Models",
        "Schedules",
        "Parameters",
        "ScalableTargets",
        "Subscriptions",
        "MetricAlarms",
    ):
        assert any(f" {kind} " in each for each in made), f"there is nothing of {kind} that could be left"
    kept = set(town.keys(town.artifacts, f"{name}/"))

    code, refused = tidegate(town, "delete", name)
    assert (code, here(town) - before) == (2, made)
    assert "--yes" in refused["error"]["remedy"]

    code, said = tidegate(town, "delete", name, "--yes")
    assert (code, said["status"]) == (0, "DELETED"), said
    left = here(town) - before
    assert left <= {f"logs logGroups /aws/sagemaker/Endpoints/{town.endpoint(name)}"}
    assert before <= here(town)
    assert set(town.keys(town.artifacts, f"{name}/")) == kept - {f"{name}/spec.json"}
    assert town.keys(town.data, f"{name}/train/")
    assert name not in str(tidegate(town, "models")[1])
    assert tidegate(town, "runs", name)[1]["runs"]

    assert tidegate(town, "delete", name, "--yes")[0] == 1  # there is nothing of it any more
    late = town.train(name, "late.csv", csv_bytes(cars.rows(50)))
    assert late["status"] == "REFUSED"
    assert "no model file is in force" in late["reason"]

    town.declare(cars.spec(name, algorithms=QUICK))
    again = town.train(name, "again.csv", csv_bytes(cars.rows(400)))
    assert again["status"] == "SUCCEEDED", again["reason"]
    assert "there is no champion yet" in again["reason"]

    code, said = tidegate(town, "delete", name, "--yes", "--purge")
    assert code == 0, said
    assert said["purged"]["objects"] > len(kept)
    assert here(town) == before
    versions = town.client("s3").list_object_versions(Bucket=town.artifacts, Prefix=f"{name}/")
    assert not versions.get("Versions")
    assert not versions.get("DeleteMarkers")
    assert tidegate(town, "runs", name)[0] == 1, "there is history of it still"
    assert not [each for each in town.keys(town.artifacts, "notifications/") if again["run"] in each]


def test_a_model_at_work_is_not_deleted_but_waited_for_when_asked(town: Town):
    name = "cars-at-work"
    town.declare(cars.spec(name, algorithms={"xgboost": {"hyperparameters": {"num_round": 400}}}))
    run = town.drop(name, "cars.csv", csv_bytes(cars.rows(2000)))
    town.until(lambda: town.record(run), "the run was claimed")
    code, refused = tidegate(town, "delete", name, "--yes")
    assert code == 1
    assert f"a training of {name} (" in refused["error"]["message"].lower()
    assert town.artifact_json(f"{name}/spec.json"), "something was removed all the same"
    code, said = tidegate(town, "delete", name, "--yes", "--wait")
    assert (code, said["status"]) == (0, "DELETED"), said
    assert town.record(run)["status"] == "SUCCEEDED"
    assert not any(
        name in each for each in everything(town) if each.startswith(("sagemaker", "scheduler", "ssm"))
    )


def test_a_destroyed_stack_is_gone_with_its_models_and_one_of_its_name_trains_again(town: Town):
    before = here(town)
    stack, parameters = "House-Of-Cards", {"NamePrefix": "hc"}
    deploy(town.cloud, ROOT, stack, parameters=parameters)
    house = Town(town.cloud, stack)
    house.declare(cars.spec("cards", algorithms=QUICK))
    assert house.train("cards", "cards.csv", csv_bytes(cars.rows(300)))["status"] == "SUCCEEDED"
    assert tidegate(house, "destroy")[0] == 2
    code, said = tidegate(house, "destroy", "--yes")
    assert (code, said["status"]) == (0, "DESTROYED"), said
    kept = {f"s3 Buckets {each}" for each in said["kept"]["buckets"]}
    kept |= {f"dynamodb TableNames {each}" for each in said["kept"]["tables"]}
    logs = {f"logs logGroups /aws/sagemaker/Endpoints/{house.endpoint('cards')}"}
    assert here(town) - before - logs == kept
    assert before <= here(town)
    assert house.keys(house.artifacts, "cards/runs/")

    assert deploy(town.cloud, ROOT, stack, parameters=parameters)
    again = Town(town.cloud, stack)
    assert again.artifacts != house.artifacts
    again.declare(cars.spec("cards", algorithms=QUICK))
    record = again.train("cards", "cards.csv", csv_bytes(cars.rows(300)))
    assert record["status"] == "SUCCEEDED", record["reason"]
    code, said = tidegate(again, "destroy", "--yes", "--purge")
    assert (code, said["purged"]["objects"] > 0) == (0, True), said
    assert here(town) - before - logs == kept
    for bucket in (house.data, house.artifacts):
        objects = town.client("s3").list_object_versions(Bucket=bucket)
        for each in [*objects.get("Versions", []), *objects.get("DeleteMarkers", [])]:
            town.client("s3").delete_object(Bucket=bucket, Key=each["Key"], VersionId=each["VersionId"])
        town.client("s3").delete_bucket(Bucket=bucket)
