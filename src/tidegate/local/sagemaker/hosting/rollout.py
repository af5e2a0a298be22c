"""What happens behind an endpoint's status, on threads: bringing fleets up, moving traffic, taking them down.

Every change of status is one write to the store followed by its event.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from tidegate.local.sagemaker.containers.serving import ModelUnread
from tidegate.local.sagemaker.context import Context
from tidegate.local.sagemaker.control.tags import replace_tags, tags_of
from tidegate.local.sagemaker.errors import SageMakerError
from tidegate.local.sagemaker.hosting.build import build_fleet
from tidegate.local.sagemaker.hosting.deployment import (
    PENDING,
    SERVING,
    Deployment,
    capture_summary,
    instance_count,
    variant_summaries,
)
from tidegate.local.sagemaker.hosting.events import announce
from tidegate.local.sagemaker.hosting.fleet import Fleet
from tidegate.local.sagemaker.hosting.live import Hosting, LiveEndpoint
from tidegate.local.sagemaker.hosting.replica import ReplicaFailed
from tidegate.local.sagemaker.hosting.traffic import traffic_steps

log = logging.getLogger(__name__)

Record = dict[str, Any]

_LONGEST_REASON = 1024
# Before each further look at a model that could not be read when endpoints come back. AWS has no such moment:
# there, what has been read once is read from the same place again.
READ_AGAIN_SECONDS = (0.5, 1.0, 2.0, 4.0, 8.0)


class AlarmRaised(Exception):
    """An alarm of the ``AutoRollbackConfiguration`` went off while traffic moved to the new fleet."""


def create(hosting: Hosting, name: str) -> None:
    """Start the fleet of a new endpoint: ``InService`` or ``Failed``."""
    _bring_up(hosting, name, _read(hosting.ctx, name)[PENDING])


def restore(hosting: Hosting, name: str) -> None:
    """Start the fleet that an endpoint had when the local cloud stopped."""
    record = _read(hosting.ctx, name)
    _bring_up(hosting, name, record[SERVING], keep_failure=True, pauses=READ_AGAIN_SECONDS)


def create_again(hosting: Hosting, name: str) -> None:
    """Start the fleet of an endpoint that was being created when the local cloud stopped."""
    _bring_up(hosting, name, _read(hosting.ctx, name)[PENDING], pauses=READ_AGAIN_SECONDS)


def update(hosting: Hosting, name: str) -> None:
    """Start the new fleet beside the old one, move the traffic, stop the old one; or leave all as it was."""
    ctx = hosting.ctx
    live = hosting.open(name)
    record = _read(ctx, name)
    deployment: Deployment = record[PENDING]
    fleet: Fleet | None = None
    try:
        fleet = _start_fleet(hosting, name, deployment)
        _move_traffic(hosting, live, fleet, record.get("LastDeploymentConfig"))
    except Exception as error:
        if fleet is not None:
            live.switch(live.current)
            hosting.retire(fleet)
        if not hosting.stopping.is_set():
            config = deployment["EndpointConfigName"]
            reason = f"The update to endpoint configuration {config} failed: {_words(error)}"
            _settle(ctx, name, {"EndpointStatus": "InService", "FailureReason": _short(reason)})
        return
    if hosting.stopping.is_set():
        return
    old = live.switch(fleet)
    _settle(ctx, name, _serving(deployment))
    if old is not None:
        hosting.retire(old)


def weigh(hosting: Hosting, name: str) -> None:
    """Put the desired weights and capacities of an endpoint into force."""
    ctx = hosting.ctx
    record = _read(ctx, name)
    variants = record["ProductionVariants"]
    live = hosting.open(name)
    if live.current is not None:
        live.current.weigh({variant["VariantName"]: variant["DesiredWeight"] for variant in variants})
    for variant in variants:
        variant["CurrentWeight"] = variant["DesiredWeight"]
        variant["CurrentInstanceCount"] = variant["DesiredInstanceCount"]
    # The snapshot follows, so that a restart of the local cloud brings the endpoint back as it was.
    desired = {variant["VariantName"]: variant for variant in variants}
    serving = {
        **record[SERVING],
        "Variants": [_as_desired(variant, desired) for variant in record[SERVING]["Variants"]],
    }
    _settle(ctx, name, {"EndpointStatus": "InService", "ProductionVariants": variants, SERVING: serving})


def delete(hosting: Hosting, name: str) -> None:
    """Take an endpoint away: its requests finish, its servers stop, its record goes."""
    ctx = hosting.ctx
    live = hosting.endpoint(name)
    if live is not None:
        last = live.switch(None)
        if last is not None:
            hosting.retire(last)
        hosting.forget(name)
    record = ctx.store.get("endpoint", name)
    if record is not None:
        ctx.store.delete("endpoint", name)
        replace_tags(ctx, record["EndpointArn"], [])


def tell(ctx: Context, record: Record) -> None:
    """Emit the event of an endpoint's present state."""
    announce(ctx, record, tags_of(ctx, record["EndpointArn"]))


