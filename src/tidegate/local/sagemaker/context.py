"""What every part of the local SageMaker is given: where it runs, its records, its images, its neighbours."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config

from tidegate.local.sagemaker.store import Store

if TYPE_CHECKING:
    from tidegate.local.sagemaker.images.registry import Image

Emit = Callable[[str, dict[str, Any], list[str]], None]


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
        Credentials for the local cloud, handed to clients and to containers.
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
            aws_access_key_id=self.access_key_id,
            aws_secret_access_key=self.secret_access_key,
            region_name=self.region,
        )
        return session.client(  # type: ignore[call-overload]
            service,
            endpoint_url=self.endpoint_url,
            config=Config(
                max_pool_connections=64,
                retries={"mode": "standard", "max_attempts": 3},
                # The other end is this machine: checksums beyond what an operation requires only cost time.
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
            ),
        )
