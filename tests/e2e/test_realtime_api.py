"""The real-time API through HTTP: what it answers when all is well, and when it is not."""

from __future__ import annotations

import csv
import io
import json
import os
import shlex
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import schemathesis

from tests.e2e import cars
from tests.e2e.caller import Caller
from tests.e2e.malformed import BODIES
from tests.e2e.test_retry import tidegate
from tests.e2e.town import Town, csv_bytes
from tidegate.cli.cloud import CURL

MODEL, FAILS, OTHERS, SERVERLESS = "api-cars", "api-fails", "api-others", "api-serverless"
CAR = {"km": 90000, "year": 2015, "make": "volvo", "automatic": "no"}
OLD = {"km": 200000, "year": 2000, "make": "fiat", "automatic": None}
XGBOOST = {"xgboost": {"hyperparameters": {"num_round": 60, "max_depth": 4}}}


@pytest.fixture(scope="module")
def caller(town: Town) -> Caller:
    """A client of the API, with four models in service that were trained side by side."""
    file = csv_bytes(cars.rows())
    town.declare(cars.spec(MODEL, serving={"combine": "mean", "instances": {"min": 1, "max": 3}}))
    town.declare(cars.spec(FAILS))
    town.declare(cars.spec(OTHERS, serving={"on_failure": "others"}))
    town.declare(cars.spec(SERVERLESS, algorithms=XGBOOST, serving={"serverless": {"memory_mb": 1024}}))
    runs = [town.drop(model, "cars.csv", file) for model in (MODEL, FAILS, OTHERS, SERVERLESS)]
    for run in runs:
        record = town.ended(run)
        assert record["status"] == "SUCCEEDED", record["reason"]
    return Caller(town)


def test_records_in_json_and_csv_get_the_same_combined_predictions(caller: Caller, town: Town):
    one = caller.predict(MODEL, CAR).document
    several = caller.predict(MODEL, [CAR, OLD]).document
    wrapped = caller.predict(MODEL, {"records": [CAR, OLD]}).document
    header = caller.predict(MODEL, csv_bytes([CAR, OLD]), "text/csv").document
    bare = caller.predict(MODEL, "90000,2015,volvo,no\n200000,2000,fiat,\n", "text/csv").document
    values = [each["prediction"] for each in several["predictions"]]
    assert [each["prediction"] for each in one["predictions"]] == values[:1]
    for same in (wrapped, header, bare):
        assert [each["prediction"] for each in same["predictions"]] == values
    by_algorithm = several["predictions"][0]["by_algorithm"]
    assert values[0] == pytest.approx(sum(by_algorithm.values()) / 2)
    asked = town.invoke(town.endpoint(MODEL), "90000,2015,volvo,no")
    assert float(asked) == by_algorithm["xgboost"]
    assert several["versions"] == {
        name: town.parameter(MODEL, name, "model") for name in ("xgboost", "linear-learner")
    }


def test_accept_chooses_csv(caller: Caller, town: Town):
    said = caller.predict(MODEL, [{**CAR, "listing": "a"}, {**OLD, "listing": "b"}], accept="text/csv")
    rows = list(csv.DictReader(io.StringIO(said.body.decode())))
    assert [row["id"] for row in rows] == ["a", "b"]
    assert float(rows[0]["prediction"]) > float(rows[1]["prediction"])
    assert {"prediction_xgboost", "prediction_linear-learner", "prediction_id"} <= rows[0].keys()
    assert f"xgboost={town.endpoint(MODEL)}-" in said.headers["tidegate-versions"]


def captured(town: Town, model: str, inference_id: str) -> list[dict]:
    """Give the captured requests that carry an inference id."""
    keys = town.keys(town.artifacts, f"{model}/capture/")
    lines = [line for key in keys for line in town.read(town.artifacts, key).decode().splitlines()]
    return [
        line for line in map(json.loads, lines) if line["eventMetadata"].get("inferenceId") == inference_id
    ]


