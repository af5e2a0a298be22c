"""One variant's model server, kept alive: started again when it dies or no longer answers its ping.

The pauses before a restart grow, and there is an end to them.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable, Sequence
from typing import Protocol

from tidegate.local.sagemaker.containers.serving import Answer, CannotServe, NotAnswered

log = logging.getLogger(__name__)

# A server that dies again and again is given up after these; one that lived long enough begins anew.
RESTART_PAUSES_SECONDS = (0.1, 0.5, 2.0, 5.0, 15.0, 30.0, 30.0, 30.0)
HEALTHY_SECONDS = 60.0
STOP_GRACE_SECONDS = 30.0
# How often it is asked whether it is well, and how often in a row it may fail to say so. A server that works
# on one request may have no time for others, for the 60 seconds that a request may take.
PING_EVERY_SECONDS = 5.0
MOST_SILENT_PINGS = 3
MOST_SILENT_PINGS_AT_WORK = 15

_UNAVAILABLE = 503
# What AWS shows as the original status of a container that did not answer in time.
_TIMED_OUT = 0


class Servers(Protocol):
    """The running containers of a model, as `containers.serving.ModelServers` are."""

    @property
    def running(self) -> bool:
        """True while every container's process runs."""

    def silent(self) -> int | None:
        """Ask each container whether it is well; return the first that does not say so, or None."""

    def invoke(
        self, body: bytes, content_type: str, accept: str, headers: dict[str, str], timeout_seconds: float
    ) -> Answer:
        """Pass a request through the containers."""

    def stop(self, grace_seconds: float) -> None:
        """Stop them."""


OnExit = Callable[[int, int], None]
Start = Callable[[OnExit, Callable[[], None]], Servers]


class ReplicaFailed(Exception):
    """A variant's model server did not come up; the message says why and where to look."""


class _Stopped(Exception):
    """The replica was stopped while its server was starting."""


