"""What jobs of every kind share: a thread each, a bounded number at once, stop requests, waiting, the end."""

from __future__ import annotations

import enum
import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tidegate.local.sagemaker.context import Context

log = logging.getLogger(__name__)

Record = dict[str, Any]

# How long the processes of a job get when the local cloud itself goes down.
SHUTDOWN_GRACE_SECONDS = 2.0
_SHUTDOWN_SECONDS = 15.0
# How often `wait` asks its caller whether to go on; the end of the job itself wakes it at once.
_ASK_SECONDS = 0.2


@dataclass(frozen=True)
class Kind:
    """The names that a kind of job has in records, operations, events and logs."""

    kind: str
    word: str
    title: str

    @property
    def name_key(self) -> str:
        """``TrainingJobName``."""
        return f"{self.word}Name"

    @property
    def arn_key(self) -> str:
        """``TrainingJobArn``."""
        return f"{self.word}Arn"

    @property
    def status_key(self) -> str:
        """``TrainingJobStatus``."""
        return f"{self.word}Status"

    @property
    def end_key(self) -> str:
        """``TrainingEndTime``."""
        return f"{self.title.replace(' ', '')}EndTime"

    @property
    def event(self) -> str:
        """``SageMaker Training Job State Change``."""
        return f"SageMaker {self.title} Job State Change"

    @property
    def log_group(self) -> str:
        """``/aws/sagemaker/TrainingJobs``."""
        return f"/aws/sagemaker/{self.word}s"


TRAINING = Kind("training-job", "TrainingJob", "Training")
PROCESSING = Kind("processing-job", "ProcessingJob", "Processing")
TRANSFORM = Kind("transform-job", "TransformJob", "Transform")
TUNING = Kind("hyper-parameter-tuning-job", "HyperParameterTuningJob", "HyperParameter Tuning")
KINDS = (TRAINING, PROCESSING, TRANSFORM, TUNING)


class Cause(enum.Enum):
    """Why a job ends before its work is done."""

    ASKED = "asked to stop"
    MAX_RUNTIME = "ran longer than MaxRuntimeInSeconds"
    MAX_WAIT = "took longer than MaxWaitTimeInSeconds"
    SHUTDOWN = "the local cloud stopped"


class Interrupted(Exception):
    """The job must end now; `cause` says why."""

    def __init__(self, cause: Cause) -> None:
        super().__init__(cause.value)
        self.cause = cause


class Job:
    """A job that is under way: what its thread and those who stop it or wait for it have in common."""

    def __init__(self, ctx: Context, kind: Kind, name: str, max_wait_seconds: float | None = None) -> None:
        self.ctx = ctx
        self.kind = kind
        self.name = name
        self.done = threading.Event()
        self.wake = threading.Event()
        """Set by whatever the job's thread may be waiting for: an interruption, the end of a process."""
        self.metric_values: Callable[[str], list[float]] = lambda _: []
        """All values so far of a metric that a training job prints."""
        self._lock = threading.Lock()
        self._cause: Cause | None = None
        self._deadlines: list[tuple[float, Cause]] = []
        if max_wait_seconds is not None:
            self.limit(max_wait_seconds, Cause.MAX_WAIT)

    @property
    def cause(self) -> Cause | None:
        """Why the job must end, None while it may go on."""
        with self._lock:
            if self._cause is None:
                passed = [cause for at, cause in self._deadlines if time.monotonic() >= at]
                self._cause = passed[0] if passed else None
            return self._cause

    def limit(self, seconds: float, cause: Cause) -> None:
        """End the job with this cause when `seconds` have gone by."""
        with self._lock:
            self._deadlines.append((time.monotonic() + seconds, cause))

    def interrupt(self, cause: Cause) -> None:
        """End the job; the first cause counts, except that the end of the local cloud overrules all."""
        with self._lock:
            if self._cause is None or cause is Cause.SHUTDOWN:
                self._cause = cause
        self.wake.set()

    def check(self) -> None:
        """Raise `Interrupted` when the job must end."""
        if (cause := self.cause) is not None:
            raise Interrupted(cause)

    def seconds_left(self) -> float | None:
        """How long until the nearest limit; None without one."""
        with self._lock:
            if not self._deadlines:
                return None
            return max(min(at for at, _ in self._deadlines) - time.monotonic(), 0.0)


