"""When a model is retrained by itself: a wish that stands until it is served or withdrawn. A pure decision.

After every check, and when truth arrives, the policy of the model file is looked at: what it heeds (drift, a
fall of the quality, the calendar) makes a wish, which remembers since when. What it waits for is said: a
training under way, the cooldown, labelled rows (how many, of how many predictions), a first training drop.
When it waits for nothing more, a retraining starts. It is withdrawn when nothing heeded is left of what made
it, or when somebody else's training has served it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from tidegate.core.episodes import DRIFT, QUALITY
from tidegate.core.monitor import Monitor, seconds_of
from tidegate.core.telling import Memory

CALENDAR = "schedule"
_CAUSES = {DRIFT: "drift", QUALITY: "a fall of the quality", CALENDAR: "the calendar"}


@dataclass(frozen=True)
class Cause:
    """What speaks for a retraining: a question whose answer lasts, and when a check found it last."""

    question: str
    since: datetime
    last: datetime


@dataclass(frozen=True)
class Wish:
    """That a model be retrained.

    Attributes
    ----------
    since : str
        When it was first looked for, an ISO time.
    run : str
        The check that did.
    causes : tuple of str
        What speaks for it now.
    waits : tuple of str
        What it waits for, in words.
    told : bool
        Whether people heard of it.
    """

    since: str
    run: str
    causes: tuple[str, ...]
    waits: tuple[str, ...] = ()
    told: bool = False

    @property
    def why(self) -> str:
        """What speaks for it, in words."""
        return " and ".join(_CAUSES[each] for each in self.causes)

    def to_dict(self) -> dict[str, Any]:
        """Give the JSON form."""
        return {**self.__dict__, "causes": list(self.causes), "waits": list(self.waits)}

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> Wish:
        """Read the JSON form."""
        entry = dict(document)
        return cls(**{**entry, "causes": tuple(entry["causes"]), "waits": tuple(entry["waits"])})


@dataclass(frozen=True)
class Situation:
    """What is known when the policy is looked at.

    Attributes
    ----------
    now : datetime
        The time of the decision.
    in_flight : str or None
        A training run of the model that is under way.
    last_retrain : datetime or None
        When the last retraining by itself started.
    last_training : datetime or None
        When the last training run started.
    served : datetime or None
        When the last training run that put a model into service ended.
    fresh_labels, predictions : int
        How many labelled rows came since the last training, and how many predictions were checked.
    drop : str or None
        The newest training drop.
    """

    now: datetime
    in_flight: str | None = None
    last_retrain: datetime | None = None
    last_training: datetime | None = None
    served: datetime | None = None
    fresh_labels: int = 0
    predictions: int = 0
    drop: str | None = None


@dataclass(frozen=True)
class Decision:
    """What becomes of the wish.

    Attributes
    ----------
    wish : Wish or None
        As it stands now.
    start : bool
        Whether it is served now.
    withdrawn : str or None
        Why it is withdrawn, where it is.
    reason : str
        In words.
    """

    wish: Wish | None
    start: bool
    reason: str
    withdrawn: str | None = None


def causes_in(memory: Memory) -> list[Cause]:
    """Give what speaks for a retraining by the memory of what was found: drift and quality that last.

    Where all that drifts is bad data there is nothing to learn from.
    """
    return [
        Cause(question, datetime.fromisoformat(episode.since), datetime.fromisoformat(episode.last))
        for _, question, episode in memory.open
        if question in (DRIFT, QUALITY) and not episode.spoilt
    ]


def decide(
    monitor: Monitor, wish: Wish | None, causes: Iterable[Cause], situation: Situation, run: str
) -> Decision:
    """Look at the policy of a model.

    Parameters
    ----------
    monitor : Monitor
        The policy, the cooldown, and how many labelled rows a training needs (``least_rows``).
    wish : Wish or None
        As it stood.
    causes : iterable of Cause
        What speaks for it, see `causes_in`.
    situation : Situation
        What is known.
    run : str
        The check after which it is looked at.
    """
    heeded = _heeded(monitor, list(causes), situation)
    overtaken = _overtaken(wish, situation)
    if heeded and overtaken:
        wish = None  # that one was served; this is about the model that serves now
    if not heeded:
        if wish is None:
            return Decision(None, False, "nothing asks for a retraining")
        why = _why_not(monitor, wish, situation)
        return Decision(None, False, why, withdrawn=why)
    if wish is None and situation.in_flight:
        # What speaks for it is about the model that this training replaces.
        return Decision(None, False, f"the training run {situation.in_flight} is under way")
    wish = wish or Wish(situation.now.isoformat(timespec="seconds"), run, ())
    waits = tuple(_waits(monitor, situation))
    wish = replace(wish, causes=heeded, waits=waits)
    if waits:
        return Decision(wish, False, f"wanted for {wish.why}; it waits for {'; '.join(waits)}")
    rows = f"{situation.fresh_labels:,} labelled rows came since the last training"
    return Decision(wish, True, f"wanted for {wish.why}; {rows}, which used {situation.drop}")


def _heeded(monitor: Monitor, causes: list[Cause], situation: Situation) -> tuple[str, ...]:
    """Give what the policy heeds of what speaks for a retraining of the model that serves now."""
    served = situation.served
    # What was found before another model took over was found of the one before.
    fresh = {each.question for each in causes if served is None or each.last > served}
    found = [question for question in monitor.heeds if question in fresh]
    days, last = monitor.retrain_days, situation.last_training
    if days is not None and last is not None and situation.now - last >= timedelta(days=days):
        found.append(CALENDAR)
    return tuple(found)


def _overtaken(wish: Wish | None, situation: Situation) -> bool:
    """Tell whether a training that was asked for otherwise has put a model into service since the wish."""
    return (
        wish is not None
        and situation.served is not None
        and situation.served > datetime.fromisoformat(wish.since)
    )


def _why_not(monitor: Monitor, wish: Wish, situation: Situation) -> str:
    if monitor.retrain == "off":
        return "the model file says monitor.retrain: off"
    if _overtaken(wish, situation):
        return "another training has put a model into service since"
    return f"{wish.why} is over"


def _waits(monitor: Monitor, situation: Situation) -> Iterable[str]:
    if situation.in_flight is not None:
        yield f"the training run {situation.in_flight}, which is under way"
    cooldown = timedelta(seconds=seconds_of(monitor.cooldown))
    if situation.last_retrain is not None and situation.now < situation.last_retrain + cooldown:
        until = situation.last_retrain + cooldown
        yield (
            f"the cooldown of {monitor.cooldown}, which ends at {until:%Y-%m-%d %H:%M} UTC, as the last "
            f"retraining started at {situation.last_retrain:%Y-%m-%d %H:%M} UTC"
        )
    if situation.drop is None:
        yield "a first training drop to start from"
    if situation.fresh_labels < monitor.least_rows:
        last = situation.last_training
        since = f" since the last training ({last:%Y-%m-%d %H:%M} UTC)" if last else ""
        yield (
            f"ground truth: {monitor.least_rows:,} labelled rows are needed and {situation.fresh_labels:,} "
            f"came{since}, of {situation.predictions:,} predictions"
        )