class Replica:
    """The model server of one variant.

    Parameters
    ----------
    title
        What messages call it.
    start
        Starts the containers: given what to call when one ends, and what to call now and then while waiting
        (it ends the start by raising).
    container_names
        Names of the containers, for messages.
    on_given_up
        Called with the reason when the server died too often to be started again.
    on_stopped
        Called when the server was stopped for good.
    pauses
        Seconds before each restart.
    ping_every_seconds
        How often the server is asked whether it is well.
    """

    def __init__(
        self,
        title: str,
        start: Start,
        *,
        container_names: Sequence[str] = ("primary",),
        on_given_up: Callable[[str], None] | None = None,
        on_stopped: Callable[[], None] = lambda: None,
        pauses: Sequence[float] = RESTART_PAUSES_SECONDS,
        ping_every_seconds: float = PING_EVERY_SECONDS,
    ) -> None:
        self.title = title
        self.container_names = tuple(container_names)
        self._start = start
        self._on_given_up = on_given_up
        self._on_stopped = on_stopped
        self._pauses = pauses
        self._ping_every = ping_every_seconds
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._servers: Servers | None = None
        self._since = 0.0
        self._failures = 0
        self._down = "it is starting"
        self._restart: threading.Thread | None = None
        self._at_work = 0
        self._answers = 0
        self._health = threading.Thread(target=self._watch, name=f"health {title}", daemon=True)

    def start(self) -> None:
        """Start the server and wait until it answers its ping.

        Raises
        ------
        ReplicaFailed
            When it does not come up.
        """
        try:
            self._bring_up()
        except (CannotServe, _Stopped) as error:
            raise ReplicaFailed(str(error)) from error
        self._health.start()

    def answer(
        self, body: bytes, content_type: str, accept: str, headers: dict[str, str], timeout_seconds: float
    ) -> Answer:
        """Ask the server; a server that is down or silent gives an answer of its own making.

        Such an answer has status 503, or 0 when the time was up (what AWS gives as ``OriginalStatusCode``).
        """
        servers = self._servers
        if servers is None:
            return _no_answer(
                _UNAVAILABLE, f"The model server of {self.title} does not run: {self._down}.", 0
            )
        with self._lock:
            self._at_work += 1
        try:
            answer = servers.invoke(body, content_type, accept, headers, timeout_seconds)
            self._answers += 1
            return answer
        except NotAnswered as error:
            if error.timed_out:
                text = (
                    "Your invocation timed out while waiting for a response from container "
                    f"{self.container_name(error.container)}: {timeout_seconds:g} seconds were not enough."
                )
                return _no_answer(_TIMED_OUT, text, error.container)
            return _no_answer(_UNAVAILABLE, str(error), error.container)
        finally:
            with self._lock:
                self._at_work -= 1

    def container_name(self, number: int) -> str:
        """Return the name of a container by its position."""
        return self.container_names[number] if number < len(self.container_names) else str(number)

    def stop(self, grace_seconds: float = STOP_GRACE_SECONDS) -> None:
        """Stop the server, also one that is being started; idempotent."""
        self._stopping.set()
        with self._lock:
            servers, self._servers = self._servers, None
            self._down = "it was stopped"
            restart = self._restart
        if servers is not None:
            servers.stop(grace_seconds)
        for thread in (restart, self._health):
            if thread is not None and thread.is_alive() and thread is not threading.current_thread():
                thread.join()
        self._on_stopped()

    def _bring_up(self) -> None:
        servers = self._start(self._ended, self._check)
        with self._lock:
            if not self._stopping.is_set():
                self._servers = servers
                self._since = time.monotonic()
        if self._stopping.is_set():
            servers.stop(0.0)
            raise _Stopped("it was stopped while it was starting")
        if not servers.running:
            # It died between its first ping and here, when nobody could say whose death that was.
            self._ended(0, -1)

    def _check(self) -> None:
        if self._stopping.is_set():
            raise _Stopped("it was stopped while it was starting")

    def _ended(self, container: int, exit_code: int) -> None:
        """Take note of a container's death; called from its own thread, also during a start."""
        self._lose(f"container {self.container_name(container)} ended with exit code {exit_code}")

    def _watch(self) -> None:
        """Ask the server now and then whether it is well, as SageMaker does, until the replica is stopped."""
        watched: Servers | None = None
        failures = answers = 0
        while not self._stopping.wait(self._ping_every):
            servers = self._servers
            container = None if servers is None else servers.silent()
            # An answer is a sign of life too.
            if container is None or answers != self._answers:
                failures, answers = 0, self._answers
                continue
            failures = failures + 1 if servers is watched else 1
            watched = servers
            if failures >= (MOST_SILENT_PINGS_AT_WORK if self._at_work else MOST_SILENT_PINGS):
                name = self.container_name(container)
                self._lose(f"container {name} did not answer GET /ping {failures} times in a row", servers)

    def _lose(self, why: str, whom: Servers | None = None) -> None:
        """Have the server started again; `whom` tells which one, lest its successor be meant."""
        with self._lock:
            servers = self._servers
            if servers is None or (whom is not None and servers is not whom):
                return
            self._servers = None
            self._down = why
            if time.monotonic() - self._since >= HEALTHY_SECONDS:
                self._failures = 0
            self._restart = threading.Thread(
                target=self._revive, args=(servers,), name=f"restart {self.title}", daemon=True
            )
            # Under the lock, so that a stop sees a thread that it can join.
            self._restart.start()

    def _revive(self, dead: Servers) -> None:
        log.warning("%s: %s; it is started again", self.title, self._down)
        # The other containers of a pipeline go too: they are started together, as they were at first.
        dead.stop(0.0)
        while self._failures < len(self._pauses):
            pause = self._pauses[self._failures]
            self._failures += 1
            if self._stopping.wait(pause):
                return
            try:
                self._bring_up()
            except _Stopped:
                return
            except CannotServe as error:
                self._down = str(error).rstrip(".")
                log.warning("%s could not be started again: %s", self.title, error)
            else:
                return
        reason = (
            f"{self.title} died {self._failures} times and is not started again: {self._down}. "
            "Update the endpoint to start it anew."
        )
        log.error("%s", reason)
        if self._on_given_up is not None:
            self._on_given_up(reason)


def _no_answer(status: int, text: str, container: int) -> Answer:
    return Answer(
        status, {"content-type": "application/json"}, json.dumps({"message": text}).encode(), container
    )
