"""The API with tokens instead of AWS's signatures: who issued one, for whom, and until when, is checked."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from tests.e2e.caller import Caller
from tests.e2e.town import Town
from tests.http_server import answering

AUDIENCE = "tidegate-users"
ROUTE = "GET /models"


def encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


class Issuer:
    """Issues tokens, and publishes the key that they are checked with."""

    def __init__(self) -> None:
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.url = ""

    def documents(self) -> dict[str, Any]:
        numbers = self.key.public_key().public_numbers()
        modulus, exponent = (
            encoded(each.to_bytes((each.bit_length() + 7) // 8, "big")) for each in (numbers.n, numbers.e)
        )
        key = {"kty": "RSA", "use": "sig", "alg": "RS256", "kid": "one", "n": modulus, "e": exponent}
        keys = "/.well-known/jwks.json"
        return {"/.well-known/openid-configuration": {"jwks_uri": self.url + keys}, keys: {"keys": [key]}}

    def token(self, **changes: Any) -> str:
        now = int(time.time())
        claims = {"iss": self.url, "aud": AUDIENCE, "sub": "ann", "iat": now - 5, "exp": now + 60, **changes}
        head = {"alg": "RS256", "kid": "one"}
        signed = ".".join(encoded(json.dumps(part).encode()) for part in (head, claims))
        signature = self.key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256())
        return f"{signed}.{encoded(signature)}"


@pytest.fixture(scope="module")
def issuer(town: Town) -> Iterator[Issuer]:
    """An issuer that a route of the API trusts, as the template has it with `JwtIssuer`, for these tests."""
    issuer, gateway = Issuer(), town.client("apigatewayv2")
    with answering(lambda asked: (200, issuer.documents().get(asked.path, {}))) as issuer.url:
        api = town.outputs["ApiUrl"].split("//")[1].split(".")[0]
        [route] = [each for each in gateway.get_routes(ApiId=api)["Items"] if each["RouteKey"] == ROUTE]
        authorizer = gateway.create_authorizer(
            ApiId=api,
            Name="tokens",
            AuthorizerType="JWT",
            IdentitySource=["$request.header.Authorization"],
            JwtConfiguration={"Issuer": issuer.url, "Audience": [AUDIENCE]},
        )["AuthorizerId"]
        changed = {"ApiId": api, "RouteId": route["RouteId"]}
        gateway.update_route(**changed, AuthorizationType="JWT", AuthorizerId=authorizer)
        yield issuer
        gateway.update_route(**changed, AuthorizationType=route["AuthorizationType"])
        gateway.delete_authorizer(ApiId=api, AuthorizerId=authorizer)


def asked_with(town: Town, token: str) -> int:
    """Give the status of a request with this token and no signature."""
    return Caller(town).ask("GET", "/models", signed=False, authorization=f"Bearer {token}").status


def test_a_good_token_opens_the_api_without_a_signature(town: Town, issuer: Issuer):
    assert asked_with(town, issuer.token()) == 200


@pytest.mark.parametrize(
    "changes",
    [{"aud": "others"}, {"iss": "http://127.0.0.1:1"}, {"exp": 1}],
    ids=["for others", "from others", "too late"],
)
def test_a_token_for_others_from_others_or_too_late_is_refused(town: Town, issuer: Issuer, changes: Any):
    assert asked_with(town, issuer.token(**changes)) == 401


def test_a_forged_token_and_none_at_all_are_refused(town: Town, issuer: Issuer):
    head, claims, _ = issuer.token().split(".")
    assert asked_with(town, f"{head}.{claims}.{encoded(bytes(256))}") == 401
    assert Caller(town).ask("GET", "/models").status == 401
