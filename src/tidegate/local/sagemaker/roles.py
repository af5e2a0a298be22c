"""Jobs and models in their own roles, as on AWS: clients whose credentials renew themselves, and the same for
containers, which fetch theirs from an address of the local cloud.
"""

from __future__ import annotations

import os
import secrets
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any, Protocol

import boto3
import botocore.session
from botocore.credentials import CredentialProvider, CredentialResolver, DeferredRefreshableCredentials
from botocore.exceptions import CredentialRetrievalError

from tidegate.core.errors import TidegateError
from tidegate.local.sagemaker.context import Access, make_client
from tidegate.local.sagemaker.errors import ValidationException

SERVICE = "sagemaker.amazonaws.com"
SESSION_NAME = "SageMaker"
# Clients and containers ask anew a quarter of an hour before the end; what they get must live longer.
_LEAST_SECONDS = 1200.0


class Session(Protocol):
    """Temporary credentials of a role, as `emulator.sessions.RoleSession` are."""

    @property
    def access_key_id(self) -> str:
        """The key's name."""

    @property
    def secret_access_key(self) -> str:
        """The key."""

    @property
    def session_token(self) -> str:
        """What goes with the key."""

    @property
    def expires(self) -> float:
        """When they end, in seconds since 1970."""


class Roles:
    """The roles that jobs and models act in; one session of each is shared by all who act in it.

    Parameters
    ----------
    check
        Raises a `TidegateError` unless a service may assume a role: (role ARN, service, ARN it acts for).
    issue
        Makes credentials: (role ARN, name of the session); raises a `TidegateError` where there is no role.
    region, endpoint_url
        Of the local cloud.
    credentials_url
        Where containers fetch their credentials.
    """

    def __init__(
        self,
        *,
        check: Callable[[str, str, str], None],
        issue: Callable[[str, str], Session],
        region: str,
        endpoint_url: str,
        credentials_url: str,
    ) -> None:
        self._check = check
        self._issue = issue
        self._region = region
        self._endpoint_url = endpoint_url
        self._credentials_url = credentials_url
        self._lock = threading.RLock()
        self._sessions: dict[str, Session] = {}
        self._makers: dict[str, boto3.session.Session] = {}
        self._clients: dict[tuple[str, str], Any] = {}
        self._access: dict[str, Access] = {}
        self._by_token: dict[str, str] = {}

    def check(self, role_arn: str, source_arn: str) -> None:
        """Raise AWS's error when SageMaker may not act in a role for this resource."""
        try:
            self._check(role_arn, SERVICE, source_arn)
        except TidegateError as error:
            raise ValidationException(
                f"Could not assume role {role_arn}. Please ensure that the role exists and allows principal "
                f"'{SERVICE}' to assume the role. {error}"
            ) from error

    def access(self, role_arn: str) -> Access:
        """Return a role's clients, and the variables that lead its containers to their credentials."""
        with self._lock:
            if role_arn not in self._access:
                token = secrets.token_urlsafe(32)
                self._by_token[token] = role_arn
                variables = {
                    "AWS_CONTAINER_CREDENTIALS_FULL_URI": self._credentials_url,
                    "AWS_CONTAINER_AUTHORIZATION_TOKEN": token,
                    # AWS's libraries would ask these first, and find the profiles of whoever sits here.
                    "AWS_CONFIG_FILE": os.devnull,
                    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
                }
                self._access[role_arn] = Access(partial(self._client, role_arn), variables)
            return self._access[role_arn]

    def document(self, token: str) -> dict[str, str] | None:
        """Return what a container with this token gets, in the form of AWS's address; None for a stranger.

        Raises
        ------
        TidegateError
            When the role is gone.
        """
        role_arn = self._by_token.get(token)
        if role_arn is None:
            return None
        session = self._session(role_arn)
        return {
            "RoleArn": role_arn,
            "AccessKeyId": session.access_key_id,
            "SecretAccessKey": session.secret_access_key,
            "Token": session.session_token,
            "Expiration": _iso(session.expires),
        }

    def _session(self, role_arn: str) -> Session:
        with self._lock:
            session = self._sessions.get(role_arn)
            if session is None or session.expires - time.time() < _LEAST_SECONDS:
                session = self._sessions[role_arn] = self._issue(role_arn, SESSION_NAME)
            return session

    def _client(self, role_arn: str, service: str) -> Any:
        key = (role_arn, service)
        client = self._clients.get(key)
        if client is None:
            # boto3 builds clients from a session that is not thread-safe, so only one is built at a time.
            with self._lock:
                client = self._clients.get(key)
                if client is None:
                    maker = self._maker(role_arn)
                    client = make_client(maker, service, self._region, self._endpoint_url)
                    self._clients[key] = client
        return client

    def _maker(self, role_arn: str) -> boto3.session.Session:
        if role_arn not in self._makers:
            inner = botocore.session.Session()
            resolver = CredentialResolver([_Renewing(partial(self._metadata, role_arn))])
            inner.register_component("credential_provider", resolver)
            self._makers[role_arn] = boto3.session.Session(botocore_session=inner)
        return self._makers[role_arn]

    def _metadata(self, role_arn: str) -> dict[str, str]:
        try:
            session = self._session(role_arn)
        except TidegateError as error:
            raise CredentialRetrievalError(provider=SERVICE, error_msg=str(error)) from error
        return {
            "access_key": session.access_key_id,
            "secret_key": session.secret_access_key,
            "token": session.session_token,
            "expiry_time": _iso(session.expires),
        }


class _Renewing(CredentialProvider):
    """Credentials that are fetched on first use, and again before they end."""

    METHOD = "tidegate-role"

    def __init__(self, fetch: Callable[[], dict[str, str]]) -> None:
        super().__init__()
        self._fetch = fetch

    def load(self) -> DeferredRefreshableCredentials:
        return DeferredRefreshableCredentials(self._fetch, self.METHOD)


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
