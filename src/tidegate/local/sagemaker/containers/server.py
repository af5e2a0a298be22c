"""One container that serves: its folder and model, its process on a port of this machine, its HTTP."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import urllib3
from urllib3.exceptions import HTTPError, NewConnectionError, ProtocolError
from urllib3.exceptions import TimeoutError as HTTPTimeout

from tidegate.local.sagemaker.containers import ports
from tidegate.local.sagemaker.containers.archives import BadArchive, unpack
from tidegate.local.sagemaker.containers.environment import container_environment
from tidegate.local.sagemaker.containers.failures import CannotServe, ModelUnread, NotAnswered
from tidegate.local.sagemaker.containers.layout import ContainerRoot, lay_out_serving, make_root
from tidegate.local.sagemaker.containers.mounting import seen_at_opt_ml
from tidegate.local.sagemaker.containers.process import CannotStart, Child
from tidegate.local.sagemaker.containers.transfer import (
    TransferError,
    download_all,
    download_file,
    find_objects,
)
from tidegate.local.sagemaker.context import Access, Context

_CONNECT_SECONDS = 2.0
# AWS gives a container two seconds for a ping.
_PING_SECONDS = 2.0


@dataclass(frozen=True)
class Answer:
    """What a model answered; header names are in lower case, `container` is the index of who answered."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    container: int = 0

    @property
    def content_type(self) -> str:
        """The Content-Type header, or an empty string."""
        return self.headers.get("content-type", "")


