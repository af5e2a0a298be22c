"""Which cloud a verb speaks to: the local one if it is up, otherwise AWS by the ordinary chain."""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from tidegate.cli.errors import CHOOSE_A_CLOUD, Trouble

if TYPE_CHECKING:
    from tidegate.local.cloud import Cloud

LOOPBACK = {"127.0.0.1", "localhost", "::1"}
LOCAL_REGION = "us-east-1"


@dataclass(frozen=True)
class Options:
    """What every verb can be told.

    Attributes
    ----------
    json : bool
        One JSON document on standard output.
    stack : str
        The name of the CloudFormation stack.
    profile, region : str or None
        For AWS; a profile means AWS.
    state : Path
        The folder of the local cloud.
    aws : bool
        Speak to AWS even if a local cloud is up.
    """

    json: bool = False
    stack: str = "tidegate"
    profile: str | None = None
    region: str | None = None
    state: Path = Path(".tidegate")
    aws: bool = False


@dataclass
class Place:
    """One cloud, found on first use, with a client for each of its services."""

    options: Options
    _clients: dict[str, Any] = field(default_factory=dict)
    _lock: threading.RLock = field(default_factory=threading.RLock)

    @cached_property
    def local(self) -> Cloud | None:
        """The local cloud if it is up and meant, otherwise None."""
        meant = not (self.options.aws or self.options.profile or os.environ.get("AWS_ENDPOINT_URL"))
        if not meant or not (self.options.state / "cloud.json").exists():
            return None
        from tidegate.local.cloud import CloudNotRunning, connect

        try:
            return connect(self.options.state)
        except CloudNotRunning:
            return None

    @property
    def is_near(self) -> bool:
        """Whether the cloud is on this machine, so that asking often costs nothing."""
        return self.local is not None or self._loopback

    @property
    def _loopback(self) -> bool:
        url = os.environ.get("AWS_ENDPOINT_URL", "")
        return urlsplit(url).hostname in LOOPBACK

    def __str__(self) -> str:
        if self.local is not None:
            return f"the local cloud at {self.local.endpoint_url}"
        if url := os.environ.get("AWS_ENDPOINT_URL"):
            return f"the cloud at {url}"
        region = self.options.region or os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
        return f"AWS in {region}" if region else "AWS"

    @cached_property
    def session(self) -> Any:
        """The boto3 session whose credentials and region requests are signed with."""
        if self.local is not None:
            return self.local.session
        import boto3

        session = boto3.Session(profile_name=self.options.profile, region_name=self._region)
        if session.get_credentials() is None:
            if self._loopback:
                return boto3.Session("test", "test", region_name=session.region_name or LOCAL_REGION)
            raise Trouble(
                f"No local cloud is up in {self.options.state} and no AWS credentials were found.",
                CHOOSE_A_CLOUD,
            )
        if session.region_name is None and self._loopback:
            return boto3.Session(profile_name=self.options.profile, region_name=LOCAL_REGION)
        return session

    @property
    def _region(self) -> str | None:
        # boto3 itself reads only AWS_DEFAULT_REGION; every other tool of AWS reads AWS_REGION first.
        return self.options.region or os.environ.get("AWS_REGION")

    def client(self, service: str) -> Any:
        """Give the boto3 client of a service; making one is not thread-safe, using it is."""
        with self._lock:
            if service not in self._clients:
                self._clients[service] = self._make(service)
            return self._clients[service]

    def _make(self, service: str) -> Any:
        if self.local is not None:
            return self.local.client(service)
        from botocore.config import Config

        config = Config(
            retries={"mode": "standard", "max_attempts": 3}, connect_timeout=5, user_agent_extra="tidegate"
        )
        return self.session.client(service, config=config)
