"""The roles that jobs and models act in: one session each, renewed in time, given only to who has the token."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import CredentialRetrievalError
from hosting_stand_ins import make_context

from tidegate.core.errors import TidegateError
from tidegate.local.sagemaker.errors import ValidationException
from tidegate.local.sagemaker.roles import Roles

ROLE = "arn:aws:iam::000000000000:role/jobs"


@dataclass(frozen=True)
class Session:
    access_key_id: str
    expires: float
    secret_access_key: str = "secret"
    session_token: str = "token"


class Issuer:
    """Issues sessions that live as long as it is told."""

    def __init__(self, lifetime_seconds: float = 3600.0) -> None:
        self.lifetime_seconds = lifetime_seconds
        self.issued: list[tuple[str, str]] = []
        self.gone = False

    def check(self, role: str, service: str, source: str) -> None:
        if self.gone:
            raise TidegateError(f"There is no role {role}.")

    def issue(self, role: str, name: str) -> Session:
        self.check(role, "", "")
        self.issued.append((role, name))
        return Session(f"KEY{len(self.issued)}", time.time() + self.lifetime_seconds)


def make_roles(issuer: Issuer) -> Roles:
    return Roles(
        check=issuer.check,
        issue=issuer.issue,
        region="us-east-1",
        endpoint_url="http://127.0.0.1:1",
        credentials_url="http://127.0.0.1:1/credentials",
    )


def key_of(client: Any) -> str:
    return str(client._request_signer._credentials.get_frozen_credentials().access_key)


def test_all_who_act_in_a_role_share_its_session_and_clients() -> None:
    issuer = Issuer()
    roles = make_roles(issuer)
    s3, logs = (roles.access(ROLE).client(name) for name in ("s3", "logs"))
    assert roles.access(ROLE).client("s3") is s3
    assert (key_of(s3), key_of(logs)) == ("KEY1", "KEY1")
    assert issuer.issued == [(ROLE, "SageMaker")]


@pytest.mark.slow
def test_a_session_that_nears_its_end_is_renewed_under_a_client_that_lives_on() -> None:
    issuer = Issuer(lifetime_seconds=300.0)
    client = make_roles(issuer).access(ROLE).client("s3")
    before = key_of(client)
    assert key_of(client) != before


def test_nothing_is_issued_before_it_is_used() -> None:
    issuer = Issuer()
    make_roles(issuer).access(ROLE).client("s3")
    assert issuer.issued == []


def test_a_container_s_token_leads_to_its_role_and_to_no_other() -> None:
    roles = make_roles(Issuer())
    variables = roles.access(ROLE).variables
    assert "AWS_ACCESS_KEY_ID" not in variables
    document = roles.document(variables["AWS_CONTAINER_AUTHORIZATION_TOKEN"])
    assert document is not None
    assert (document["RoleArn"], document["AccessKeyId"]) == (ROLE, "KEY1")
    assert document["Expiration"].endswith("Z")
    assert roles.document("") is None
    assert roles.document("another") is None


def test_a_role_that_is_gone_fails_calls_in_words() -> None:
    issuer = Issuer()
    client = make_roles(issuer).access(ROLE).client("s3")
    issuer.gone = True
    with pytest.raises(CredentialRetrievalError, match="There is no role"):
        client.list_buckets()


def test_a_role_that_cannot_be_assumed_is_refused_with_aws_s_error() -> None:
    issuer = Issuer()
    issuer.gone = True
    with pytest.raises(ValidationException, match=r"Could not assume role .*role/jobs.*There is no role"):
        make_roles(issuer).check(ROLE, "arn:aws:sagemaker:us-east-1:000000000000:model/m")


def test_where_nothing_is_enforced_everybody_has_the_local_cloud_s_own_rights(tmp_path: Path) -> None:
    ctx = make_context(tmp_path)
    access = ctx.acting_as(ROLE)
    assert access.client("s3") is ctx.client("s3")
    assert access.variables == {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
    ctx.check_role("no role at all", "")
