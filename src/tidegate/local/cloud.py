"""Starts, finds and stops the local cloud of a state folder."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tidegate.core.errors import TidegateError
from tidegate.local import settings
from tidegate.local.emulator import processes
from tidegate.local.files import FOLDER_MODE, open_private, private_folder, tighten
from tidegate.local.holding import held, holder, holder_of, is_held
from tidegate.local.identity import EXIT_FOLDER_TAKEN, EXIT_PORT_TAKEN, PortTaken, ask, listen, new_secret
from tidegate.local.running import BrokenRecord, Cloud, NotOurs, read_record, running
from tidegate.local.settings import StateFolder

Progress = Callable[[str], None]

# Of a busy machine, where a start takes its time; whether the process is alive is looked at meanwhile.
_START_SECONDS = 240.0
_STOP_SECONDS = 60.0


__all__ = [
    "BrokenRecord",
    "Cloud",
    "CloudNotRunning",
    "CloudProblem",
    "CloudStatus",
    "NotOurs",
    "PortTaken",
    "connect",
    "down",
    "status",
    "up",
]


class CloudProblem(TidegateError):
    """The local cloud could not be started, found or stopped."""


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
    _make(folder)
    with held(folder.lock, _turn(folder), on_progress):
        try:
            found = running(folder)
        except BrokenRecord as problem:
            on_progress(f"Starting anew, because {problem}")
            found = None
        if found:
            _check_settings(found, port, auth)
            return found
        if left := _processes(folder):
            on_progress(f"Ending {len(left)} processes of a local cloud that did not end cleanly")
            _end_all(folder)
        _remove_record(folder)
        number = settings.DEFAULT_PORT if port is None else port
        listen(number).close()  # so that a port which is taken is told before anything is touched
        shutil.rmtree(folder.temporary, ignore_errors=True)
        private_folder(folder.temporary)
        on_progress(f"Starting the local cloud on 127.0.0.1:{number}")
        return _start(folder, number, auth, on_progress)


def down(state: Path | str = ".tidegate", on_progress: Progress = lambda _: None) -> None:
    """Stop the local cloud of a state folder with all its processes; its state is kept.

    Raises
    ------
    CloudProblem
        A process is left, in spite of all.
    """
    folder = StateFolder.of(state)
    if not folder.path.is_dir():
        return
    with held(folder.lock, _turn(folder), on_progress):
        try:
            record = read_record(folder)
        except BrokenRecord as problem:
            on_progress(str(problem))
            record = None
        if _processes(folder):
            on_progress("Stopping the local cloud")
        _end_all(folder)
        # Whoever else has taken the port since is none of ours, and none of our business.
        answer = ask(record.port, record.secret) if record else None
        if record and answer and answer.ours and answer.state == str(folder.path):
            raise CloudProblem(
                f"The local cloud of {folder.path} still answers on port {record.port}. End its process with "
                f"`kill {answer.pid}`."
            )
        _remove_record(folder)
        shutil.rmtree(folder.temporary, ignore_errors=True)


def connect(state: Path | str = ".tidegate") -> Cloud:
    """Return the running local cloud of a state folder.

    Raises
    ------
    CloudNotRunning
        There is none.
    BrokenRecord
        The record of who runs there cannot be read.
    """
    folder = StateFolder.of(state)
    cloud = running(folder)
    if cloud is None:
        raise CloudNotRunning(f"No local cloud is running in {folder.path}. Start it with `tidegate up`.")
    return cloud


def status(state: Path | str = ".tidegate") -> CloudStatus:
    """Return how the local cloud of a state folder is doing."""
    folder = StateFolder.of(state)
    try:
        cloud = running(folder)
    except BrokenRecord:
        cloud = None
    return CloudStatus(folder.path, cloud, len(_processes(folder)))


def _start(folder: StateFolder, port: int, auth: bool, on_progress: Progress) -> Cloud:
    secret = new_secret()
    environment = {
        **settings.daemon_environment(folder, port, auth, os.environ),
        settings.PROOF_SETTING: secret,
    }
    with open_private(folder.daemon_log) as log:
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
    try:
        return _wait_until_ready(folder, port, secret, process, on_progress)
    except BaseException:
        _end_all(folder, process.pid)
        raise


def _wait_until_ready(
    folder: StateFolder, port: int, secret: str, process: subprocess.Popen[bytes], on_progress: Progress
) -> Cloud:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise _refusal(folder, port, process.returncode)
        answer = ask(port, secret)
        # Whoever else answers there: our process ends by itself when it finds the port taken.
        if answer is not None and answer.ours and answer.pid == process.pid:
            if answer.problem:
                raise CloudProblem(_failure(folder, answer.problem))
            if answer.ready and (cloud := read_record(folder)):
                for sentence in answer.mended:
                    on_progress(sentence)
                return cloud
        time.sleep(0.03)
    raise CloudProblem(_failure(folder, f"did not answer within {_START_SECONDS:g} seconds"))


def _refusal(folder: StateFolder, port: int, status: int) -> TidegateError:
    """Return why a local cloud's process ended at once."""
    if status == EXIT_PORT_TAKEN:
        try:
            listen(port).close()
        except PortTaken as taken:
            return taken
        return PortTaken(
            f"Another program listened on port {port} a moment ago. Try again, or choose another port."
        )
    if status == EXIT_FOLDER_TAKEN:
        return CloudProblem(
            f"Another local cloud ({holder(folder.running)}) has the state folder {folder.path}. Stop it "
            f"with `tidegate down`, or choose another folder with `--state`."
        )
    return CloudProblem(_failure(folder, f"ended with status {status}"))


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


def _make(folder: StateFolder) -> None:
    """Make the state folder, or see to it that nobody else reads what is in it."""
    if folder.path.exists() and not folder.path.is_dir():
        raise CloudProblem(
            f"{folder.path} is a file, and the local cloud's state needs a folder. Choose another place for "
            f"it with `--state`."
        )
    private_folder(folder.path)
    tighten(path for path in folder.entries if path.exists())
    # A folder in which other things lie too is somebody's, who decides who may look into it.
    if set(folder.path.iterdir()) <= {*folder.entries, folder.path / ".gitignore"}:
        folder.path.chmod(FOLDER_MODE)


def _turn(folder: StateFolder) -> str:
    return f"starts or stops the local cloud of {folder.path}"


def _processes(folder: StateFolder) -> list[int]:
    """Return the processes of a folder's local cloud: those that carry its name, and who holds the folder."""
    found = set(processes.marked(settings.MARKER, str(folder.path)))
    # One whose folder was moved carries the name of old.
    if is_held(folder.running) and (number := holder_of(folder.running)):
        found.add(number)
    return sorted(found)


def _end_all(folder: StateFolder, first: int = 0) -> None:
    """End the daemon first, so that it can save and stop its own; then whatever is left."""
    tree = _processes(folder)
    first = first or holder_of(folder.running)
    if first in tree:
        processes.end([first], _STOP_SECONDS)
    # Children that the daemon has just let go of end by themselves in a moment.
    processes.wait_for_end(tree, 1.0)
    left = set(_processes(folder)) | {pid for pid in tree if processes.alive(pid)}
    if still := processes.end(sorted(left), 2.0):
        numbers = ", ".join(map(str, still))
        raise CloudProblem(f"The processes {numbers} of the local cloud of {folder.path} cannot be ended.")


def _remove_record(folder: StateFolder) -> None:
    if folder.record.is_dir() and not folder.record.is_symlink():
        shutil.rmtree(folder.record)
    else:
        folder.record.unlink(missing_ok=True)
