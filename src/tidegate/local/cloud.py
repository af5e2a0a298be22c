"""Starts, finds and stops the local cloud of a state folder."""

from __future__ import annotations

import fcntl
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from tidegate.core.errors import TidegateError
from tidegate.local import settings
from tidegate.local.emulator import processes
from tidegate.local.running import Cloud, ask, is_ours, read_record, running, write_record
from tidegate.local.settings import StateFolder

Progress = Callable[[str], None]

_START_SECONDS = 60.0
_STOP_SECONDS = 15.0


__all__ = [
    "Cloud",
    "CloudNotRunning",
    "CloudProblem",
    "CloudStatus",
    "PortTaken",
    "connect",
    "down",
    "status",
    "up",
]


class CloudProblem(TidegateError):
    """The local cloud could not be started, found or stopped."""


class PortTaken(CloudProblem):
    """Another program listens on the port."""


class CloudNotRunning(CloudProblem):
    """There is no local cloud running in the state folder."""


@dataclass(frozen=True)
class CloudStatus:
    """How a state folder's local cloud is doing; without one, ``cloud`` is None."""

    state: Path
    cloud: Cloud | None
    processes: int


def up(
    state: Path | str = ".tidegate",
    port: int | None = None,
    auth: bool = False,
    on_progress: Progress = lambda _: None,
) -> Cloud:
    """Start the local cloud of a state folder, or find it running.

    Parameters
    ----------
    state
        The state folder; made if need be.
    port
        The port on 127.0.0.1; by default 4566, or where it runs already.
    auth
        Whether IAM policies are enforced.
    on_progress
        Told in words what is being done.

    Raises
    ------
    PortTaken
        Another program listens on the port.
    CloudProblem
        It runs already with other settings, or does not start.
    """
    folder = StateFolder.of(state)
    folder.path.mkdir(parents=True, exist_ok=True)
    with _locked(folder):
        if found := running(folder):
            _check_settings(found, port, auth)
            return found
        if left := processes.marked(settings.MARKER, str(folder.path)):
            on_progress(f"Ending {len(left)} processes of a local cloud that did not end cleanly")
            _end_all(folder)
        number = settings.DEFAULT_PORT if port is None else port
        _check_port(number)
        shutil.rmtree(folder.temporary, ignore_errors=True)
        folder.temporary.mkdir()
        on_progress(f"Starting the local cloud on 127.0.0.1:{number}")
        return _start(folder, number, auth)


def down(state: Path | str = ".tidegate", on_progress: Progress = lambda _: None) -> None:
    """Stop the local cloud of a state folder with all its processes; its state is kept.

    Raises
    ------
    CloudProblem
        A process or the port is left, in spite of all.
    """
    folder = StateFolder.of(state)
    if not folder.path.is_dir():
        return
    with _locked(folder):
        record = read_record(folder)
        if record and is_ours(record.pid, folder):
            on_progress("Stopping the local cloud")
        _end_all(folder)
        if record and not _is_free(record.port):
            raise CloudProblem(
                f"The local cloud of {folder.path} has ended, but another program listens on its port "
                f"{record.port}. Find it with `lsof -i :{record.port}`."
            )
        folder.record.unlink(missing_ok=True)
        shutil.rmtree(folder.temporary, ignore_errors=True)


def connect(state: Path | str = ".tidegate") -> Cloud:
    """Return the running local cloud of a state folder.

    Raises
    ------
    CloudNotRunning
        There is none.
    """
    folder = StateFolder.of(state)
    cloud = running(folder)
    if cloud is None:
        raise CloudNotRunning(f"No local cloud is running in {folder.path}. Start it with `tidegate up`.")
    return cloud


def status(state: Path | str = ".tidegate") -> CloudStatus:
    """Return how the local cloud of a state folder is doing."""
    folder = StateFolder.of(state)
    count = len(processes.marked(settings.MARKER, str(folder.path)))
    return CloudStatus(folder.path, running(folder), count)


def _start(folder: StateFolder, port: int, auth: bool) -> Cloud:
    environment = settings.daemon_environment(folder, port, auth, os.environ)
    with folder.daemon_log.open("wb") as log:
        process = subprocess.Popen(
            settings.daemon_command(folder, port, auth),
            env=environment,
            cwd=folder.path,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            # A session of its own: it outlives the terminal, and Ctrl-C there does not reach it.
            start_new_session=True,
        )
    cloud = Cloud(folder.path, port, process.pid, datetime.now(UTC).isoformat(timespec="seconds"), auth)
    write_record(folder, cloud)
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            folder.record.unlink(missing_ok=True)
            raise CloudProblem(_failure(folder, f"ended with status {process.returncode}"))
        answer = ask(port)
        if answer and answer.get("problem"):
            _end_all(folder)
            raise CloudProblem(_failure(folder, str(answer["problem"])))
        if answer and answer["ready"]:
            return cloud
        time.sleep(0.03)
    _end_all(folder)
    raise CloudProblem(_failure(folder, f"did not answer within {_START_SECONDS:g} seconds"))


def _failure(folder: StateFolder, what: str) -> str:
    lines = folder.daemon_log.read_text(errors="replace").strip().splitlines()[-5:]
    said = f" Its last words: {' | '.join(lines)}" if lines else ""
    return f"The local cloud did not start: {what}.{said} All it said is in {folder.daemon_log}."


def _check_settings(running: Cloud, port: int | None, auth: bool) -> None:
    if port not in (None, running.port):
        raise CloudProblem(
            f"The local cloud of {running.state} runs already, on port {running.port}. To move it to port "
            f"{port}, stop it first with `tidegate down`."
        )
    if auth != running.auth:
        enforces = "enforces IAM policies" if running.auth else "does not enforce IAM policies"
        raise CloudProblem(
            f"The local cloud of {running.state} runs already and {enforces}. To change that, stop it first "
            f"with `tidegate down`."
        )


def _check_port(port: int) -> None:
    if not _is_free(port):
        raise PortTaken(
            f"Another program listens on port {port} of this machine. Stop it (`lsof -i :{port}` names it), "
            f"or choose another port with `--port`."
        )


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        # As the server will: a port whose connections are still winding down is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
            probe.listen()
        except OSError:
            return False
    return True


def _end_all(folder: StateFolder) -> None:
    """End the daemon first, so that it can save and stop its own; then whatever is left."""
    record = read_record(folder)
    tree = processes.marked(settings.MARKER, str(folder.path))
    if record and record.pid in tree:
        processes.end([record.pid], _STOP_SECONDS)
    # Children that the daemon has just let go of end by themselves in a moment.
    processes.wait_for_end(tree, 1.0)
    left = set(processes.marked(settings.MARKER, str(folder.path))) | {
        pid for pid in tree if processes.alive(pid)
    }
    if still := processes.end(sorted(left), 2.0):
        numbers = ", ".join(map(str, still))
        raise CloudProblem(f"The processes {numbers} of the local cloud of {folder.path} cannot be ended.")


@contextmanager
def _locked(folder: StateFolder) -> Iterator[None]:
    """Let only one program at a time start or stop the local cloud of a folder."""
    with folder.lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
