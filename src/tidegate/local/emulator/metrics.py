"""CloudWatch's metrics of what happens here: in functions' log lines, of executions, APIs and queues."""

from __future__ import annotations

import json
import random
import threading
import time
from collections.abc import Awaitable, Callable
from typing import Any

from tidegate.local.emulator.names import functions, gateway, queues, step
from tidegate.local.emulator.names import metrics as watch

# How many latencies are kept of each round between two looks at the alarms; enough for a percentile.
_KEPT_LATENCIES = 50
_ENDINGS = {
    "RUNNING": "ExecutionsStarted",
    "SUCCEEDED": "ExecutionsSucceeded",
    "FAILED": "ExecutionsFailed",
    "ABORTED": "ExecutionsAborted",
    "TIMED_OUT": "ExecutionsTimedOut",
}


def install() -> None:
    """Have the metrics recorded as things happen."""
    functions.replace("write_log", _reading(functions.write_log))
    step.replace("announce", _counting(step.announce))
    gateway.replace("invoke_function", _timing(gateway.invoke_function))


def embedded(text: str) -> list[tuple[str, str, float, str, dict[str, str]]]:
    """Read the metrics in a function's log: lines in the embedded metric format.

    Returns
    -------
    list
        Namespace, name, value, unit and dimensions of each.

    >>> line = '{"_aws": {"CloudWatchMetrics": [{"Namespace": "N", "Dimensions": [["d"]],'
    >>> line += ' "Metrics": [{"Name": "m", "Unit": "Count"}]}]}, "d": "x", "m": [1.0]}'
    >>> embedded(line)
    [('N', 'm', 1.0, 'Count', {'d': 'x'})]
    """
    found = []
    for line in text.splitlines():
        if '"_aws"' not in line:
            continue
        try:
            document = json.loads(line)
            directives = document["_aws"]["CloudWatchMetrics"]
        except (ValueError, KeyError, TypeError):
            continue  # a log line that only looks like one
        for directive in directives:
            for names in directive["Dimensions"]:
                dimensions = {name: str(document.get(name, "")) for name in names}
                for metric in directive["Metrics"]:
                    values = document.get(metric["Name"], [])
                    for value in values if isinstance(values, list) else [values]:
                        unit = metric.get("Unit", "None")
                        found.append((directive["Namespace"], metric["Name"], float(value), unit, dimensions))
    return found


def _reading(original: Callable[..., None]) -> Callable[..., None]:
    def write_log(func: dict[str, Any], request_id: str, log_text: str, *more: Any, **named: Any) -> None:
        original(func, request_id, log_text, *more, **named)
        for metric in embedded(log_text or ""):
            watch.record(*metric)

    return write_log


def _counting(original: Callable[[dict[str, Any]], None]) -> Callable[[dict[str, Any]], None]:
    def announce(execution: dict[str, Any]) -> None:
        dimensions = {"StateMachineArn": execution["stateMachineArn"]}
        watch.record("AWS/States", _ENDINGS[execution["status"]], 1, "Count", dimensions)
        original(execution)

    return announce


class ApiCalls:
    """What HTTP APIs answered since the last look, summed up: a metric a call would be too many."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sums: dict[str, dict[str, float]] = {}
        self._latencies: dict[str, list[float]] = {}

    def add(self, api: str, status: int, milliseconds: float) -> None:
        """Count a call."""
        with self._lock:
            sums = self._sums.setdefault(api, {"Count": 0.0, "4xx": 0.0, "5xx": 0.0})
            sums["Count"] += 1
            if status >= 400:
                sums["5xx" if status >= 500 else "4xx"] += 1
            kept = self._latencies.setdefault(api, [])
            if len(kept) < _KEPT_LATENCIES:
                kept.append(milliseconds)
            else:
                place = random.randrange(int(sums["Count"]))  # nosec B311 # a sample
                if place < _KEPT_LATENCIES:
                    kept[place] = milliseconds

    def flush(self) -> None:
        """Record what came together."""
        with self._lock:
            sums, self._sums = self._sums, {}
            latencies, self._latencies = self._latencies, {}
        for api, values in sums.items():
            for name, value in values.items():
                watch.record("AWS/ApiGateway", name, value, "Count", {"ApiId": api})
            for milliseconds in latencies[api]:
                watch.record("AWS/ApiGateway", "Latency", milliseconds, "Milliseconds", {"ApiId": api})


API_CALLS = ApiCalls()
Invoke = Callable[..., Awaitable[tuple[int, dict[str, Any], Any]]]


def _timing(original: Invoke) -> Invoke:
    async def invoke(integration: dict[str, Any], api_id: str, *args: Any, **named: Any) -> Any:
        began = time.monotonic()
        response = await original(integration, api_id, *args, **named)
        API_CALLS.add(api_id, int(response[0]), (time.monotonic() - began) * 1000)
        return response

    return invoke


def sample_queues(names: set[str]) -> None:
    """Record how many messages wait in queues, where that is news."""
    for queue in list(queues.all.values()):
        name = queue["name"]
        if name not in names:
            continue
        queues.count(queue)
        waiting = float(queue["attributes"]["ApproximateNumberOfMessages"])
        dimensions = {"QueueName": name}
        points = watch.points.get(key_of("AWS/SQS", "ApproximateNumberOfMessagesVisible", dimensions))
        if waiting or (points and points[-1]["Value"]):
            watch.record("AWS/SQS", "ApproximateNumberOfMessagesVisible", waiting, "Count", dimensions)


def key_of(namespace: str, name: str, dimensions: dict[str, str]) -> tuple[str, str, str]:
    """Give the key under which the emulator keeps a metric."""
    return namespace, name, watch.dimensions_key(dimensions)