@pytest.mark.parametrize("model", [MODEL, SERVERLESS])
def test_a_prediction_id_leads_to_the_captured_record(caller: Caller, town: Town, model: str):
    found = caller.predict(model, [CAR, OLD]).document
    inference_id, index = found["predictions"][1]["prediction_id"].split("/")
    lines = town.until(lambda: captured(town, model, inference_id), "the request was captured")
    assert town.until(
        lambda: len(captured(town, model, inference_id)) == len(found["versions"]),
        "every endpoint captured it",
    )
    sides = lines[0]["captureData"]
    assert json.loads(sides["endpointInput"]["data"])[int(index)] == OLD
    assert sides["endpointInput"]["encoding"] == "JSON"
    assert sides["endpointOutput"]["mode"] == "OUTPUT"


def test_a_serverless_model_predicts_as_one_with_instances(caller: Caller, town: Town):
    ours = caller.predict(SERVERLESS, [CAR, OLD]).document["predictions"]
    theirs = caller.predict(FAILS, [CAR, OLD]).document["predictions"]
    assert [each["by_algorithm"]["xgboost"] for each in ours] == pytest.approx(
        [each["by_algorithm"]["xgboost"] for each in theirs], rel=0.1
    )
    described = town.client("sagemaker").describe_endpoint(EndpointName=town.endpoint(SERVERLESS))
    [variant] = described["ProductionVariants"]
    assert variant["CurrentServerlessConfig"] == {"MemorySizeInMB": 1024, "MaxConcurrency": 5}


@pytest.mark.parametrize("model", [MODEL, SERVERLESS])
def test_the_command_predicts_what_the_api_does(caller: Caller, town: Town, tmp_path: Path, model: str):
    file = tmp_path / "two cars.csv"
    file.write_bytes(csv_bytes([{**CAR, "colour": "red"}, {**OLD, "colour": "blue"}]))
    code, document = tidegate(town, "predict", model, str(file))
    asked = caller.predict(model, [CAR, OLD]).document
    assert code == 0, document
    shown = [(each["prediction"], each["by_algorithm"]) for each in document["predictions"]]
    assert shown == [(each["prediction"], each["by_algorithm"]) for each in asked["predictions"]]


def test_a_rule_from_a_layer_of_ones_own_combines(caller: Caller, town: Town):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(
            "python/house_rules.py", "def least_plus_one(told):\n    return min(told.values()) + 1\n"
        )
    functions = town.client("lambda")
    layer = functions.publish_layer_version(LayerName="house", Content={"ZipFile": packed.getvalue()})
    name = town.resource("PredictFunction")
    held = [each["Arn"] for each in functions.get_function_configuration(FunctionName=name)["Layers"]]
    # As the template does with the parameter CombineLayerArn.
    functions.update_function_configuration(FunctionName=name, Layers=[layer["LayerVersionArn"], *held])
    try:
        rule = {"combine": "house_rules:least_plus_one"}
        town.declare(cars.spec(MODEL, serving={**rule, "instances": {"min": 1, "max": 3}}))

        def ours() -> dict | None:
            said = caller.predict(MODEL, [CAR, OLD])
            return said.document if said.status == 200 and said.document["combine"] != "mean" else None

        for each in town.until(ours, "the rule is in force")["predictions"]:
            assert each["prediction"] == min(each["by_algorithm"].values()) + 1
    finally:
        functions.update_function_configuration(FunctionName=name, Layers=held)
        town.declare(cars.spec(MODEL, serving={"combine": "mean", "instances": {"min": 1, "max": 3}}))


def test_the_models_are_listed_and_described(caller: Caller, town: Town):
    listed = {each["name"]: each for each in caller.ask("GET", "/models").document["models"]}
    assert listed[MODEL]["state"] == "serving"
    found = caller.ask("GET", f"/models/{MODEL}").document
    xgboost = found["algorithms"]["xgboost"]
    assert xgboost["state"] == "InService"
    assert xgboost["version"] == f"{town.endpoint(MODEL)}-{xgboost['run']}"
    assert 0 < xgboost["metrics"]["rmse"] < 1500
    assert set(found["record"]["properties"]) == {"km", "year", "make", "automatic", "listing"}