def _bring_up(
    hosting: Hosting,
    name: str,
    deployment: Deployment,
    *,
    keep_failure: bool = False,
    pauses: Sequence[float] = (),
) -> None:
    ctx = hosting.ctx
    live = hosting.open(name)
    try:
        fleet = _start_patiently(hosting, name, deployment, pauses)
    except Exception as error:
        if not hosting.stopping.is_set():
            hosting.forget(name)
            _settle(ctx, name, {"EndpointStatus": "Failed", "FailureReason": _short(_words(error))})
        return
    if hosting.stopping.is_set():
        return
    live.switch(fleet)
    changes = _serving(deployment)
    if keep_failure and (reason := _read(ctx, name).get("FailureReason")):
        changes["FailureReason"] = reason
    _settle(ctx, name, changes)


def _start_patiently(hosting: Hosting, name: str, deployment: Deployment, pauses: Sequence[float]) -> Fleet:
    """Start a fleet; where a model could not be read, try again after each pause."""
    for pause in pauses:
        try:
            return _start_fleet(hosting, name, deployment)
        except ReplicaFailed as error:
            if not isinstance(error.__cause__, ModelUnread):
                raise
            log.warning("endpoint %s is tried again in %g s: %s", name, pause, error)
            if hosting.stopping.wait(pause):
                raise
    return _start_fleet(hosting, name, deployment)


def _start_fleet(hosting: Hosting, name: str, deployment: Deployment) -> Fleet:
    fleet = build_fleet(hosting, name, deployment)
    hosting.add(fleet)
    try:
        fleet.start()
    except BaseException:
        hosting.retire(fleet)
        raise
    return fleet


def _move_traffic(hosting: Hosting, live: LiveEndpoint, fleet: Fleet, config: Record | None) -> None:
    alarms = [
        alarm["AlarmName"]
        for alarm in ((config or {}).get("AutoRollbackConfiguration") or {}).get("Alarms", [])
    ]
    _check_alarms(hosting.ctx, alarms)
    for step in traffic_steps(config, instance_count(fleet.deployment)):
        # With all traffic on the new fleet the old one still stands by until the bake is over.
        live.shift(fleet, step.share)
        if hosting.stopping.wait(step.wait_seconds):
            return
        _check_alarms(hosting.ctx, alarms)


def _check_alarms(ctx: Context, names: list[str]) -> None:
    if not names:
        return
    alarms = ctx.client("cloudwatch").describe_alarms(AlarmNames=names)
    raised = [
        alarm["AlarmName"]
        for alarm in [*alarms.get("MetricAlarms", []), *alarms.get("CompositeAlarms", [])]
        if alarm["StateValue"] == "ALARM"
    ]
    if raised:
        raise AlarmRaised(f"the alarm {raised[0]} went off while traffic moved to the new fleet.")


def _serving(deployment: Deployment) -> Record:
    changes: Record = {
        "EndpointStatus": "InService",
        "EndpointConfigName": deployment["EndpointConfigName"],
        "ProductionVariants": variant_summaries(deployment),
        "DataCaptureConfig": capture_summary(deployment.get("DataCaptureConfig")),
        SERVING: deployment,
    }
    return changes


def _settle(ctx: Context, name: str, changes: Record) -> None:
    """End a transition: what was pending is gone, and so is what is None in the changes."""

    def change(record: Record) -> Record:
        dropped = {"PendingDeploymentSummary", PENDING, "FailureReason"} - changes.keys()
        merged = {**record, **changes}
        return {key: value for key, value in merged.items() if key not in dropped and value is not None}

    tell(ctx, ctx.store.change("endpoint", name, change))


def _words(error: Exception) -> str:
    """Say what went wrong; what nobody foresaw goes to the log as well, lest an endpoint hang in between."""
    if isinstance(error, (ReplicaFailed, AlarmRaised)):
        return str(error)
    if isinstance(error, SageMakerError):
        return error.message
    log.error("an endpoint's deployment failed unexpectedly", exc_info=error)
    return f"the local SageMaker failed ({type(error).__name__}: {error}). Its log has the details."


def _read(ctx: Context, name: str) -> Record:
    record = ctx.store.get("endpoint", name)
    if record is None:
        raise LookupError(f"endpoint {name} vanished from the store")
    return record


def _as_desired(variant: Record, desired: dict[str, Record]) -> Record:
    wanted = desired[variant["VariantName"]]
    changed = {**variant, "InitialVariantWeight": wanted["DesiredWeight"]}
    if wanted["DesiredInstanceCount"]:
        changed["InitialInstanceCount"] = wanted["DesiredInstanceCount"]
    return changed


def _short(reason: str) -> str:
    return reason if len(reason) <= _LONGEST_REASON else reason[: _LONGEST_REASON - 1] + "…"
