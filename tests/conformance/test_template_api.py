"""The API as the template makes it: nothing without authentication, throttled, logged without payloads."""

import json

import pytest

from tests.conformance.test_template import of_type
from tidegate.api.exchange import MOST_BYTES

pytestmark = pytest.mark.conformance

ROUTES = of_type("AWS::ApiGatewayV2::Route")
LAMBDA_REQUEST_BYTES = 6 * 1024**2


@pytest.mark.parametrize("name", ROUTES)
def test_every_route_asks_who_calls(name):
    route = ROUTES[name]
    assert route["AuthorizationType"] == ["HasJwt", "JWT", "AWS_IAM"]
    assert route["AuthorizerId"][:2] == ["HasJwt", "ApiAuthorizer"]


def test_every_route_is_one_that_the_function_answers(monkeypatch):
    from tests.unit.functions.conftest import ROOT

    text = (ROOT / "functions" / "predict" / "app.py").read_text()
    for route in ROUTES.values():
        assert f'"{route["RouteKey"]}"' in text


def test_the_stage_throttles_and_logs_no_payload():
    [stage] = of_type("AWS::ApiGatewayV2::Stage").values()
    assert {"ThrottlingRateLimit", "ThrottlingBurstLimit"} <= stage["DefaultRouteSettings"].keys()
    logged = json.loads(stage["AccessLogSettings"]["Format"])
    assert {"requestId", "route", "status", "caller"} <= logged.keys()
    assert not [value for value in logged.values() if "body" in value.lower() or "header" in value.lower()]


def test_a_body_within_the_limit_fits_a_call_of_the_function_even_as_base64():
    assert MOST_BYTES * 4 / 3 < LAMBDA_REQUEST_BYTES
