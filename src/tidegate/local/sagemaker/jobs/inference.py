"""The inner loop of batch transform: files cut into requests, several under way, answers joined in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYet
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from tidegate.local.sagemaker.containers.serving import Answer, ModelServers, NotAnswered
from tidegate.local.sagemaker.containers.transfer import (
    S3Object,
    TransferError,
    download_file,
    join_uri,
    upload_file,
)
from tidegate.local.sagemaker.jobs.association import Association, BadRecord
from tidegate.local.sagemaker.jobs.lifecycle import Job
from tidegate.local.sagemaker.jobs.records import ALGORITHM, CLIENT, JobFailed
from tidegate.local.sagemaker.jobs.splitting import Batch, Cut, batches

_LOOK_SECONDS = 0.2
_FIRST_PAUSE_SECONDS = 0.1
_SERVER_ERROR = 500
_TOO_MANY = 429
_SHOWN_CHARACTERS = 500


@dataclass(frozen=True)
class FileFailure:
    """An input file that has no output, and why."""

    item: S3Object
    whose: str
    message: str


class _Failed(Exception):
    """A request failed for good."""

    def __init__(self, whose: str, message: str) -> None:
        super().__init__(message)
        self.whose = whose


@dataclass
class _File:
    """An input file under way."""

    item: S3Object
    source: Path
    output_path: Path
    output: IO[bytes]
    failure: FileFailure | None = None


# A request under way, or None after a file's last one.
_Step = tuple[_File, Batch | None, "Future[Answer] | None"]


@dataclass
class Inference:
    """Everything that files are sent through; `run` does it once.

    Parameters
    ----------
    job, s3, servers
        The job, the S3 client, the running model.
    association, cut
        What is done with records; how files are cut into them.
    content_type, accept
        Headers of the requests.
    by_line
        AssembleWith Line: every answer ends with a newline.
    output_uri
        Where ``<path>.out`` goes.
    concurrency, timeout_seconds, retries
        How many requests at once, how long each may take, how often a failed one is repeated.
    on_failure
        Told of each file that fails.
    """

    job: Job
    s3: Any
    servers: ModelServers
    association: Association
    cut: Cut
    content_type: str | None
    accept: str | None
    by_line: bool
    output_uri: str
    concurrency: int
    timeout_seconds: float
    retries: int
    on_failure: Callable[[FileFailure], None]
    _failures: list[FileFailure] = field(default_factory=list, init=False)
    _open: list[_File] = field(default_factory=list, init=False)

    def run(self, items: list[S3Object], folder: Path) -> list[FileFailure]:
        """Transform all files; return those that failed. `folder` is for what is under way."""
        under_way: deque[_Step] = deque()
        pool = ThreadPoolExecutor(self.concurrency, f"transform {self.job.name}")
        try:
            for file, batch in self._batches(items, folder):
                future = None if batch is None else pool.submit(self._ask, batch.body)
                under_way.append((file, batch, future))
                # One more than is asked at once: the next request is ready when one of them is answered.
                while len(under_way) > self.concurrency:
                    self._take(*under_way.popleft())
            while under_way:
                self._take(*under_way.popleft())
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
            for file in self._open:
                file.output.close()
        return self._failures

    def _batches(self, items: list[S3Object], folder: Path) -> Iterator[tuple[_File, Batch | None]]:
        """Yield each file's requests, then the file with None."""
        for number, item in enumerate(items):
            source, output = folder / f"{number}.in", folder / f"{number}.out"
            file = _File(item, source, output, output.open("wb"))
            self._open.append(file)
            try:
                download_file(self.s3, item.uri, source, self.job.check)
                for batch in batches(source, self.cut, self.association.divide):
                    self.job.check()
                    yield file, batch
                    if file.failure is not None:
                        break
            except (TransferError, BadRecord) as error:
                self._fail(file, CLIENT, str(error))
            source.unlink(missing_ok=True)
            yield file, None

    def _take(self, file: _File, batch: Batch | None, future: Future[Answer] | None) -> None:
        """Wait for the oldest request and write its answer, or end its file."""
        if batch is None or future is None:
            self._end(file)
            return
        try:
            answer = self._wait(future)
            if file.failure is None:
                file.output.write(self._assemble(batch, answer))
        except _Failed as error:
            self._fail(file, error.whose, str(error))
        except BadRecord as error:
            self._fail(file, CLIENT, str(error))

    def _wait(self, future: Future[Answer]) -> Answer:
        while True:
            self.job.check()
            try:
                return future.result(_LOOK_SECONDS)
            except NotYet:
                continue

    def _ask(self, body: bytes) -> Answer:
        """Send one request, again when the container fails over it, and return its answer."""
        pause_seconds = _FIRST_PAUSE_SECONDS
        for attempts_left in range(self.retries, -1, -1):
            self.job.check()
            failure = _Failed(ALGORITHM, "")
            try:
                answer = self.servers.invoke(
                    body, self.content_type, self.accept, timeout_seconds=self.timeout_seconds
                )
            except NotAnswered as error:
                if not self.servers.running:
                    raise JobFailed(ALGORITHM, f"{error} Its log tells why.") from error
                failure = _Failed(ALGORITHM, str(error))
            else:
                if 200 <= answer.status < 300:
                    return answer
                failure = _refused(answer)
                if answer.status < _SERVER_ERROR and answer.status != _TOO_MANY:
                    raise failure
            if attempts_left:
                self.job.wake.wait(pause_seconds)
                pause_seconds *= 2
        raise failure

    def _assemble(self, batch: Batch, answer: Answer) -> bytes:
        if self.association.changes_output:
            outputs = self.association.outputs(batch.kept, answer.body)
            return b"".join(output + b"\n" for output in outputs) if self.by_line else b"".join(outputs)
        if self.by_line and answer.body and not answer.body.endswith(b"\n"):
            return answer.body + b"\n"
        return answer.body

    def _end(self, file: _File) -> None:
        file.output.close()
        self._open.remove(file)
        try:
            if file.failure is None:
                upload_file(self.s3, file.output_path, join_uri(self.output_uri, f"{file.item.path}.out"))
        except TransferError as error:
            self._fail(file, CLIENT, str(error))
        file.output_path.unlink()

    def _fail(self, file: _File, whose: str, message: str) -> None:
        if file.failure is None:
            file.failure = FileFailure(file.item, whose, message)
            self._failures.append(file.failure)
            self.on_failure(file.failure)


def _refused(answer: Answer) -> _Failed:
    whose = ALGORITHM if answer.status >= _SERVER_ERROR else CLIENT
    said = answer.body[: _SHOWN_CHARACTERS * 4].decode("utf-8", "replace")[:_SHOWN_CHARACTERS].strip()
    return _Failed(
        whose, f"Container {answer.container + 1} of the model answered {answer.status}: {said or 'nothing'}"
    )
