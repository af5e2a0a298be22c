"""A running local cloud: how to reach it, and how to find the one of a state folder."""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from tidegate.core.errors import TidegateError
from tidegate.local import settings
from tidegate.local.emulator import processes
from tidegate.local.files import write_whole
from tidegate.local.identity import ask
from tidegate.local.settings import StateFolder

_PATIENCE_SECONDS = 5.0


class BrokenRecord(TidegateError):
    """The record of who runs in a state folder cannot be read."""


class NotOurs(TidegateError):
    """What answers on the port is not the local cloud that was meant."""


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
    secret
        What it proves to know when it is asked who it is.
    """

    state: Path
    port: int
    pid: int
    started: str
    auth: bool
    secret: str = field(default="", repr=False)

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

    def confirm(self) -> None:
        """Raise `NotOurs` unless it is this very local cloud that answers on its port."""
        answer = ask(self.port, self.secret)
        if answer is not None and answer.ours and answer.pid == self.pid:
            return
        if answer is None:
            raise NotOurs(
                f"The local cloud of {self.state} does not answer on port {self.port} any more. Start it "
                "again with `tidegate up`."
            )
        raise NotOurs(
            f"On port {self.port} answers the local cloud of {answer.state} (process {answer.pid}), not that "
            f"of {self.state}. Start this one with `tidegate up --port PORT`."
        )


def running(folder: StateFolder) -> Cloud | None:
    """Return the local cloud that runs in a folder, if it answers and is the one of its record.

    Raises
    ------
    BrokenRecord
        When its record cannot be read.
    """
    record = read_record(folder)
    if record is None or not processes.alive(record.pid):
        return None
    answer = ask(record.port, record.secret)
    if answer is None and is_ours(record.pid, folder):
        # It lives, and is too busy to answer at once.
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while answer is None and time.monotonic() < deadline and processes.alive(record.pid):
            time.sleep(0.05)
            answer = ask(record.port, record.secret)
    is_it = (
        answer is not None and answer.ours and (answer.state, answer.pid) == (str(folder.path), record.pid)
    )
    return record if is_it else None


def is_ours(pid: int, folder: StateFolder) -> bool:
    """Tell whether a recorded process is still ours: its number may have passed on to another program."""
    return processes.alive(pid) and pid in processes.marked(settings.MARKER, str(folder.path))


def write_record(folder: StateFolder, cloud: Cloud) -> None:
    """Note which local cloud runs in a folder."""
    content = {**asdict(cloud), "state": str(cloud.state), "endpoint_url": cloud.endpoint_url}
    write_whole(folder.record, json.dumps(content, indent=2) + "\n")


def read_record(folder: StateFolder) -> Cloud | None:
    """Return which local cloud was last started in a folder; it need not run any more.

    Raises
    ------
    BrokenRecord
        When there is a record, and it is not one of ours.
    """
    try:
        content = json.loads(folder.record.read_bytes())
    except FileNotFoundError:
        return None
    except NotADirectoryError as error:
        raise BrokenRecord(f"{folder.path} is a file, and the local cloud's state needs a folder.") from error
    except OSError as error:
        raise _broken(folder, f"cannot be read ({error.strerror or error})") from error
    except (ValueError, RecursionError) as error:
        raise _broken(folder, "is not JSON; it was cut off or written over") from error
    members = content if isinstance(content, dict) else {}
    kinds = {"port": int, "pid": int, "started": str, "auth": bool, "secret": str}
    for name, kind in kinds.items():
        if type(members.get(name)) is not kind:
            raise _broken(folder, f"has no {name!r} as this release of Tidegate writes it")
    if not (0 < members["port"] < 65536 and members["pid"] > 1):
        raise _broken(folder, "names a port or a process that cannot be")
    return Cloud(folder.path, **{name: members[name] for name in kinds})


def _broken(folder: StateFolder, why: str) -> BrokenRecord:
    return BrokenRecord(
        f"{folder.record} {why}. It says which local cloud runs here: `tidegate up` ends what still runs and "
        "starts it anew with all that it holds; `tidegate down` only ends it."
    )
