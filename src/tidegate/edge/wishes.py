"""Looking at a model's retrain policy: the wish is kept, served when it may be, and people hear of it once.

Every step is written down before the next is taken, in the version that was read, so that one that was cut
off is taken up by whoever looks next, and two at once do not both start a retraining.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from tidegate.core import names
from tidegate.core.errors import BadDrop
from tidegate.core.news import tell_retrain
from tidegate.core.retrain import Decision, causes_in, decide
from tidegate.core.spec import ModelSpec
from tidegate.core.standing import Standing
from tidegate.edge import storage
from tidegate.edge.memory import MemoryMoved
from tidegate.edge.once import once
from tidegate.edge.retraining import look, read_standing, what_lasts, write_standing
from tidegate.edge.tell import tell

ATTEMPTS = 5
# Writes what a training learns from (the newest drop, the labelled rows, where to) and says what it is.
MakeDrop = Callable[[str, tuple[str, ...], str], str]


def consider(spec: ModelSpec, run: str, context: Any, make_drop: MakeDrop) -> Standing:
    """Look at the policy of a model after a check.

    Parameters
    ----------
    spec : ModelSpec
        The model.
    run : str
        The check.
    context
        What the function was called with.
    make_drop : callable
        Starts the retraining.

    Raises
    ------
    MemoryMoved
        If others wrote faster, each time.
    """
    for attempt in range(ATTEMPTS):
        try:
            return _look(spec, run, context, make_drop)
        except MemoryMoved:
            if attempt == ATTEMPTS - 1:
                raise
    raise AssertionError("unreachable")


def _look(spec: ModelSpec, run: str, context: Any, make_drop: MakeDrop) -> Standing:
    now = datetime.now(UTC)
    version, standing = read_standing(spec.name)
    if standing.claimed_by is not None:
        if storage.exists(_place(spec.name, standing.claimed_by)):
            # Whoever claimed it put its drop and came no further.
            standing = standing.served("the retraining had been started by a check that was interrupted")
            version = write_standing(spec.name, version, standing)
        elif standing.claimed_by != run and standing.is_claimed(now):
            return standing
    _tell_of_the_start(spec.name, standing, context)
    if not standing.told:
        standing = standing.heard()
        version = write_standing(spec.name, version, standing)
    if standing.run == run:
        return standing
    situation, labelled = look(spec, standing)
    decision = decide(spec.monitor, standing.wish, causes_in(what_lasts(spec.name)), situation, run)
    if decision.start and decision.wish and situation.drop:
        claimed = standing.claim(decision.wish, run, now)
        version = write_standing(spec.name, version, claimed)
        place = _place(spec.name, run)
        try:
            reason = make_drop(situation.drop, labelled, place)
        except BadDrop as refusal:
            put_off = claimed.put_off(f"a training drop that fits the model file: {refusal.masked}")
            held = Decision(put_off.wish, False, put_off.reason)
            return _keep(spec.name, put_off, version, held, context)
        return _start(spec.name, claimed.served(reason), version, context)
    return _keep(spec.name, standing, version, decision, context)


def _start(model: str, served: Standing, version: int, context: Any) -> Standing:
    """Write down that a retraining has started, and tell people."""
    version = write_standing(model, version, served)
    _tell_of_the_start(model, served, context)
    write_standing(model, version, served.heard())
    return served.heard()


def _keep(model: str, standing: Standing, version: int, decision: Decision, context: Any) -> Standing:
    """Write the wish down as it stands now, and tell people of a new one and of one that is withdrawn."""
    if standing.wish and decision.withdrawn:
        _tell_once(model, "withdrawn", standing.wish.since, standing.wish.run, decision.withdrawn, context)
    kept = standing.looked_at(decision, datetime.now(UTC))
    version = write_standing(model, version, kept)
    if kept.wish and not kept.wish.told:
        _tell_once(model, "wanted", kept.wish.since, kept.wish.run, decision.reason, context)
        kept = kept.heard()
        write_standing(model, version, kept)
    return kept


def _tell_of_the_start(model: str, standing: Standing, context: Any) -> None:
    if not standing.told and standing.run and standing.started:
        _tell_once(model, "started", standing.started, standing.run, standing.reason, context)


def _tell_once(model: str, what: str, since: str, run: str, reason: str, context: Any) -> None:
    event = {"model": model, "what": what, "since": since, "run": run, "reason": reason}
    once(_tell, "[model, what, since]", event, context)


def _tell(event: dict[str, Any], _: Any) -> str:
    notification = tell_retrain(event["model"], event["run"], event["what"], event["reason"])
    tell(notification)
    return notification.subject


def _place(model: str, run: str) -> str:
    return f"s3://{os.environ['DATA_BUCKET']}/{names.retrain_key(model, run)}"
