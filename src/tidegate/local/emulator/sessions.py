"""Credentials of roles for the services that act in them, as AWS issues them to its own service principals.

STS itself is not asked: the emulator lets root assume any role that trusts any service, and knows nothing of
whom a service acts for, so that a trust policy with a condition on the source would refuse everybody.
"""

from __future__ import annotations

import json
import secrets
import string
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tidegate.core.errors import TidegateError
from tidegate.local.emulator.names import identities, policies, sessions
from tidegate.local.settings import ACCOUNT, REGION

LIFETIME_SECONDS = 3600
_KEY_LETTERS = string.ascii_uppercase + "234567"


class RoleRefused(TidegateError):
    """A role that does not exist, or that does not trust the service."""


@dataclass(frozen=True)
class RoleSession:
    """Temporary credentials of a role.

    Parameters
    ----------
    access_key_id, secret_access_key, session_token
        What signs requests.
    expires
        When they end, in seconds since 1970.
    """

    access_key_id: str
    secret_access_key: str = field(repr=False)
    session_token: str = field(repr=False)
    expires: float


def check_trust(role_arn: str, service: str, source_arn: str) -> None:
    """Raise `RoleRefused` unless a service may assume a role on behalf of a resource.

    Parameters
    ----------
    role_arn
        The role.
    service
        The service principal, such as ``sagemaker.amazonaws.com``.
    source_arn
        The job, model or other resource that it acts for; with its account, what conditions ask for.
    """
    document = _find(role_arn).get("AssumeRolePolicyDocument", {})
    if isinstance(document, str):
        document = json.loads(document)
    statements = document.get("Statement", [])
    if isinstance(statements, Mapping):
        statements = [statements]
    # Who a statement is for is settled here: to the emulator one service is as good as another.
    ours = [{**each, "Principal": "*"} for each in statements if _names(each.get("Principal"), service)]
    question = policies.Question(
        principal_arn=service,
        principal_type="Service",
        principal_account=ACCOUNT,
        action="sts:AssumeRole",
        resource_arn=role_arn,
        region=REGION,
        secure_transport=True,
        service_context={"aws:sourceaccount": ACCOUNT, "aws:sourcearn": source_arn},
    )
    trusted: bool = policies.trusts({"Statement": ours}, service, question)
    if not trusted:
        raise RoleRefused(f"The trust policy of {role_arn} does not let {service} assume it.")


def issue(role_arn: str, session_name: str) -> RoleSession:
    """Return new credentials of a role; whether it may be assumed was asked before.

    Raises
    ------
    RoleRefused
        When there is no such role.
    """
    role = _find(role_arn)
    name = role_arn.rpartition("/")[2]
    session = RoleSession(
        access_key_id="ASIA" + "".join(secrets.choice(_KEY_LETTERS) for _ in range(16)),
        secret_access_key=secrets.token_urlsafe(30),
        session_token=secrets.token_urlsafe(120),
        expires=time.time() + LIFETIME_SECONDS,
    )
    sessions.register(
        session.access_key_id,
        {
            "Arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/{name}/{session_name}",
            "UserId": f"{role['RoleId']}:{session_name}",
            "SecretAccessKey": session.secret_access_key,
            "SessionToken": session.session_token,
            "Expiration": session.expires,
            "AccountId": ACCOUNT,
            "PrincipalType": "AssumedRole",
        },
    )
    return session


def _find(role_arn: str) -> Mapping[str, Any]:
    role: Mapping[str, Any] | None = identities.roles.get_scoped(ACCOUNT, None, role_arn.rpartition("/")[2])
    if role is None or role["Arn"] != role_arn:
        raise RoleRefused(f"There is no role {role_arn}.")
    return role


def _names(principal: Any, service: str) -> bool:
    if not isinstance(principal, Mapping):
        return isinstance(principal, str) and principal == "*"
    named: str | list[str] = principal.get("Service", [])
    return service == named if isinstance(named, str) else service in named
