"""The API's function against an account in memory: what callers are told when endpoints do not answer."""

import io
import json
import sys
import types

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from tests.unit.functions.conftest import ARTIFACTS, Context, sample_event
from tidegate.core import names

FEATURES = {"km": {"type": "numeric"}, "make": {"type": "categorical", "levels": 9}}
PREDICT = "POST /models/{model}/predictions"


class Runtime:
    """The endpoints: each answers one number a record, unless it is told what to raise."""

    def __init__(self) -> None:
        self.asked, self.trouble = [], {}

    def invoke_endpoint(self, **given):
        self.asked.append(given)
        if trouble := self.trouble.get(given["EndpointName"]):
            raise trouble.pop(0) if isinstance(trouble, list) and len(trouble) > 1 else trouble[0]
        count = len(json.loads(given["Body"]))
        text = "\n".join(str(10.0 + number) for number in range(count))
        return {"Body": io.BytesIO(text.encode()), "ContentType": "text/csv"}


def refused(code: str, **more) -> ClientError:
    return ClientError(
        {"Error": {"Code": code, "Message": "inside: /opt/ml/secret"}, **more}, "InvokeEndpoint"
    )


class World:
    """A stack with models in S3 and Parameter Store, and its API."""

    def __init__(self, account, runtime: Runtime, handler) -> None:
        self.account, self.runtime, self.handler = account, runtime, handler
        self.statuses: dict[str, str] = {}

    def declare(self, model: str, features: dict = FEATURES, **serving) -> None:
        spec = {
            "name": model, "target": "price", "id": "listing", "features": features,
            "algorithms": {"xgboost": {}, "linear-learner": {}}, "serving": serving,
        }  # fmt: skip
        self.account.put(ARTIFACTS, names.spec_key(model), json.dumps({"source_sha256": "0", "spec": spec}))

    def serve(self, model: str, run: str = "0" * 12, features: dict = FEATURES, **serving) -> None:
        self.declare(model, features, **serving)
        body = self.account.s3.get_object(Bucket=ARTIFACTS, Key=names.spec_key(model))["Body"].read()
        self.account.put(ARTIFACTS, names.run_spec_key(model, run), body)
        for algorithm in ("xgboost", "linear-learner"):
            endpoint = names.endpoint_name("tg", model, algorithm)
            for what, value in (("model", f"{endpoint}-{run}"), ("endpoint", endpoint)):
                self.account.ssm.put_parameter(
                    Name=names.parameter_name("tidegate", model, algorithm, what),
                    Value=value, Type="String", Overwrite=True,
                )  # fmt: skip

    def ask(self, model: str, records=({"km": 1},), route: str = PREDICT) -> tuple[int, dict, dict]:
        event = sample_event("predict")
        event |= {"routeKey": route, "pathParameters": {"model": model}, "body": json.dumps(list(records))}
        answer = self.handler(event, Context())
        return answer["statusCode"], json.loads(answer["body"]), answer["headers"]


@pytest.fixture
def world(account, load, monkeypatch) -> World:
    import boto3

    account.ssm = boto3.client("ssm")
    runtime = Runtime()
    monkeypatch.setattr("tidegate.edge.ask.runtime", lambda: runtime)
    from tidegate.edge import catalogue

    catalogue._run_spec.cache_clear()
    made = World(account, runtime, load("predict"))

    def describe(endpoint: str):
        status = made.statuses.get(endpoint)
        return {"EndpointStatus": status} if status else None

    monkeypatch.setattr(catalogue, "describe", describe)
    return made


def test_every_endpoint_is_asked_once_for_all_records_under_one_inference_id(world):
    world.serve("cars")
    status, found, headers = world.ask("cars", [{"km": 1, "listing": "a"}, {"make": "x"}])
    assert status == 200
    asked = sorted(given["EndpointName"] for given in world.runtime.asked)
    assert asked == ["tg-cars-linear-learner", "tg-cars-xgboost"]
    assert {given["InferenceId"] for given in world.runtime.asked} == {headers["x-request-id"]}
    assert {given["Body"] for given in world.runtime.asked} == {b'[{"km":1},{"make":"x"}]'}
    assert [each["prediction"] for each in found["predictions"]] == [10.0, 11.0]


@pytest.mark.parametrize(
    ("trouble", "status", "wait"),
    [
        (refused("ThrottlingException"), 503, "1"),
        (refused("ModelError", OriginalStatusCode=500), 502, None),
        (refused("ModelError", OriginalStatusCode=400), 502, None),
        (ReadTimeoutError(endpoint_url="http://inside"), 504, None),
        (refused("ValidationError"), 409, None),
    ],
)
def test_a_failing_endpoint_is_told_by_its_status_and_nothing_of_the_inside(world, trouble, status, wait):
    world.serve("cars")
    world.runtime.trouble["tg-cars-xgboost"] = [trouble]
    got, document, headers = world.ask("cars")
    assert got == status
    assert headers.get("retry-after") == wait
    assert "inside" not in json.dumps(document)
    assert "tg-cars" not in json.dumps(document)


def test_an_endpoint_that_is_being_updated_is_to_be_asked_again_later(world):
    world.serve("cars")
    world.runtime.trouble["tg-cars-xgboost"] = [refused("ValidationError")]
    world.statuses["tg-cars-xgboost"] = "Updating"
    status, document, headers = world.ask("cars")
    assert (status, headers["retry-after"]) == (503, "30")
    assert "being updated" in document["detail"]