def test_a_model_that_is_unknown_or_not_deployed_is_answered_in_words(caller: Caller, town: Town):
    town.declare(cars.spec("api-declared"))
    unknown, waiting = caller.predict("api-unknown", CAR), caller.predict("api-declared", CAR)
    assert (unknown.status, waiting.status) == (404, 409)
    assert waiting.headers["content-type"] == "application/problem+json"
    assert "has to be trained" in waiting.document["detail"]
    assert caller.ask("GET", "/models/api-declared").document["state"] == "not deployed"


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl on this machine")
def test_the_curl_command_that_up_prints_is_answered(caller: Caller):
    command = [*shlex.split(CURL.replace("\\", "")), f"{caller.url}/models"]
    done = subprocess.run([*command, "--silent", "--fail"], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert MODEL in [each["name"] for each in json.loads(done.stdout)["models"]]


def test_who_does_not_sign_is_refused(caller: Caller):
    assert caller.ask("GET", "/models", signed=False).status == 403


def test_a_field_declared_after_the_training_is_not_asked_of_the_model_that_serves(
    caller: Caller, town: Town
):
    features = {"doors": "integer", **cars.spec(OTHERS)["features"]}
    town.declare(cars.spec(OTHERS, features=features, serving={"on_failure": "others"}))
    assert caller.predict(OTHERS, CAR).status == 200
    assert "no such field" in caller.predict(OTHERS, {**CAR, "doors": 3}).document["detail"]


def test_one_endpoint_failing_is_an_error_or_is_told_as_the_model_file_says(caller: Caller, town: Town):
    for model in (FAILS, OTHERS):
        town.client("sagemaker").delete_endpoint(EndpointName=town.endpoint(model, "linear-learner"))
    failed, others = (
        town.until(lambda model=model: missing(caller, model), f"{model} misses an endpoint")
        for model in (FAILS, OTHERS)
    )
    assert failed.status == 502
    assert "linear-learner: its endpoint is not there now" in failed.document["detail"]
    assert town.endpoint(FAILS)[:-8] not in failed.body.decode()
    assert list(others.document["failed"]) == ["linear-learner"]
    assert list(others.document["predictions"][0]["by_algorithm"]) == ["xgboost"]
    assert list(others.document["versions"]) == ["xgboost"]


def missing(caller: Caller, model: str):
    """Ask, and give the answer once it is not the usual one."""
    said = caller.predict(model, CAR)
    return said if said.status != 200 or "failed" in said.document else None


def test_endpoints_scale_between_the_bounds_of_the_model_file(caller: Caller, town: Town):
    scaling = town.client("application-autoscaling")
    place = {
        "ServiceNamespace": "sagemaker",
        "ResourceIds": [f"endpoint/{town.endpoint(MODEL)}/variant/AllTraffic"],
    }
    [target] = scaling.describe_scalable_targets(**place)["ScalableTargets"]
    assert (target["MinCapacity"], target["MaxCapacity"]) == (1, 3)
    [policy] = scaling.describe_scaling_policies(
        ServiceNamespace="sagemaker", ResourceId=place["ResourceIds"][0]
    )["ScalingPolicies"]
    tracking = policy["TargetTrackingScalingPolicyConfiguration"]
    assert tracking["TargetValue"] == 1000
    metric = tracking["PredefinedMetricSpecification"]["PredefinedMetricType"]
    assert metric == "SageMakerVariantInvocationsPerInstance"


def test_new_bounds_come_into_force_with_the_next_training_and_none_end_the_scaling(
    caller: Caller, town: Town
):
    scaling = town.client("application-autoscaling")

    def bounds() -> list[tuple[int, int]]:
        found = scaling.describe_scalable_targets(
            ServiceNamespace="sagemaker",
            ResourceIds=[f"endpoint/{town.endpoint('api-scales')}/variant/AllTraffic"],
        )["ScalableTargets"]
        return [(each["MinCapacity"], each["MaxCapacity"]) for each in found]

    seen = []
    for number, instances in enumerate(({"min": 1, "max": 2}, {"min": 2, "max": 5}, {"min": 2, "max": 2})):
        features = dict(list(cars.spec("x")["features"].items())[: 4 - number])
        town.declare(
            cars.spec(
                "api-scales",
                features=features,
                algorithms={"xgboost": {"hyperparameters": {"num_round": 10}}},
                gate={"metric": "rmse", "at_most": 9000.0, "against_champion": "off"},
                serving={"instances": instances},
            )
        )
        record = town.train("api-scales", f"{number}.csv", csv_bytes(cars.rows(seed=number)))
        assert record["status"] == "SUCCEEDED", record["reason"]
        seen.append(bounds())
    assert seen == [[(1, 2)], [(2, 5)], []]


def test_an_endpoint_whose_update_fails_scales_on(caller: Caller, town: Town):
    model, scaling = "api-scales-on", town.client("application-autoscaling")
    quick = {"xgboost": {"hyperparameters": {"num_round": 10}}}
    town.declare(cars.spec(model, algorithms=quick, serving={"instances": {"min": 1, "max": 2}}))
    assert town.train(model, "1.csv", csv_bytes(cars.rows(seed=1)))["status"] == "SUCCEEDED"
    place = {"ServiceNamespace": "sagemaker", "ScalableDimension": "sagemaker:variant:DesiredInstanceCount"}
    name = f"endpoint/{town.endpoint(model)}/variant/AllTraffic"
    # As the update to another instance type does before it is refused.
    scaling.deregister_scalable_target(ResourceId=name, **place)
    town.fail("Create or update the endpoint", model, error="ValidationException", cause="no more of them")
    record = town.train(model, "2.csv", csv_bytes(cars.rows(seed=2)))
    assert record["status"] == "FAILED"
    assert "no more of them" in record["reason"]
    [target] = scaling.describe_scalable_targets(ServiceNamespace="sagemaker", ResourceIds=[name])[
        "ScalableTargets"
    ]
    assert (target["MinCapacity"], target["MaxCapacity"]) == (1, 2)
    assert scaling.describe_scaling_policies(ServiceNamespace="sagemaker", ResourceId=name)["ScalingPolicies"]


def test_a_wrong_signature_is_answered_as_api_gateway_does(caller: Caller, request: pytest.FixtureRequest):
    named = "Credential=test/20260101/us-east-1/execute-api/aws4_request, SignedHeaders=host, Signature=0"
    said = caller.ask("GET", "/models", signed=False, authorization=f"AWS4-HMAC-SHA256 {named}")
    if request.config.getoption("--iam"):
        assert (said.status, said.document) == (403, {"message": "Forbidden"})
        assert said.headers["content-type"] == "application/json"
    else:  # without IAM in force the local cloud asks nobody who they are
        assert said.status == 200


def test_schemathesis_finds_no_server_error_and_no_violation_of_the_document(caller: Caller, tmp_path: Path):
    described = caller.ask("GET", "/openapi.json").document
    described["paths"] = {
        path: item
        for path, item in described["paths"].items()
        if not path.startswith("/models/") or path.split("/")[2] == MODEL
    }
    # What API Gateway answers itself, and text that a schema cannot describe, is for the tests around this one.
    file = tmp_path / "openapi.json"
    content = described["paths"][f"/models/{MODEL}/predictions"]["post"]["requestBody"]["content"]
    del content["text/csv"]
    file.write_text(json.dumps(described))
    # Its command lies beside the interpreter.
    command = [
        str(Path(sys.executable).with_name("schemathesis")), "run", str(file), "--url", caller.url, "-n", "60",
        "-H", "Authorization: see signing.py", "--phases", "coverage,fuzzing", "--seed", "1", "--no-color",
        "--exclude-checks", "ignored_auth,missing_required_header,unsupported_method",
    ]  # fmt: skip
    signing = {**os.environ, "SCHEMATHESIS_HOOKS": str(Path(__file__).with_name("signing.py"))}
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, cwd=tmp_path, env=signing)
    assert schemathesis.__version__
    assert done.returncode == 0, done.stdout[-6000:]


def test_three_hundred_malformed_bodies_are_refused_with_a_reason(caller: Caller):
    assert len(BODIES) >= 300
    wrong = []
    for name, body, kind in BODIES:
        said = caller.predict(MODEL, body, kind)
        reason = said.document.get("detail") or said.document.get("message")
        if not (400 <= said.status < 500 and reason):
            wrong.append((name, said.status, said.body[:200]))
    assert wrong == []
