"""From a job's first moment to its last: its turn, its work, its container, and the state that it ends in."""

from __future__ import annotations

import logging
import re
import shutil
import signal
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tidegate.local.sagemaker.containers.layout import ContainerRoot
from tidegate.local.sagemaker.containers.logs import LogStream
from tidegate.local.sagemaker.containers.mounting import seen_at_opt_ml
from tidegate.local.sagemaker.containers.process import CannotStart, Child
from tidegate.local.sagemaker.jobs import records
from tidegate.local.sagemaker.jobs.lifecycle import SHUTDOWN_GRACE_SECONDS, Cause, Interrupted, Job, room_of
from tidegate.local.sagemaker.jobs.records import ALGORITHM, CLIENT, INTERNAL, JobFailed

if TYPE_CHECKING:
    from tidegate.local.sagemaker.images.registry import Image

log = logging.getLogger(__name__)

# (status, failure reason, why it was interrupted)
Finish = Callable[[str, str | None, Cause | None], None]

STOP_GRACE_SECONDS = 120.0
_LOOK_SECONDS = 0.1
_LEAST_ROOM_BYTES = 1024**2
_PYTHON = re.compile(r"(?:.*/)?python(?:3(?:\.\d+)?)?")


class Run(ABC):
    """A job under way, whatever its kind.

    Parameters
    ----------
    job
        Its handle.
    record
        Its record as it was created.
    """

    takes_turn = True

    def __init__(self, job: Job, record: dict[str, Any]) -> None:
        self._job = job
        self._ctx = job.ctx
        self._record = record

    def run(self) -> None:
        """Do it all; never raises."""
        run_to_end(self._job, self._work, self._finish, takes_turn=self.takes_turn)

    @abstractmethod
    def _work(self) -> None:
        """Do the job's work; raise JobFailed or Interrupted where it does not come to its end."""

    @abstractmethod
    def _finish(self, status: str, reason: str | None, cause: Cause | None) -> None:
        """Write down how it ended."""


class ContainerRun(Run):
    """A job under way that is one container, acting in the job's role and logging into its kind's group."""

    def __init__(self, job: Job, record: dict[str, Any]) -> None:
        super().__init__(job, record)
        self._access = job.ctx.acting_as(record["RoleArn"])
        self._s3 = self._access.client("s3")
        self._stream = f"{job.name}/algo-1-{int(time.time())}"
        self._logs = LogStream(self._access.client("logs"), job.kind.log_group, self._stream)


def run_to_end(job: Job, work: Callable[[], None], finish: Finish, *, takes_turn: bool = True) -> None:
    """Wait for the job's turn, if it takes one, do its work, and finish it once, whatever happens."""
    room = room_of(job.ctx)
    status, reason, cause = records.COMPLETED, None, None
    try:
        if records.describe(job.ctx, job.kind, job.name)[job.kind.status_key] == records.STOPPING:
            job.interrupt(Cause.ASKED)  # asked between the making of the record and this thread
        if takes_turn:
            room.take_turn(job)
        try:
            work()
        finally:
            if takes_turn:
                room.end_turn()
    except Interrupted as error:
        status, cause = records.STOPPED, error.cause
    except JobFailed as error:
        status, reason = records.FAILED, str(error)
    except Exception as error:
        log.exception("%s %s failed for a reason that nobody foresaw", job.kind.kind, job.name)
        status = records.FAILED
        reason = (
            f"{INTERNAL}: the local SageMaker failed over this job ({type(error).__name__}). "
            "Its own log has the details."
        )
    if job.cause is Cause.SHUTDOWN and status != records.COMPLETED:
        status, reason, cause = records.FAILED, records.CLOUD_STOPPED, None
    finish(status, reason, cause)


def run_container(
    job: Job,
    argv: Sequence[str],
    *,
    env: Mapping[str, str],
    root: ContainerRoot,
    on_line: Callable[[str], None],
    grace_seconds: float | None = None,
) -> int:
    """Run a job's container to its end and return the exit code.

    When the job is interrupted, the container gets SIGTERM, the time to save what it has, and SIGKILL;
    the caller then looks at ``job.cause``.
    """
    job.check()
    try:
        child = Child(
            seen_at_opt_ml(root.ml, argv, env),
            env=env,
            cwd=root.path,
            on_line=on_line,
            on_exit=lambda _: job.wake.set(),
        )
    except CannotStart as error:
        raise JobFailed(CLIENT, f"The container could not be started: {error}") from error
    while child.running:
        job.wake.wait(job.seconds_left())
        if child.running and job.cause is not None:
            _stop(job, child, STOP_GRACE_SECONDS if grace_seconds is None else grace_seconds)
    code = child.wait()
    assert code is not None
    return code


def find_image(job: Job, uri: str) -> Image:
    """Return the runner of an image, or fail the job with the sentence that says how to register one."""
    try:
        return job.ctx.images(uri)
    except (LookupError, ValueError) as error:
        raise JobFailed(CLIENT, str(error)) from error


def entrypoint_command(image: Image, entrypoint: Sequence[str], arguments: Sequence[str]) -> list[str]:
    """Return the command of a job's own entry point; its Python is the one that the image runs on.

    Examples
    --------
    >>> from tidegate.local.sagemaker.images.registry import Image
    >>> image = Image("x", process=("/env/bin/python",))
    >>> entrypoint_command(image, ["python3", "/opt/ml/code/run.py"], ["--n", "1"])
    ['/env/bin/python', '/opt/ml/code/run.py', '--n', '1']
    """
    program, *rest = entrypoint
    if _PYTHON.fullmatch(program):
        return [*(image.process or (sys.executable,)), *rest, *arguments]
    return [*entrypoint, *arguments]


def container_failure(ml: Path, code: int, log_group: str, stream: str) -> JobFailed:
    """Return the failure of a container that ended with an exit code other than 0."""
    ending = f", exit code: {code}"
    said = failure_text(ml / "output" / "failure")
    if not said:
        how = f"was killed by signal {code - 128}" if code > 128 else "ended"
        said = f"The container {how} and wrote no /opt/ml/output/failure. See {stream} in {log_group}"
        if shutil.disk_usage(ml).free < _LEAST_ROOM_BYTES:
            said = f"There is no room left on the disk that holds {ml.parent.parent}. {said}"
    room = records.LONGEST_REASON - len(f"{ALGORITHM}: {ending}")
    return JobFailed(ALGORITHM, said[:room] + ending)


def failure_text(path: Path, most: int = records.LONGEST_REASON) -> str:
    """Return what a container wrote into a message file, cut to what AWS keeps; empty when there is none."""
    try:
        with path.open("rb") as file:
            return file.read(most * 4).decode("utf-8", "replace")[:most].strip()
    except OSError:
        return ""


def whole_seconds(start: Any, end: Any) -> int:
    """Return the seconds between two times, as AWS bills them."""
    seconds: float = (end - start).total_seconds()
    return max(round(seconds), 0)


def _stop(job: Job, child: Child, grace_seconds: float) -> None:
    child.signal(signal.SIGTERM)
    begun = time.monotonic()
    while child.wait(_LOOK_SECONDS) is None:
        # The local cloud may go down while the job is given its time.
        patience = SHUTDOWN_GRACE_SECONDS if job.cause is Cause.SHUTDOWN else grace_seconds
        if time.monotonic() - begun >= patience:
            child.kill()
            child.wait()
            return
