"""What the API answers: negotiated, written, described, and refused with the right status."""

import base64
import csv
import io
import json

import pytest
import schemathesis
from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from tidegate.api.exchange import CSV, JSON, MOST_BYTES, Request, refusal, wanted
from tidegate.api.failures import EndpointTrouble, kind_of, problem_of, told
from tidegate.api.form import Form
from tidegate.api.model import Model, Served
from tidegate.api.openapi import document
from tidegate.api.predictions import Predicted, rows_for, write
from tidegate.api.problems import Fault, Problem
from tidegate.api.unseen import find_unseen
from tidegate.core.spec import ModelSpec

SPEC = ModelSpec.from_dict(
    {
        "name": "cars",
        "target": "price",
        "id": "listing",
        "features": {"km": "numeric", "make": "categorical"},
        "algorithms": {"xgboost": None, "linear-learner": None},
    }
)
XGBOOST = Served(
    "xgboost", "tg-cars-xgboost", "tg-cars-xgboost-1", "1", {"km": "numeric", "make": "categorical"}
)
PREDICTED = Predicted(
    model="cars",
    rule="max",
    inference_id="abc",
    versions={"xgboost": "tg-cars-xgboost-1"},
    by_algorithm={"xgboost": [1.5, 2.5]},
    combined=[1.5, 2.5],
    ids=["a", None],
)


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("", JSON),
        ("*/*", JSON),
        ("text/*", CSV),
        ("text/csv;q=0.9, application/json;q=0.1", CSV),
        ("text/csv;q=nonsense, */*;q=0.1", JSON),
        ("application/json;q=0, */*", CSV),
    ],
)
def test_the_answer_s_type_is_the_one_the_caller_likes_best(accept, kind):
    assert wanted(accept, (JSON, CSV)) == kind


def test_an_answer_in_another_type_is_refused():
    with pytest.raises(Problem) as refused:
        wanted("text/html, text/csv;q=0", (JSON, CSV))
    assert refused.value.status == 406


