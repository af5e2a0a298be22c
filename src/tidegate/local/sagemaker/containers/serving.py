"""Model servers: a model's containers started and waited for, and one call that goes through all of them.

Batch transform and endpoints share this. It keeps no policy: what to do when a server dies, how long to let
requests finish, which variant answers, is decided by the caller.
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from tidegate.local.sagemaker.containers.failures import CannotServe, ModelUnread, NotAnswered
from tidegate.local.sagemaker.containers.server import Answer, Server
from tidegate.local.sagemaker.context import Context

__all__ = [
    "Answer",
    "CannotServe",
    "ModelServers",
    "ModelUnread",
    "NotAnswered",
    "containers_of",
    "role_of",
    "start_model",
]

Record = Mapping[str, Any]
# (index of the container, line)
OnLine = Callable[[int, str], None]

STOP_GRACE_SECONDS = 30.0
_FIRST_WAIT_SECONDS = 0.005
_LONGEST_WAIT_SECONDS = 0.1


def containers_of(model: Record) -> list[Record]:
    """Return a model's container definitions in the order of requests.

    Examples
    --------
    >>> containers_of({"ModelName": "cars", "PrimaryContainer": {"Image": "xgboost"}})
    [{'Image': 'xgboost'}]
    """
    return list(model.get("Containers") or [model["PrimaryContainer"]])


def role_of(model: Record) -> str:
    """Return the role that a model acts in; empty when it was created without one."""
    return str(model.get("ExecutionRoleArn", ""))


class ModelServers:
    """A running model: one server process for each container, requests passed from the first to the last.

    Make one with `start_model`. Safe to share among threads.
    """

    def __init__(
        self,
        ctx: Context,
        model: Record,
        instance_id: str,
        *,
        environment: Mapping[str, str],
        on_line: OnLine,
        on_exit: Callable[[int, int], None] | None,
        connections: int,
        threads: int | None,
    ) -> None:
        self.stopping = False
        self._wake = threading.Event()
        self._servers: list[Server] = []
        try:
            access = ctx.acting_as(role_of(model))
            for number, container in enumerate(containers_of(model)):
                server = Server(number, ctx, access, container, f"{instance_id}.{number}")
                self._servers.append(server)
                server.start(environment, on_line, self._ended(on_exit), connections, threads)
        except BaseException:
            self.stop(0.0)
            raise

    @property
    def running(self) -> bool:
        """True while every container's process runs."""
        return all(server.child is not None and server.child.running for server in self._servers)

    @property
    def pids(self) -> list[int]:
        """The process ids of the containers, in order."""
        return [server.child.pid for server in self._servers if server.child is not None]

    def wait_ready(self, timeout_seconds: float, check: Callable[[], None] = lambda: None) -> None:
        """Wait until every container answers its ping with 200.

        `check` is called now and then and ends the wait by raising. Raises `CannotServe` when a container
        ends or stays silent for `timeout_seconds`.
        """
        deadline = time.monotonic() + timeout_seconds
        for server in self._servers:
            wait_seconds = _FIRST_WAIT_SECONDS
            while not server.ping():
                check()
                for each in self._servers:
                    each.raise_if_ended()
                if time.monotonic() >= deadline:
                    raise CannotServe(
                        f"{server.title} did not answer GET /ping with 200 within "
                        f"{timeout_seconds:g} seconds. Its log tells what it was doing.",
                        container=server.number,
                        fault="algorithm",
                    )
                self._wake.wait(wait_seconds)
                wait_seconds = min(wait_seconds * 1.5, _LONGEST_WAIT_SECONDS)
            # Someone else's server on our port would answer too, while ours has died of it.
            server.raise_if_ended()

    def silent(self) -> int | None:
        """Ask each container whether it is well; return the first that does not say so, or None."""
        return next((server.number for server in self._servers if not server.ping()), None)

    def invoke(
        self,
        body: bytes,
        content_type: str | None = None,
        accept: str | None = None,
        headers: Mapping[str, str] | None = None,
        timeout_seconds: float = 60.0,
    ) -> Answer:
        """Send a request through the containers.

        Each container's body and Content-Type are the next one's request; `accept` goes to the last one
        only. An answer other than 2xx ends the way and is returned, with the container that gave it.

        Parameters
        ----------
        headers
            Further headers for every container, such as ``X-Amzn-SageMaker-Custom-Attributes``.
        timeout_seconds
            For all containers together.

        Raises
        ------
        NotAnswered
            When a container gave no answer.
        """
        deadline = time.monotonic() + timeout_seconds
        last = len(self._servers) - 1
        answer: Answer | None = None
        for server in self._servers:
            sent = dict(headers or {})
            if content_type:
                sent["Content-Type"] = content_type
            if accept and server.number == last:
                sent["Accept"] = accept
            answer = server.invoke(body, sent, max(deadline - time.monotonic(), 0.001))
            if not 200 <= answer.status < 300:
                return answer
            body, content_type = answer.body, answer.content_type
        assert answer is not None
        return answer

    def execution_parameters(self) -> dict[str, Any]:
        """Return what the containers say of themselves under GET /execution-parameters, joined.

        The smallest concurrency and payload win, and one container that wants single records decides so for
        the pipeline. Empty when no container says anything.
        """
        said = [parameters for server in self._servers if (parameters := server.execution_parameters())]
        joined: dict[str, Any] = {}
        for key in ("MaxConcurrentTransforms", "MaxPayloadInMB"):
            numbers = [value for parameters in said if isinstance(value := parameters.get(key), int)]
            if numbers:
                joined[key] = min(numbers)
        strategies = [parameters["BatchStrategy"] for parameters in said if "BatchStrategy" in parameters]
        if strategies:
            single = "SINGLE_RECORD" in strategies
            joined["BatchStrategy"] = "SINGLE_RECORD" if single else "MULTI_RECORD"
        return joined

    def lost_port(self, container: int) -> bool:
        """True when a container ended because another program listens on its port."""
        return self._servers[container].port_is_another_s()

    def stop(self, grace_seconds: float = STOP_GRACE_SECONDS) -> None:
        """Stop all containers (SIGTERM, patience, SIGKILL) and delete their folders; idempotent."""
        self.stopping = True
        self._wake.set()
        children = [server.child for server in self._servers if server.child is not None]
        for child in children:
            child.signal(signal.SIGTERM)
        deadline = time.monotonic() + grace_seconds
        for child in children:
            child.stop(max(deadline - time.monotonic(), 0.0))
        for server in self._servers:
            server.close()

    def _ended(self, on_exit: Callable[[int, int], None] | None) -> Callable[[int, int], None]:
        def ended(number: int, code: int) -> None:
            self._wake.set()
            if on_exit is not None and not self.stopping:
                on_exit(number, code)

        return ended


