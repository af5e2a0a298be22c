"""FilterLogEvents as AWS has it: a prefix of streams' names chooses streams; the emulator reads them all."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tidegate.local.emulator.names import logs

Filter = Callable[[dict[str, Any]], Any]


def install() -> None:
    """Have it heed the prefix."""
    logs.replace("filter", _of_prefix(logs.filter))


def _of_prefix(original: Filter) -> Filter:
    def filter_log_events(data: dict[str, Any]) -> Any:
        prefix = data.get("logStreamNamePrefix")
        group = logs.group_of(data)
        if not prefix or group not in logs.groups:
            return original(data)
        if data.get("logStreamNames"):
            return logs.error(
                "InvalidParameterException",
                "logStreamNames and logStreamNamePrefix are both given; give one of them",
                400,
            )
        chosen = [name for name in list(logs.groups[group]["streams"]) if name.startswith(prefix)]
        if not chosen:
            return logs.answer({"events": [], "searchedLogStreams": []})
        return original({**data, "logStreamNames": chosen})

    return filter_log_events