@pytest.mark.parametrize(
    "event",
    [
        {"body": "x" * (MOST_BYTES + 1)},
        {"body": base64.b64encode(b"x" * (MOST_BYTES + 1)).decode(), "isBase64Encoded": True},
        {"body": "é" * (MOST_BYTES // 2 + 1)},
    ],
    ids=["text", "base64", "more bytes than characters"],
)
def test_a_body_over_the_limit_is_refused(event):
    with pytest.raises(Problem, match="batch scoring") as refused:
        Request.of(event)
    assert refused.value.status == 413


def test_a_compressed_body_is_refused():
    with pytest.raises(Problem) as refused:
        Request.of({"headers": {"Content-Encoding": "gzip"}, "body": "x"})
    assert refused.value.status == 415


def test_a_json_answer_has_an_id_a_record_that_ground_truth_joins_by():
    found = json.loads(write(PREDICTED, JSON).body)
    assert [each["prediction_id"] for each in found["predictions"]] == ["abc/0", "abc/1"]
    assert found["predictions"][0]["by_algorithm"] == {"xgboost": 1.5}
    assert [each["id"] for each in found["predictions"]] == ["a", None]
    assert "failed" not in found


def test_a_csv_answer_has_the_same_columns_and_tells_the_rest_in_headers():
    partly = Predicted(**{**PREDICTED.__dict__, "failed": {"linear-learner": "its endpoint failed"}})
    answer = write(partly, CSV)
    rows = list(csv.DictReader(io.StringIO(answer.body)))
    own = {"prediction_xgboost": "2.5", "unseen": ""}
    assert rows[1] == {"prediction_id": "abc/1", "id": "", "prediction": "2.5", **own}
    assert answer.headers["tidegate-versions"] == "xgboost=tg-cars-xgboost-1"
    assert answer.headers["tidegate-failed"] == "linear-learner"


def test_endpoints_get_records_by_name_and_only_the_fields_they_know():
    assert json.loads(rows_for(["km"], [{"make": "x", "km": 1}, {"make": "y"}])) == [{"km": 1}, {}]


def test_a_problem_is_answered_with_its_document_and_when_to_come_back():
    answer = refusal(Problem(503, "wait", retry_after_seconds=30, faults=[Fault("p", 1, "f")]), "r1")
    event = answer.to_event("r1")
    assert event["headers"]["content-type"] == "application/problem+json"
    assert event["headers"]["retry-after"] == "30"
    assert json.loads(event["body"]) == {
        "type": "about:blank",
        "title": "Service Unavailable",
        "status": 503,
        "detail": "wait",
        "request_id": "r1",
        "errors": [{"record": 1, "field": "f", "problem": "p"}],
    }


@pytest.mark.parametrize(
    ("code", "status", "said", "kind"),
    [
        ("ModelError", 400, "record 1", "refused"),
        ("ModelError", 500, "Traceback", "failed"),
        ("ModelError", 500, "Your invocation timed out while waiting", "late"),
        ("ThrottlingException", None, "Rate exceeded", "busy"),
        ("ValidationError", None, "Endpoint x of account 1 not found.", "absent"),
        ("InternalFailure", None, "", "failed"),
    ],
)
def test_an_endpoint_s_error_tells_what_happened(code, status, said, kind):
    assert kind_of(code, status, said) == kind


@pytest.mark.parametrize(
    ("kinds", "statuses", "status", "wait"),
    [
        (["busy"], {}, 503, 1),
        (["late"], {}, 504, None),
        (["failed"], {}, 502, None),
        (["busy", "failed"], {}, 502, None),
        (["absent"], {"a0": "Updating"}, 503, 30),
        (["absent"], {"a0": "Failed"}, 502, None),
        (["absent"], {"a0": "Missing"}, 409, None),
        (["absent", "absent"], {"a0": "Missing", "a1": "InService"}, 502, None),
        (["absent", "failed"], {"a0": "Missing"}, 502, None),
        (["refused"], {}, 502, None),
    ],
)
def test_the_status_says_whether_asking_again_may_help(kinds, statuses, status, wait):
    troubles = {f"a{n}": EndpointTrouble(kind, "secret inside") for n, kind in enumerate(kinds)}
    problem = problem_of(troubles, statuses)
    assert (problem.status, problem.retry_after_seconds) == (status, wait)
    assert "secret" not in problem.detail
    assert "secret" not in str(told(troubles))


def test_a_model_s_form_is_what_the_serving_models_were_trained_on():
    served = Served("xgboost", "e", "v", "1", {"km": "numeric"})
    assert set(Model(SPEC, (served,)).form.features) == {"km"}
    assert set(Model(SPEC, ()).form.features) == {"km", "make"}


@pytest.mark.parametrize(
    ("served", "status", "state"),
    [
        ((), "", "not deployed"),
        ((XGBOOST,), "InService", "partly serving"),
        ((XGBOOST,), "Updating", "updating"),
    ],
)
def test_a_model_s_document_tells_its_state(served, status, state):
    found = Model(SPEC, served).describe(lambda _: status, lambda _: {"rmse": 1.0})
    assert found["state"] == state
    assert found["algorithms"]["linear-learner"] == {"state": "NotDeployed"}


@pytest.mark.slow
def test_the_openapi_document_is_valid_and_describes_what_is_answered():
    models = [Model(SPEC, (XGBOOST,))]
    described = document(models, "iam")
    schemathesis.openapi.from_dict(described).validate()
    registry = Registry().with_resource("urn:api", Resource(described, DRAFT202012))

    def check(schema: str, content: object) -> None:
        reference = {"$ref": f"urn:api#/components/schemas/{schema}"}
        Draft202012Validator(reference, registry=registry).validate(content)

    check("Predictions", json.loads(write(PREDICTED, JSON).body))
    check("Models", {"models": [model.summary() for model in models]})
    check("Model", models[0].describe(lambda _: "InService", lambda _: {"rmse": 1.0}))
    check("Problem", Problem(422, "x", faults=[Fault("p", 1, "f")]).to_dict("r"))


def test_with_tokens_the_document_asks_for_a_bearer():
    assert document([], "jwt")["components"]["securitySchemes"]["caller"]["scheme"] == "bearer"


def test_a_value_that_the_model_never_learned_is_named_to_the_caller():
    records = [{"make": "fiat"}, {"make": "lada"}, {"make": None}, {"make": "NA"}]
    unseen = find_unseen(records, {"make": frozenset({"fiat"})}, {"make": frozenset({"NA"})})
    told = Predicted(**{**PREDICTED.__dict__, "unseen": unseen})
    [warning] = json.loads(write(told, JSON).body)["warnings"]
    assert (warning["record"], warning["field"], warning["value"]) == (2, "make", "lada")
    assert "never learned" in warning["problem"]
    answer = write(told, CSV)
    assert [row["unseen"] for row in csv.DictReader(io.StringIO(answer.body))] == ["", "make"]
    assert answer.headers["tidegate-warnings"] == "1"
    assert "warnings" not in json.loads(write(PREDICTED, JSON).body)


def test_many_warnings_are_counted_beyond_the_first_hundred():
    unseen = find_unseen([{"make": str(at)} for at in range(130)], {"make": frozenset()}, {})
    found = json.loads(write(Predicted(**{**PREDICTED.__dict__, "unseen": unseen}), JSON).body)
    assert (len(found["warnings"]), found["warnings_left_out"]) == (100, 30)


def test_ids_of_many_digits_are_taken_and_too_many_are_refused_for_that():
    form = Form({"km": "numeric"}, "listing", "price")
    for good in (2**63 - 1, 2**64 - 1, -(2**63), "007", 101.0):
        assert form.faults_of_record({"listing": good, "km": 1}, 1, typed=True) == []
    [fault] = form.faults_of_record({"listing": 10**40, "km": 1}, 1, typed=True)
    assert "too many digits" in fault.problem