def start_model(
    ctx: Context,
    model: Record,
    instance_id: str,
    *,
    environment: Mapping[str, str] | None = None,
    on_line: OnLine,
    on_exit: Callable[[int, int], None] | None = None,
    timeout_seconds: float = 480.0,
    check: Callable[[], None] = lambda: None,
    connections: int = 8,
    threads: int | None = None,
) -> ModelServers:
    """Start a model's containers and wait until all of them answer their ping.

    Parameters
    ----------
    ctx
        The local SageMaker's surroundings.
    model
        The model's Describe record.
    instance_id
        Names the containers' folders; unique among what runs, for example ``endpoint-cars-all-1f3a``.
    environment
        Further variables for every container; they win over the model's own.
    on_line
        Called with (container index, line) for what the containers print.
    on_exit
        Called with (container index, exit code) when a container ends that nobody stopped, also during the
        start.
    timeout_seconds
        How long the containers may take to answer their ping; SageMaker's own limit is 8 minutes.
    check
        Called while waiting; ends the start by raising.
    connections
        How many requests may be under way at once without a new connection each.
    threads
        Bound for the numeric libraries' threads in each container.

    Raises
    ------
    CannotServe
        When an image is unknown, an archive is bad, or a container does not come up. Nothing is left running.
    """
    for attempts_left in (2, 1, 0):
        servers = ModelServers(
            ctx,
            model,
            instance_id,
            environment=environment or {},
            on_line=on_line,
            on_exit=on_exit,
            connections=connections,
            threads=threads,
        )
        try:
            servers.wait_ready(timeout_seconds, check)
        except BaseException as error:
            # Between our choice of a port and the server's bind, another program may have taken it.
            port_lost = isinstance(error, CannotServe) and servers.lost_port(error.container)
            servers.stop(0.0)
            if not (port_lost and attempts_left):
                raise
            continue
        return servers
    raise AssertionError("the last attempt returns or raises")