class Room:
    """All jobs of one local SageMaker."""

    def __init__(self, ctx: Context) -> None:
        self.ctx = ctx
        self._change = threading.Condition()
        self._waiting: deque[Job] = deque()
        self._running = 0
        self._jobs: dict[tuple[str, str], Job] = {}
        self._closed = False

    def start(self, job: Job, run: Callable[[], None]) -> None:
        """Run a job's work on a thread of its own. `run` does not raise."""

        def work() -> None:
            try:
                run()
            except BaseException:
                log.exception("the work of %s %s failed beyond repair", job.kind.kind, job.name)
            finally:
                with self._change:
                    del self._jobs[job.kind.kind, job.name]
                job.done.set()

        with self._change:
            self._jobs[job.kind.kind, job.name] = job
            if self._closed:
                job.interrupt(Cause.SHUTDOWN)
        threading.Thread(target=work, name=f"{job.kind.kind} {job.name}", daemon=True).start()

    def find(self, kind: str, name: str) -> Job | None:
        """Return a job that is under way."""
        with self._change:
            return self._jobs.get((kind, name))

    def interrupt(self, kind: str, name: str, cause: Cause) -> None:
        """Interrupt a job, also one that waits for its turn; nothing happens when it has ended."""
        with self._change:
            if (job := self._jobs.get((kind, name))) is not None:
                job.interrupt(cause)
                self._change.notify_all()

    def is_full(self) -> bool:
        """True when a further job would have to wait for its turn."""
        with self._change:
            return self._running + len(self._waiting) >= self.ctx.max_jobs

    def take_turn(self, job: Job) -> None:
        """Wait until one of the places is free, first come first served; raise `Interrupted` when stopped."""
        with self._change:
            self._waiting.append(job)
            try:
                while job.cause is None and not (
                    self._running < self.ctx.max_jobs and self._waiting[0] is job
                ):
                    self._change.wait(job.seconds_left())
                job.check()
                self._running += 1
            finally:
                self._waiting.remove(job)
                self._change.notify_all()

    def end_turn(self) -> None:
        """Give the place to the next job."""
        with self._change:
            self._running -= 1
            self._change.notify_all()

    def close(self) -> None:
        """End all jobs and wait for them; may be called more than once."""
        with self._change:
            self._closed = True
            jobs = list(self._jobs.values())
            for job in jobs:
                job.interrupt(Cause.SHUTDOWN)
            self._change.notify_all()
        deadline = time.monotonic() + _SHUTDOWN_SECONDS
        for job in jobs:
            if not job.done.wait(max(deadline - time.monotonic(), 0.0)):
                log.error("%s %s did not end in time", job.kind.kind, job.name)


_rooms: dict[int, Room] = {}
_rooms_lock = threading.Lock()


def room_of(ctx: Context) -> Room:
    """Return the room of a context."""
    with _rooms_lock:
        # The room holds its context, so that the number stays its own.
        if id(ctx) not in _rooms:
            _rooms[id(ctx)] = Room(ctx)
        return _rooms[id(ctx)]


def open_room(ctx: Context) -> None:
    """Begin with an empty room, also after a shutdown."""
    with _rooms_lock:
        _rooms[id(ctx)] = Room(ctx)


def wait_for(ctx: Context, kind: str, name: str, should_stop: Callable[[], bool]) -> None:
    """Return when a job has ended, or soon after `should_stop` turns true."""
    job = room_of(ctx).find(kind, name)
    while job is not None and not job.done.wait(_ASK_SECONDS):
        if should_stop():
            return