class Server:
    """One container definition of a model, run as a model server.

    Parameters
    ----------
    number
        Its index in the pipeline.
    ctx
        The local SageMaker's surroundings.
    access
        As whom it fetches its model and runs.
    definition
        The container definition: Image, ModelDataUrl or ModelDataSource, Environment.
    container_id
        The name of its folder.
    """

    def __init__(
        self, number: int, ctx: Context, access: Access, definition: Mapping[str, Any], container_id: str
    ) -> None:
        self.number = number
        self.title = f"Container {number + 1} of the model ({definition.get('Image', 'no image')})"
        self.child: Child | None = None
        self._ctx = ctx
        self._access = access
        self._definition = definition
        self._container_id = container_id
        self._root: ContainerRoot | None = None
        self._port = 0
        self._http: urllib3.HTTPConnectionPool | None = None

    def start(
        self,
        environment: Mapping[str, str],
        on_line: Callable[[int, str], None],
        on_exit: Callable[[int, int], None],
        connections: int,
        threads: int | None,
    ) -> None:
        """Unpack the model and start the process; raise `CannotServe` when that cannot be done."""
        command = self._command()
        self._root = root = make_root(self._ctx.root / "containers", self._container_id)
        lay_out_serving(root)
        self._load(root)
        self._port = ports.take()
        variables = {**self._definition.get("Environment", {}), **environment}
        env = container_environment(self._ctx, self._access, root, variables, threads=threads)
        env["SAGEMAKER_BIND_TO_PORT"] = str(self._port)
        self._http = urllib3.HTTPConnectionPool(
            "127.0.0.1", self._port, maxsize=connections, block=False, retries=False
        )
        try:
            self.child = Child(
                seen_at_opt_ml(root.ml, command, env),
                env=env,
                cwd=root.path,
                on_line=lambda line: on_line(self.number, line),
                on_exit=lambda code: on_exit(self.number, code),
            )
        except CannotStart as error:
            raise self._refusal(str(error)) from error

    def ping(self) -> bool:
        """True when GET /ping answers 200."""
        try:
            return self._get("/ping", _PING_SECONDS).status == 200
        except HTTPError:
            return False

    def execution_parameters(self) -> dict[str, Any]:
        """What GET /execution-parameters says; empty when the container has no such page."""
        try:
            answer = self._get("/execution-parameters", _PING_SECONDS)
            said = json.loads(answer.data) if answer.status == 200 else {}
        except (HTTPError, ValueError):
            return {}
        return said if isinstance(said, dict) else {}

    def invoke(self, body: bytes, headers: Mapping[str, str], timeout_seconds: float) -> Answer:
        """Send one POST /invocations; raise `NotAnswered` when no answer comes."""
        try:
            answer = self._post(body, headers, timeout_seconds)
        except HTTPError as error:
            if _is_timeout(error):
                raise NotAnswered(
                    f"{self.title} did not answer within {timeout_seconds:.0f} seconds.",
                    container=self.number,
                    timed_out=True,
                ) from error
            ended = "" if self.child is None or self.child.running else " Its process has ended."
            raise NotAnswered(
                f"{self.title} broke the connection without an answer.{ended}",
                container=self.number,
                timed_out=False,
            ) from error
        names = {name.lower(): value for name, value in answer.headers.items()}
        return Answer(answer.status, names, answer.data, self.number)

    def raise_if_ended(self) -> None:
        """Raise `CannotServe` when the process is gone."""
        if self.child is None or self.child.running:
            return
        raise CannotServe(
            f"{self.title} ended with exit code {self.child.exit_code} before it answered GET /ping. "
            "Its log tells why.",
            container=self.number,
            fault="algorithm",
        )

    def port_is_another_s(self) -> bool:
        """True when our process is gone and yet somebody listens on its port."""
        if self.child is None or self.child.running:
            return False
        with socket.socket() as probe:
            probe.settimeout(_CONNECT_SECONDS)
            return probe.connect_ex(("127.0.0.1", self._port)) == 0

    def close(self) -> None:
        """Give back the connections, the port and the folder; the process must have ended."""
        if self._http is not None:
            self._http.close()
        if self._port:
            ports.give_back(self._port)
            self._port = 0
        if self._root is not None:
            self._root.remove()

    def _command(self) -> tuple[str, ...]:
        uri = self._definition.get("Image")
        if not uri:
            raise self._refusal("It names no image; models from a model package are not served here.")
        if self._definition.get("Mode") == "MultiModel":
            raise self._refusal("Several models in one container (Mode MultiModel) are not served here.")
        try:
            image = self._ctx.images(uri)
        except (LookupError, ValueError) as error:
            raise self._refusal(str(error)) from error
        if image.serve is None:
            raise self._refusal(
                f"The image {image.repository} is registered without a serve command, so it can't be served."
            )
        return image.serve

    def _load(self, root: ContainerRoot) -> None:
        """Bring the model's files to /opt/ml/model."""
        folder = root.ml / "model"
        source = self._definition.get("ModelDataSource", {}).get("S3DataSource", {})
        uri = self._definition.get("ModelDataUrl") or source.get("S3Uri")
        if not uri:
            return
        s3 = self._access.client("s3")
        try:
            if source.get("CompressionType") == "None":
                download_all(s3, find_objects(s3, uri), folder)
                return
            with _temporary(root.path / "model.tar.gz") as archive:
                download_file(s3, uri, archive)
                unpack(archive, folder)
        except TransferError as error:
            raise ModelUnread(
                f"{self.title} cannot start. Its model data could not be fetched: {error}",
                container=self.number,
                fault="client",
            ) from error
        except BadArchive as error:
            raise self._refusal(f"Its model data {uri} cannot be used: {error}") from error

    def _refusal(self, reason: str) -> CannotServe:
        return CannotServe(f"{self.title} cannot start. {reason}", container=self.number, fault="client")

    def _get(self, path: str, timeout_seconds: float) -> urllib3.BaseHTTPResponse:
        assert self._http is not None
        return self._http.request("GET", path, timeout=timeout_seconds)

    def _post(
        self, body: bytes, headers: Mapping[str, str], timeout_seconds: float
    ) -> urllib3.BaseHTTPResponse:
        assert self._http is not None
        # On this machine a connection is made at once or, where a server is too busy to take it, part of the
        # waiting: one limit for all.
        timeout = urllib3.Timeout(total=timeout_seconds)

        def post() -> urllib3.BaseHTTPResponse:
            assert self._http is not None
            return self._http.request("POST", "/invocations", body=body, headers=headers, timeout=timeout)

        try:
            return post()
        except ProtocolError as error:
            # A server may close an idle connection in the moment that we take it up again: ask once more.
            if self.child is None or not self.child.running or _is_timeout(error):
                raise
            return post()


def _is_timeout(error: HTTPError) -> bool:
    """Tell whether the time was up, which urllib3's classes alone do not.

    It counts a refused connection among the timeouts, and a server that stops reading its request among the
    broken connections.
    """
    if isinstance(error, ProtocolError):
        return any(isinstance(each, TimeoutError) for each in error.args)
    return isinstance(error, HTTPTimeout) and not isinstance(error, NewConnectionError)


@contextmanager
def _temporary(path: Path) -> Iterator[Path]:
    try:
        yield path
    finally:
        path.unlink(missing_ok=True)
