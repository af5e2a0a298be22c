"""How a served model is watched, as its file declares it under `monitor`."""

from __future__ import annotations

from dataclasses import dataclass

from tidegate.core import checks

RETRAIN = ("off", "on_drift")
EVERY_PATTERN = r"^[1-9][0-9]{0,3} (minute|hour|day)s?$"
_SECONDS = {"minute": 60, "hour": 3600, "day": 86_400}


@dataclass(frozen=True)
class Monitor:
    """How often predictions are checked, how few rows give no verdict, and whether drift may retrain.

    After a retraining that drift started, `cooldown` passes before drift starts another.
    """

    every: str = "1 hour"
    least_rows: int = 200
    retrain: str = "off"
    cooldown: str = "1 day"


def read_monitor(raw: object) -> Monitor:
    """Check the member ``monitor`` and complete it."""
    entry = checks.mapping(raw, ("monitor",))
    checks.no_other_keys(entry, Monitor.__dataclass_fields__, ("monitor",))
    spans = {}
    for name in ("every", "cooldown"):
        path = ("monitor", name)
        text = checks.text(entry.get(name, getattr(Monitor, name)), path)
        spans[name] = checks.pattern(text, EVERY_PATTERN, 20, path, "for example '1 hour'")
    return Monitor(
        every=spans["every"],
        least_rows=checks.whole(entry.get("least_rows", 200), 1, 10**9, ("monitor", "least_rows")),
        retrain=checks.one_of(
            checks.unbool_off(entry.get("retrain", "off")), RETRAIN, ("monitor", "retrain")
        ),
        cooldown=spans["cooldown"],
    )


def seconds_of(span: str) -> int:
    """Give the seconds of a span such as ``2 days``.

    >>> seconds_of("2 days")
    172800
    """
    count, unit = span.split(" ")
    return int(count) * _SECONDS[unit.rstrip("s")]


def rate(span: str) -> str:
    """Write a span as EventBridge Scheduler wants it, which tells one from many.

    >>> rate("1 hours"), rate("5 minute")
    ('rate(1 hour)', 'rate(5 minutes)')
    """
    count, unit = span.split(" ")
    return f"rate({count} {unit.rstrip('s')}{'' if count == '1' else 's'})"
