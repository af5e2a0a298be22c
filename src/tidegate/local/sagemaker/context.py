"""What every part of the local SageMaker is given: where it runs, its records, its images, its neighbours."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config

from tidegate.local.sagemaker.store import Store

if TYPE_CHECKING:
    from tidegate.local.sagemaker.images.registry import Image
    from tidegate.local.sagemaker.roles import Roles

Emit = Callable[[str, dict[str, Any], list[str]], None]


@dataclass(frozen=True)
class Access:
    """As whom a job or a model acts.

    Parameters
    ----------
    client
        Gives a boto3 client by the name of its service, to be shared among threads.
    variables
        What gives the containers the same rights.
    """

    client: Callable[[str], Any]
    variables: Mapping[str, str] = field(repr=False)


@dataclass
class Context:
    """The local SageMaker's surroundings.

    Parameters
    ----------
    region, account
        As they appear in ARNs.
    endpoint_url
        The local cloud itself, ``http://127.0.0.1:PORT``; S3, logs and metrics live there.
    root
        The state folder; containers get their own folders under ``root / "containers"``.
    store
        The durable records.
    images
        Finds the runner of a container image by its URI.
    emit
        Puts an event of source ``aws.sagemaker`` on the default bus: (detail type, detail, resource ARNs).
    max_jobs
        How many jobs may run at once; further ones wait.
    access_key_id, secret_access_key
        Credentials of the local SageMaker itself.
    roles
        Whom IAM policies are enforced for acts in its own role; None where nothing is enforced, and everybody
        has the credentials above.
    """

    region: str
    account: str
    endpoint_url: str
    root: Path
    store: Store
    images: Callable[[str], Image]
    emit: Emit
    max_jobs: int = 2
    access_key_id: str = "test"
    secret_access_key: str = field(default="test", repr=False)
    roles: Roles | None = None
    closing: threading.Event = field(default_factory=threading.Event, init=False, repr=False)
    _clients: dict[str, Any] = field(default_factory=dict, init=False, repr=False)
    _clients_lock: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False)

    def client(self, service: str) -> Any:
        """Return a boto3 client of the local cloud, made once per service and safe to share among threads."""
        client = self._clients.get(service)
        if client is None:
            # boto3 builds clients from a session that is not thread-safe, so only one is built at a time.
            with self._clients_lock:
                client = self._clients.get(service)
                if client is None:
                    client = self._clients[service] = self._make_client(service)
        return client

    def acting_as(self, role_arn: str) -> Access:
        """Return what a job or a model of this role reaches the local cloud with."""
        if self.roles is not None:
            return self.roles.access(role_arn)
        keys = {"AWS_ACCESS_KEY_ID": self.access_key_id, "AWS_SECRET_ACCESS_KEY": self.secret_access_key}
        return Access(self.client, keys)

    def check_role(self, role_arn: str, source_arn: str) -> None:
        """Refuse a role, with AWS's error, that SageMaker may not assume for a new resource."""
        if self.roles is not None:
            self.roles.check(role_arn, source_arn)

    def arn(self, kind: str, name: str) -> str:
        """Return the ARN of a resource, its name in lower case as SageMaker gives it.

        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp())
        >>> context = Context("us-east-1", "000000000000", "http://127.0.0.1:1", path, Store(path / "s.db"),
        ...                   images=lambda uri: None, emit=lambda *_: None)
        >>> context.arn("training-job", "Cars-1")
        'arn:aws:sagemaker:us-east-1:000000000000:training-job/cars-1'
        """
        return f"arn:aws:sagemaker:{self.region}:{self.account}:{kind}/{name.lower()}"

    def _make_client(self, service: str) -> Any:
        session = boto3.session.Session(
            aws_access_key_id=self.access_key_id, aws_secret_access_key=self.secret_access_key
        )
        return make_client(session, service, self.region, self.endpoint_url)


def make_client(session: boto3.session.Session, service: str, region: str, endpoint_url: str) -> Any:
    """Return a client of the local cloud with a session's credentials."""
    make: Any = session.client  # its stubs are one overload a service, which a variable cannot choose from
    return make(
        service,
        region_name=region,
        endpoint_url=endpoint_url,
        config=Config(
            max_pool_connections=64,
            retries={"mode": "standard", "max_attempts": 3},
            # The other end is this machine: checksums beyond what an operation requires only cost time.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        ),
    )
