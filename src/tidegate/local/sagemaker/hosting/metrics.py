"""The CloudWatch metrics of endpoints (namespace ``AWS/SageMaker``), summed up and sent every ten seconds."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

log = logging.getLogger(__name__)

NAMESPACE = "AWS/SageMaker"
EVERY_SECONDS = 10.0
# What PutMetricData takes in one call.
_DATA_PER_CALL = 1000

Put = Callable[[list[dict[str, Any]]], None]


@dataclass
class _Set:
    """A statistic set: what CloudWatch needs of many values."""

    count: int = 0
    total: float = 0.0
    least: float = 0.0
    most: float = 0.0

    def add(self, value: float) -> None:
        self.least = value if self.count == 0 else min(self.least, value)
        self.most = value if self.count == 0 else max(self.most, value)
        self.count += 1
        self.total += value


class InvocationMetrics:
    """Counts invocations by endpoint and variant; one for the whole local cloud.

    Parameters
    ----------
    put
        Sends ``MetricData`` entries to the namespace.
    every_seconds
        How long invocations are gathered before they are sent.
    """

    def __init__(self, put: Put, *, every_seconds: float = EVERY_SECONDS) -> None:
        self._put = put
        self._every = every_seconds
        self._lock = threading.Lock()
        self._sets: dict[tuple[str, str], dict[str, _Set]] = {}
        self._some = threading.Event()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def record(
        self, endpoint: str, variant: str, *, status: int, model_seconds: float, overhead_seconds: float
    ) -> None:
        """Count one invocation.

        Parameters
        ----------
        endpoint, variant
            Who answered.
        status
            What the container answered; 4xx, 5xx and 0 (no answer in time) count as errors.
        model_seconds, overhead_seconds
            How long the container took, and how long everything else did.
        """
        values = {
            "Invocations": 1.0,
            "Invocation4XXErrors": float(400 <= status < 500),
            "Invocation5XXErrors": float(status >= 500 or status == 0),
            "ModelLatency": model_seconds * 1e6,
            "OverheadLatency": overhead_seconds * 1e6,
        }
        with self._lock:
            sets = self._sets.setdefault((endpoint, variant), {})
            for name, value in values.items():
                sets.setdefault(name, _Set()).add(value)
            if self._thread is None and not self._stop.is_set():
                self._thread = threading.Thread(target=self._run, name="endpoint metrics", daemon=True)
                self._thread.start()
        self._some.set()

    def flush(self) -> None:
        """Send what was counted so far; a failure is logged and the numbers are lost."""
        with self._lock:
            sets, self._sets = self._sets, {}
        data = metric_data(sets, datetime.now(UTC))
        for start in range(0, len(data), _DATA_PER_CALL):
            try:
                self._put(data[start : start + _DATA_PER_CALL])
            except Exception as error:
                # Metrics are a by-product: an invocation that was answered must not fail for them.
                log.warning("endpoint metrics could not be sent to CloudWatch: %s", error)

    def close(self) -> None:
        """Send the rest and stop."""
        with self._lock:
            self._stop.set()
            thread = self._thread
        self._some.set()
        if thread is not None:
            thread.join()
        self.flush()

    def _run(self) -> None:
        while not self._stop.is_set():
            self._some.wait()
            self._stop.wait(self._every)
            self._some.clear()
            self.flush()


def metric_data(sets: dict[tuple[str, str], dict[str, _Set]], time: datetime) -> list[dict[str, Any]]:
    """Return ``MetricData`` entries of the gathered sets."""
    return [
        {
            "MetricName": name,
            "Dimensions": [
                {"Name": "EndpointName", "Value": endpoint},
                {"Name": "VariantName", "Value": variant},
            ],
            "Timestamp": time,
            "Unit": "Microseconds" if name.endswith("Latency") else "None",
            "StatisticValues": {
                "SampleCount": values.count,
                "Sum": values.total,
                "Minimum": values.least,
                "Maximum": values.most,
            },
        }
        for (endpoint, variant), by_name in sets.items()
        for name, values in by_name.items()
    ]
