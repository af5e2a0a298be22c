"""Whether drift may start a retraining. A pure decision, with the reason in words either way."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from tidegate.core.monitor import Monitor, seconds_of


@dataclass(frozen=True)
class Situation:
    """What is known when drift was detected.

    Attributes
    ----------
    now : datetime
        The time of the decision.
    in_flight : str or None
        A training run of the model that is under way.
    last_retrain : datetime or None
        When drift last started a retraining.
    last_training : datetime or None
        When the last training run started.
    fresh_labels : int
        How many labelled rows came since then.
    drop : str or None
        The newest training drop.
    """

    now: datetime
    in_flight: str | None
    last_retrain: datetime | None
    last_training: datetime | None
    fresh_labels: int
    drop: str | None


@dataclass(frozen=True)
class Decision:
    """Whether to retrain, and why."""

    start: bool
    reason: str


def decide(monitor: Monitor, situation: Situation) -> Decision:
    """Decide on a retraining.

    Parameters
    ----------
    monitor : Monitor
        ``retrain`` must say ``on_drift``, and ``cooldown`` must have passed since the last one.
    situation : Situation
        What is known.
    """
    if monitor.retrain != "on_drift":
        return Decision(False, "the model file says monitor.retrain: off")
    if situation.in_flight is not None:
        return Decision(False, f"the training run {situation.in_flight} is under way")
    cooldown = timedelta(seconds=seconds_of(monitor.cooldown))
    if situation.last_retrain is not None and situation.now < situation.last_retrain + cooldown:
        until = situation.last_retrain + cooldown
        return Decision(
            False,
            f"the last retraining on drift was at {situation.last_retrain:%Y-%m-%d %H:%M} UTC, "
            f"and the cooldown of {monitor.cooldown} ends at {until:%Y-%m-%d %H:%M} UTC",
        )
    if situation.drop is None:
        return Decision(False, "there is no training drop to start from")
    if not situation.fresh_labels:
        since = f" ({situation.last_training:%Y-%m-%d %H:%M} UTC)" if situation.last_training else ""
        return Decision(False, f"no new labelled data since the last training{since}")
    return Decision(
        True,
        f"{situation.fresh_labels:,} labelled rows came since the last training, which used {situation.drop}",
    )
