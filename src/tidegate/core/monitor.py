"""How a served model is watched, as its file declares it under `monitor`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from tidegate.core import checks
from tidegate.core.verdict_metrics import WANTED

# What may start a retraining: findings, or the calendar.
RETRAIN = ("off", "on_drift", "on_quality", "either")
SCHEDULES = {"weekly": 7, "monthly": 30, "quarterly": 91}  # days
SCHEDULE = "schedule: "
SEASONS = ("off", "hour-of-day", "day-of-week")
DIGESTS = ("daily", "weekly", "off")
EVERY_PATTERN = r"^[1-9][0-9]{0,3} (minute|hour|day)s?$"
QUIET_DAYS = 90  # in which one false alarm may be expected
MOST_FALSE_ALARMS = 0.05  # of checks so rare that one in `QUIET_DAYS` would allow more
OF_QUALITY = 0.2  # of them; the rest is for the data
_SECONDS = {"minute": 60, "hour": 3600, "day": 86_400}


class Rates(NamedTuple):
    """Of checks with nothing changed, the shares that may alarm."""

    data: float
    quality: float


@dataclass(frozen=True)
class Monitor:
    """How often predictions are checked, how few rows give no verdict, what may retrain, who hears how often.

    Attributes
    ----------
    retrain : str
        ``off``, ``on_drift``, ``on_quality``, ``either`` of the two, or ``schedule: `` and a word of
        `SCHEDULES`.
    cooldown : str
        What passes after such a retraining before another one starts.
    digest : str
        How often people hear of what lasts.
    metrics : str
        What goes to CloudWatch: verdicts alone, or each column too.
    season : str
        Whether windows are compared with their like: those of the same hour, or of the same day of the week.
    """

    every: str = "1 hour"
    least_rows: int = 200
    retrain: str = "off"
    cooldown: str = "1 day"
    metrics: str = WANTED[0]
    digest: str = "weekly"
    season: str = SEASONS[0]

    @property
    def heeds(self) -> tuple[str, ...]:
        """The questions whose answers may start a retraining.

        >>> Monitor(retrain="either").heeds, Monitor(retrain="schedule: monthly").heeds
        (('drift', 'quality'), ())
        """
        found = {"on_drift": ("drift",), "on_quality": ("quality",), "either": ("drift", "quality")}
        return found.get(self.retrain, ())

    @property
    def retrain_days(self) -> int | None:
        """How many days after a training the next one is due; None where the calendar does not say."""
        return SCHEDULES.get(self.retrain.removeprefix(SCHEDULE))


def policy_of(monitor: Monitor) -> dict[str, str]:
    """Give what the monitor machine goes by after a check."""
    return {"retrain": monitor.retrain, "digest": monitor.digest}


def read_monitor(raw: object) -> Monitor:
    """Check the member ``monitor`` and complete it."""
    entry = checks.mapping(raw, ("monitor",))
    checks.no_other_keys(entry, Monitor.__dataclass_fields__, ("monitor",))
    spans = {}
    for name in ("every", "cooldown"):
        path = ("monitor", name)
        text = checks.text(entry.get(name, getattr(Monitor, name)), path)
        spans[name] = checks.pattern(text, EVERY_PATTERN, 20, path, "for example '1 hour'")
    digest = checks.unbool_off(entry.get("digest", Monitor.digest))
    return Monitor(
        every=spans["every"],
        least_rows=checks.whole(entry.get("least_rows", 200), 1, 10**9, ("monitor", "least_rows")),
        retrain=_read_retrain(entry.get("retrain", "off")),
        cooldown=spans["cooldown"],
        metrics=checks.one_of(entry.get("metrics", Monitor.metrics), WANTED, ("monitor", "metrics")),
        digest=checks.one_of(digest, DIGESTS, ("monitor", "digest")),
        season=checks.one_of(
            checks.unbool_off(entry.get("season", Monitor.season)), SEASONS, ("monitor", "season")
        ),
    )


def _read_retrain(value: object) -> str:
    """Read a policy: a word, or the calendar as a mapping; as one text it is what `Monitor` keeps."""
    path = ("monitor", "retrain")
    if isinstance(value, Mapping):
        checks.no_other_keys(value, ("schedule",), path)
        found = checks.required(value, "schedule", path)
        return SCHEDULE + checks.one_of(found, tuple(SCHEDULES), (*path, "schedule"))
    if isinstance(value, str) and value.startswith(SCHEDULE):
        return SCHEDULE + checks.one_of(value.removeprefix(SCHEDULE), tuple(SCHEDULES), path)
    return checks.one_of(checks.unbool_off(value), RETRAIN, path)


def seconds_of(span: str) -> int:
    """Give the seconds of a span such as ``2 days``.

    >>> seconds_of("2 days")
    172800
    """
    count, unit = span.split(" ")
    return int(count) * _SECONDS[unit.rstrip("s")]


def false_alarms(every: str) -> float:
    """Give the share of checks with nothing changed that may alarm, so that one does in `QUIET_DAYS`.

    >>> round(1 / false_alarms("1 hour")), round(1 / false_alarms("1 day")), false_alarms("30 days")
    (2160, 90, 0.05)
    """
    return min(MOST_FALSE_ALARMS, seconds_of(every) / (QUIET_DAYS * _SECONDS["day"]))


def quiet_days(every: str) -> int:
    """Tell in how many days of checks with nothing changed one false alarm is to be expected.

    >>> quiet_days("1 hour"), quiet_days("30 days")
    (90, 600)
    """
    return round(seconds_of(every) / false_alarms(every) / _SECONDS["day"])


def rate(span: str) -> str:
    """Write a span as EventBridge Scheduler wants it, which tells one from many.

    >>> rate("1 hours"), rate("5 minute")
    ('rate(1 hour)', 'rate(5 minutes)')
    """
    count, unit = span.split(" ")
    return f"rate({count} {unit.rstrip('s')}{'' if count == '1' else 's'})"


def rates(
    every: str, data_since: str | None = None, quality_since: str | None = None, now: str = ""
) -> Rates:
    """Give the shares of checks with nothing changed that may alarm: what has been saved up since the last.

    A check that had too few rows to conclude, or too few truths, has spent nothing of it.

    Parameters
    ----------
    data_since, quality_since : str or None
        When a check last concluded about the data, and about the quality, as ISO times.
    now : str
        When the window was opened.
    """
    spans = [_seconds_between(since, now) for since in (data_since, quality_since)]
    data, quality = (
        min(MOST_FALSE_ALARMS, max(span / seconds_of(every), 1.0) * false_alarms(every)) for span in spans
    )
    return Rates(data * (1 - OF_QUALITY), quality * OF_QUALITY)


def _seconds_between(since: str | None, now: str) -> float:
    if not since or not now:
        return 0.0
    return (datetime.fromisoformat(now) - datetime.fromisoformat(since)).total_seconds()


# What is held to where nobody says how often checks are made: they are hourly.
DATA_FALSE_ALARMS, QUALITY_FALSE_ALARMS = rates(Monitor.every)
