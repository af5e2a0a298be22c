"""Checkpoints of a training job: what S3 holds is brought before it begins, what it writes is copied back."""

from __future__ import annotations

import logging
import threading
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tidegate.local.sagemaker.containers.layout import ContainerRoot
from tidegate.local.sagemaker.containers.transfer import (
    TransferError,
    download_all,
    files_in,
    join_uri,
    list_objects,
    upload_file,
)

log = logging.getLogger(__name__)

_DEFAULT_FOLDER = "/opt/ml/checkpoints"
_EVERY_SECONDS = 5.0


class Checkpoints:
    """Keeps a folder of the container in step with an S3 prefix while the job runs.

    Use it as a context manager around the container; without a checkpoint configuration it does nothing.
    Files that the container deletes stay in S3, as on AWS.
    """

    def __init__(self, s3: Any, folder: Path | None, uri: str) -> None:
        self._s3 = s3
        self._folder = folder
        self._uri = uri
        self._seen: dict[Path, tuple[int, int]] = {}
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"checkpoints {uri}", daemon=True)

    @classmethod
    def of(cls, s3: Any, root: ContainerRoot, config: dict[str, Any] | None) -> Self:
        """Make them from a job's CheckpointConfig, or from None."""
        if config is None:
            return cls(s3, None, "")
        return cls(s3, Path(root.local(config.get("LocalPath", _DEFAULT_FOLDER))), config["S3Uri"])

    def __enter__(self) -> Self:
        if self._folder is not None:
            self._folder.mkdir(parents=True, exist_ok=True)
            download_all(self._s3, list_objects(self._s3, self._uri), self._folder)
            self._seen = {path: _mark(path) for path in files_in(self._folder)}
            self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._folder is not None:
            self._end.set()
            self._thread.join()
            self._copy()

    def _run(self) -> None:
        while not self._end.wait(_EVERY_SECONDS):
            try:
                self._copy()
            except TransferError as error:
                # The next round tries again, and the last one fails the job.
                log.warning("a checkpoint could not be copied: %s", error)

    def _copy(self) -> None:
        assert self._folder is not None
        for path in files_in(self._folder):
            try:
                mark = _mark(path)
            except FileNotFoundError:
                continue  # the container has just deleted or renamed it
            if self._seen.get(path) != mark:
                upload_file(self._s3, path, join_uri(self._uri, path.relative_to(self._folder).as_posix()))
                self._seen[path] = mark


def _mark(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_mtime_ns, status.st_size
