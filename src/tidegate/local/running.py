"""A running local cloud: how to reach it, and how to find the one of a state folder."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from tidegate.local import settings
from tidegate.local.emulator import processes
from tidegate.local.settings import StateFolder


@dataclass(frozen=True)
class Cloud:
    """A running local cloud.

    Parameters
    ----------
    state
        Its state folder.
    port
        Its port on 127.0.0.1.
    pid
        Its process.
    started
        When it was started, ISO 8601.
    auth
        Whether IAM policies are enforced.
    """

    state: Path
    port: int
    pid: int
    started: str
    auth: bool

    @property
    def endpoint_url(self) -> str:
        """Where AWS clients find it."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def session(self) -> boto3.session.Session:
        """A session of the account's root."""
        return boto3.session.Session(
            aws_access_key_id=settings.ACCESS_KEY_ID,
            aws_secret_access_key=settings.SECRET_ACCESS_KEY,
            region_name=settings.REGION,
        )

    def client(self, service: str) -> Any:
        """Return a boto3 client of a service, as the account's root."""
        # A proxy set for the web must not be asked for 127.0.0.1.
        config = Config(proxies={}, retries={"mode": "standard", "max_attempts": 3})
        make: Any = self.session.client  # its stubs are one overload a service
        return make(service, endpoint_url=self.endpoint_url, config=config)

    @property
    def environment(self) -> dict[str, str]:
        """The variables that point AWS tools at this cloud."""
        return settings.client_environment(self.endpoint_url)


def running(folder: StateFolder) -> Cloud | None:
    """Return the local cloud that runs in a folder, if it answers."""
    record = read_record(folder)
    if record is None or not is_ours(record.pid, folder):
        return None
    deadline = time.monotonic() + 5.0
    while time.monotonic() < deadline and processes.alive(record.pid):
        answer = ask(record.port)
        if answer and answer.get("state") == str(folder.path):
            return record
        time.sleep(0.05)
    return None


def is_ours(pid: int, folder: StateFolder) -> bool:
    """Tell whether a recorded process is still ours: its number may have passed on to another program."""
    return processes.alive(pid) and pid in processes.marked(settings.MARKER, str(folder.path))


def ask(port: int) -> dict[str, Any] | None:
    """Return what a local cloud says on a port, with ``ready``; None when nothing of ours answers."""
    # Not through a proxy, whatever the environment says.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"http://127.0.0.1:{port}{settings.READY_PATH}", timeout=5) as response:
            return {**json.load(response), "ready": True}
    except urllib.error.HTTPError as refusal:
        try:
            return {**json.load(refusal), "ready": False}
        except ValueError:
            return None
    except (OSError, ValueError):
        return None


def write_record(folder: StateFolder, cloud: Cloud) -> None:
    """Note which local cloud runs in a folder."""
    content = {**asdict(cloud), "state": str(cloud.state), "endpoint_url": cloud.endpoint_url}
    partial = folder.record.with_suffix(".new")
    partial.write_text(json.dumps(content, indent=2) + "\n")
    partial.replace(folder.record)


def read_record(folder: StateFolder) -> Cloud | None:
    """Return which local cloud was last started in a folder; it need not run any more."""
    try:
        content = json.loads(folder.record.read_text())
        return Cloud(
            folder.path,
            content["port"],
            content["pid"],
            content.get("started", ""),
            content.get("auth", False),
        )
    except (FileNotFoundError, ValueError, KeyError):
        # A record cut off by a full disk says nothing; the marker still finds the processes.
        return None
