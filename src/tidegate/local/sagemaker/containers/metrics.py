"""Metrics that a training job prints: found in its log lines by regular expressions, sent to CloudWatch."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

import regex as regex_library
from botocore.exceptions import BotoCoreError, ClientError

from tidegate.local.sagemaker.containers.batch import Sender
from tidegate.local.sagemaker.store import now

log = logging.getLogger(__name__)

NAMESPACE = "/aws/sagemaker/TrainingJobs"
# Metrics stand in short lines; a regular expression over a long one may take very long.
_LONGEST_LINE = 8192
# Some take for ever over a short one, too ("(a|aa)+$"): so long may a search take, and so often may it take
# longer before its metric is given up.
_SEARCH_SECONDS = 0.5
_PATIENCE = 2
_DATA_PER_CALL = 1000
_GATHER_SECONDS = 1.0
_MOST_KEPT = 10_000

Point = tuple[str, float, datetime]


class MetricWatch:
    """Reads the metrics of one training job off its lines.

    Parameters
    ----------
    client
        The CloudWatch client.
    job
        The job's name, the metrics' dimension.
    definitions
        (name, regular expression) pairs; the first group of a match is the value.
    tell
        Told in words, for the job's log, when a metric is given up.
    """

    def __init__(
        self,
        client: Any,
        job: str,
        definitions: Iterable[tuple[str, str]],
        tell: Callable[[str], Any] = log.warning,
    ) -> None:
        self._client = client
        self._job = job
        self._finders = {name: _finder(regex) for name, regex in definitions}
        self._late = dict.fromkeys(self._finders, 0)
        self._tell = tell
        self._last: dict[str, tuple[float, datetime]] = {}
        self._values: dict[str, list[float]] = {}
        self._sender: Sender[Point] = Sender(
            self._send, gather_seconds=_GATHER_SECONDS, name=f"metrics {job}"
        )

    def read(self, line: str) -> None:
        """Look for every metric in a line, in which control characters are translated already."""
        line = line[:_LONGEST_LINE]
        for name, find in list(self._finders.items()):
            try:
                # Other threads go on meanwhile: this is a library's search that lets them, unlike Python's.
                found = find(line, timeout=_SEARCH_SECONDS, concurrent=True)
            except TimeoutError:
                self._was_late(name)
                continue
            if found is None or not found.re.groups:
                continue
            try:
                value = float(found[1])
            except (TypeError, ValueError):
                continue  # the expression also fits text that is no number
            if math.isfinite(value):  # CloudWatch takes no other
                time = now()
                self._last[name] = (value, time)
                kept = self._values.setdefault(name, [])
                if len(kept) < _MOST_KEPT:
                    kept.append(value)
                self._sender.put((name, value, time))

    def _was_late(self, name: str) -> None:
        self._late[name] += 1
        if self._late[name] >= _PATIENCE:
            del self._finders[name]
            self._tell(
                f"The metric {name} is read no more: its regular expression took longer than "
                f"{_SEARCH_SECONDS:g} s over a line, {_PATIENCE} times. Write it without nested repeats."
            )

    def final(self) -> list[dict[str, Any]]:
        """The last value of each metric, as FinalMetricDataList holds them."""
        return [
            {"MetricName": name, "Value": value, "Timestamp": time}
            for name, (value, time) in self._last.items()
        ]

    def values(self, name: str) -> list[float]:
        """All values of a metric so far (the first ten thousand), in the order they were printed."""
        return list(self._values.get(name, ()))

    def end(self) -> None:
        """Take no more; what is left is being sent while the caller goes on."""
        self._sender.end()

    def close(self, *, send: bool = True) -> None:
        """Send what is left to CloudWatch, or drop it."""
        self._sender.close(send=send)

    def _send(self, points: list[Point]) -> None:
        dimensions = [{"Name": "TrainingJobName", "Value": self._job}]
        data = [
            {"MetricName": name, "Dimensions": dimensions, "Timestamp": time, "Value": value}
            for name, value, time in points
        ]
        try:
            for start in range(0, len(data), _DATA_PER_CALL):
                self._client.put_metric_data(
                    Namespace=NAMESPACE, MetricData=data[start : start + _DATA_PER_CALL]
                )
        except (ClientError, BotoCoreError) as error:
            log.warning(
                "%d metrics of %s could not be written to CloudWatch: %s", len(points), self._job, error
            )


def _finder(regex: str) -> Any:
    pattern = regex_library.compile(regex)
    # "Anything, then …" found anywhere is the same as at the start, without trying every start in vain.
    return pattern.match if regex.startswith(".*") else pattern.search