def test_names_of_a_version_that_is_no_more_are_409_with_a_sentence_and_spoil_no_other_model(world):
    world.serve("cars")
    world.serve("vans")
    world.account.s3.delete_object(Bucket=ARTIFACTS, Key=names.run_spec_key("cars", "0" * 12))
    status, document, _ = world.ask("cars")
    assert status == 409
    assert "nothing serves it any more (xgboost: the run 000000000000" in document["detail"]
    assert "train it again" in document["detail"]
    assert world.ask("vans")[0] == 200
    status, listed, _ = world.ask("", route="GET /models")
    assert (status, [each["state"] for each in listed["models"]]) == (200, ["not deployed", "serving"])
    status, described, _ = world.ask("cars", route="GET /models/{model}")
    assert (status, described["algorithms"]["xgboost"]["state"]) == (200, "NotDeployed")
    assert "is no more" in described["algorithms"]["xgboost"]["reason"]
    assert world.ask("", route="GET /openapi.json")[0] == 200


def test_a_combination_rule_that_is_not_in_the_layer_is_503_with_its_name_and_one_that_fails_502(
    world, monkeypatch
):
    world.serve("cars", combine="house_rules:least")
    status, document, _ = world.ask("cars")
    assert status == 503
    assert "names 'house_rules:least', which is not in the layer of this stack" in document["detail"]
    world.serve("vans", combine="shop_rules:least")
    module = types.ModuleType("shop_rules")
    module.least = lambda predictions: predictions["forest"]
    monkeypatch.setitem(sys.modules, "shop_rules", module)
    status, document, _ = world.ask("vans")
    assert status == 502
    assert "'shop_rules:least' could not combine the predictions" in document["detail"]
    assert "forest" not in document["detail"]


def test_a_version_that_was_named_by_hand_leaves_the_other_algorithms_serving(world):
    world.serve("cars")
    name = names.parameter_name("tidegate", "cars", "xgboost", "model")
    world.account.ssm.put_parameter(Name=name, Value="somebody-s-own", Type="String", Overwrite=True)
    assert world.ask("cars")[0] == 200
    assert [given["EndpointName"] for given in world.runtime.asked] == ["tg-cars-linear-learner"]


def test_a_first_deployment_on_its_way_is_503_and_none_is_409(world):
    world.declare("cars")
    assert world.ask("cars")[0] == 409
    world.statuses["tg-cars-xgboost"] = "Creating"
    status, _, headers = world.ask("cars")
    assert (status, headers["retry-after"]) == (503, "30")


def test_the_others_answer_where_the_model_file_says_so(world):
    world.serve("cars", on_failure="others")
    world.runtime.trouble["tg-cars-xgboost"] = [refused("ModelError", OriginalStatusCode=500)]
    status, found, _ = world.ask("cars")
    assert status == 200
    assert found["failed"] == {"xgboost": "its endpoint failed"}
    assert list(found["versions"]) == ["linear-learner"]
    world.runtime.trouble["tg-cars-linear-learner"] = [refused("ThrottlingException")]
    assert world.ask("cars")[0] == 502


def test_a_model_that_came_into_service_a_moment_ago_is_noticed_when_it_refuses_the_fields(world):
    world.serve("cars")
    assert world.ask("cars")[0] == 200
    world.serve("cars", run="1" * 12, features={**FEATURES, "doors": {"type": "integer"}})
    once = refused("ModelError", OriginalStatusCode=400)
    asked = world.runtime.invoke_endpoint

    def refuse_once(**given):
        if world.runtime.trouble.pop("once", None):
            raise once
        return asked(**given)

    world.runtime.trouble["once"] = True
    world.runtime.invoke_endpoint = refuse_once
    status, found, _ = world.ask("cars")
    assert status == 200
    assert set(found["versions"].values()) == {
        f"tg-cars-{name}-{'1' * 12}" for name in ("xgboost", "linear-learner")
    }


def test_records_that_only_the_newest_model_reads_are_answered_as_soon_as_it_serves(world, monkeypatch):
    world.serve("cars")
    assert world.ask("cars")[0] == 200
    world.serve("cars", run="1" * 12, features={"floor": "integer"})
    monkeypatch.setattr("tidegate.edge.answering.LATELY_SECONDS", 0.0)  # as if a second had gone by
    status, document, _ = world.ask("cars", [{"floor": 3}])
    assert status == 200, document
    assert set(document["versions"].values()) == {
        f"tg-cars-{algorithm}-{'1' * 12}" for algorithm in ("xgboost", "linear-learner")
    }
    assert world.ask("cars", [{"km": 1}])[0] == 422


@pytest.mark.slow
def test_many_models_are_listed_and_described_at_once(world):
    for number in range(12):
        world.serve(f"cars-{number}")
    status, found, _ = world.ask("", route="GET /models")
    assert status == 200
    assert len(found["models"]) == 12
    assert len(world.ask("", route="GET /openapi.json")[1]["paths"]) == 12 + 3


def test_an_accident_inside_is_a_500_that_tells_the_request_id_alone(world, monkeypatch):
    world.serve("cars")

    def broken(*_):
        raise RuntimeError("the rows of somebody")

    monkeypatch.setattr("tidegate.edge.answering.combined", broken)
    status, document, headers = world.ask("cars")
    assert status == 500
    assert document["request_id"] == headers["x-request-id"]
    assert "somebody" not in json.dumps(document)


@pytest.mark.parametrize("name", ["../secret", "Cars", "a" * 40, "", "notifications"])
def test_what_cannot_be_a_model_s_name_is_unknown(world, name):
    assert world.ask(name)[0] == 404
