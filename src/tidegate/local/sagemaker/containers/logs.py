"""Lines of containers to CloudWatch Logs, in batches, from a thread of their own."""

from __future__ import annotations

import logging
import re
import time
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from tidegate.local.sagemaker.containers.batch import Sender

log = logging.getLogger(__name__)

# What PutLogEvents takes in one call.
_EVENTS_PER_CALL = 10_000
_BYTES_PER_CALL = 1_000_000
_BYTES_PER_EVENT = 26
_GATHER_SECONDS = 0.25

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def translate(line: str) -> str:
    r"""Write control characters as SageMaker's log agent does; metric regexes rely on it.

    Examples
    --------
    >>> translate("[0]\ttrain-rmse:0.75")
    '[0]#011train-rmse:0.75'
    """
    return _CONTROL.sub(lambda found: f"#{ord(found[0]):03o}", line)


class LogStream:
    """One log stream; the group and the stream are made with the first line.

    Parameters
    ----------
    client
        The CloudWatch Logs client.
    group, stream
        Their names.

    Notes
    -----
    When CloudWatch Logs refuses lines, they are counted in the log of the local cloud and dropped: a job does
    not fail for its log.
    """

    def __init__(self, client: Any, group: str, stream: str) -> None:
        self._client = client
        self.group = group
        self.stream = stream
        self._made = False
        self._sender = Sender(self._send, gather_seconds=_GATHER_SECONDS, name=f"log {stream}")

    def write(self, line: str) -> None:
        """Take one line, already translated."""
        self._sender.put((int(time.time() * 1000), line or " "))

    def end(self) -> None:
        """Take no more; what is left is being sent while the caller goes on."""
        self._sender.end()

    def close(self, *, send: bool = True) -> None:
        """Send what is left, or drop it, and end; may be called more than once."""
        self._sender.close(send=send)

    def _send(self, lines: list[tuple[int, str]]) -> None:
        try:
            if not self._made:
                self._make()
            for batch in _batches(lines):
                self._client.put_log_events(
                    logGroupName=self.group,
                    logStreamName=self.stream,
                    logEvents=[{"timestamp": time_ms, "message": line} for time_ms, line in batch],
                )
        except (ClientError, BotoCoreError) as error:
            log.warning(
                "%d lines of %s in %s could not be written to CloudWatch Logs: %s",
                len(lines),
                self.stream,
                self.group,
                error,
            )

    def _make(self) -> None:
        for make, names in (
            (self._client.create_log_group, {"logGroupName": self.group}),
            (
                self._client.create_log_stream,
                {"logGroupName": self.group, "logStreamName": self.stream},
            ),
        ):
            try:
                make(**names)
            except self._client.exceptions.ResourceAlreadyExistsException:
                continue
        self._made = True


def _batches(lines: list[tuple[int, str]]) -> list[list[tuple[int, str]]]:
    batches: list[list[tuple[int, str]]] = []
    size_bytes = _BYTES_PER_CALL
    for line in lines:
        line_bytes = len(line[1].encode()) + _BYTES_PER_EVENT
        size_bytes += line_bytes
        if size_bytes > _BYTES_PER_CALL or len(batches[-1]) >= _EVENTS_PER_CALL:
            batches.append([])
            size_bytes = line_bytes
        batches[-1].append(line)
    return batches
