"""Whether the model that Parameter Store names as a champion can be used: by its files, its role, its kind."""

import json

import pytest
from botocore.exceptions import ClientError

from tests.unit.functions.conftest import ARTIFACTS, ROLE, Context, sample_event

EVENT = sample_event("look_up_champion")
NAMED = "tg-used-car-price-xgboost-ba9876543210"
HOME = "/".join(["used-car-price", "runs", "ba9876543210", "xgboost"])
ARCHIVES = [f"{HOME}/recipe.tar.gz", f"{HOME}/model/model.tar.gz"]
FILES = [*ARCHIVES, f"{HOME}/recipe.json"]


class Cloud:
    """Parameter Store with one name, and SageMaker with at most one model."""

    def __init__(self, named: str | None = NAMED, role: str = ROLE, bucket: str = ARTIFACTS) -> None:
        self.named = named
        self.described = {
            "ExecutionRoleArn": role,
            "Containers": [{"ModelDataUrl": f"s3://{bucket}/{key}"} for key in ARCHIVES],
        }

    def get_parameters(self, Names):
        return {"Parameters": [{"Name": each, "Value": self.named} for each in Names if self.named]}

    def describe_model(self, ModelName):
        assert ModelName == self.named
        if self.described is None:
            error = {"Code": "ValidationException", "Message": "Could not find model"}
            raise ClientError({"Error": error}, "DescribeModel")
        return self.described


@pytest.fixture
def look_up(account, load, monkeypatch):
    """Give a caller of the function: in front of this cloud, with all files there but one."""
    for key in FILES:
        account.put(ARTIFACTS, key, json.dumps({"inputs": [], "columns": []}))

    def call(cloud: Cloud, without: str | None = None) -> dict:
        if without:
            account.s3.delete_object(Bucket=ARTIFACTS, Key=without)
        handler = load("look_up_champion")
        for module in ("champions", "parameters"):
            monkeypatch.setattr(f"tidegate.edge.{module}.client", lambda _: cloud)
        return handler(EVENT, Context())

    return call


def test_a_champion_that_is_all_there_is_the_champion(look_up):
    assert look_up(Cloud()) == {"champion": NAMED, "lost": None, "batches": "MultiRecord"}


@pytest.mark.parametrize("named", [None, EVENT["candidate"]])
def test_where_none_is_named_or_the_candidate_itself_there_is_none_and_nothing_to_tell(look_up, named):
    assert look_up(Cloud(named)) == {"champion": None, "lost": None, "batches": None}


@pytest.mark.parametrize("file", FILES)
def test_a_champion_that_lacks_a_file_counts_as_none_and_the_file_is_named(look_up, file):
    answer = look_up(Cloud(), without=file)
    assert answer["champion"] is None
    assert f"lacks s3://{ARTIFACTS}/{file}" in answer["lost"]


def test_a_champion_in_a_bucket_that_is_gone_counts_as_none(look_up):
    assert "lacks s3://of-before/" in look_up(Cloud(bucket="of-before"))["lost"]


def test_a_champion_of_another_deployment_s_role_counts_as_none(look_up):
    answer = look_up(Cloud(role="arn:aws:iam::123456789012:role/of-before"))
    assert answer["champion"] is None
    assert "role/of-before, which is not this deployment's" in answer["lost"]


def test_a_champion_that_was_deleted_counts_as_none(look_up):
    cloud = Cloud()
    cloud.described = None
    assert look_up(cloud)["lost"].endswith("is no more")


@pytest.mark.parametrize("containers", [[], [{"ModelDataUrl": "s3://b/k"}], [{"Image": "a"}, {"Image": "b"}]])
def test_a_model_that_no_run_made_counts_as_none(look_up, containers):
    cloud = Cloud()
    cloud.described["Containers"] = containers
    assert look_up(cloud)["lost"].endswith("is none that a training run made")


@pytest.mark.parametrize(("levels", "batches"), [(10, "MultiRecord"), (400, "SingleRecord")])
def test_a_champion_of_wider_rows_than_a_file_has_room_for_is_asked_row_by_row(
    look_up, account, monkeypatch, levels, batches
):
    recipe = {
        "inputs": ["c"],
        "columns": [{"name": "c", "type": "categorical", "levels": [f"l{at}" for at in range(levels)]}],
        "outputs": [f"l{at}" for at in range(levels + 1)],
    }
    account.put(ARTIFACTS, next(each for each in FILES if each.endswith("recipe.json")), json.dumps(recipe))
    monkeypatch.setitem(EVENT, "algorithm", "linear-learner")
    assert look_up(Cloud())["batches"] == batches
