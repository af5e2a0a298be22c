"""How traffic is split: among the variants of a fleet by weight, and between two fleets while one replaces
the other. Decisions only; nothing here sends a request.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from tidegate.local.sagemaker.errors import ValidationException

# A deployment that bakes for ten minutes on AWS shall be watched through on a laptop: local waits are a
# sixtieth of those asked for, and never longer than this.
LONGEST_WAIT_SECONDS = 5.0
_TIME_SCALE = 1 / 60


@dataclass(frozen=True)
class Step:
    """One step of a traffic shift.

    Parameters
    ----------
    share
        The part of the traffic that goes to the new fleet, from 0 to 1.
    wait_seconds
        How long, here, the endpoint stays at this step.
    """

    share: float
    wait_seconds: float


def pick(weights: Sequence[float], draw: float) -> int:
    """Return the position that a draw from [0, 1) falls on, by weight.

    When all weights are zero no variant was set apart for anything, so all are equal.

    >>> [pick([1, 3], draw) for draw in (0.0, 0.24, 0.25, 0.99)]
    [0, 0, 1, 1]
    >>> pick([0, 0], 0.7)
    1
    """
    if not any(weights):
        weights = [1.0] * len(weights)
    sums = list(accumulate(weights))
    point = draw * sums[-1]
    return next((i for i, total in enumerate(sums) if point < total), len(sums) - 1)


def traffic_steps(config: Mapping[str, Any] | None, instances: int) -> list[Step]:
    """Return the steps by which a ``DeploymentConfig`` moves the traffic; the last has all of it.

    All at once, canary and linear blue/green policies and rolling policies are followed in the order and
    the shares that AWS uses; the waits are scaled down (a minute becomes a second, at most five).

    Parameters
    ----------
    config
        The ``DeploymentConfig``, or None for all at once without a wait.
    instances
        How many instances the new fleet has, for sizes given as a count of instances.
    """
    if not config:
        return [Step(1.0, 0.0)]
    if policy := config.get("BlueGreenUpdatePolicy"):
        return _blue_green(policy, instances)
    if rolling := config.get("RollingUpdatePolicy"):
        size = _share(rolling["MaximumBatchSize"], instances)
        return _even_steps(size, local_seconds(rolling["WaitIntervalInSeconds"]))
    return [Step(1.0, 0.0)]


def check_deployment_config(config: Mapping[str, Any] | None) -> None:
    """Refuse a ``DeploymentConfig`` that AWS would refuse for its sizes."""
    if not config:
        return
    if "BlueGreenUpdatePolicy" in config and "RollingUpdatePolicy" in config:
        raise ValidationException(
            "DeploymentConfig has both BlueGreenUpdatePolicy and RollingUpdatePolicy. Choose one."
        )
    routing = config.get("BlueGreenUpdatePolicy", {}).get("TrafficRoutingConfiguration", {})
    for kind, member, least in (("CANARY", "CanarySize", 1), ("LINEAR", "LinearStepSize", 10)):
        if routing.get("Type") == kind:
            size = routing.get(member)
            if size is None:
                raise ValidationException(f"TrafficRoutingConfiguration of Type {kind} needs {member}.")
            if size["Type"] == "CAPACITY_PERCENT" and not least <= size["Value"] <= 50:
                raise ValidationException(
                    f"{member} is {size['Value']} percent; it must be from {least} to 50 percent."
                )
        elif member in routing:
            raise ValidationException(
                f"{member} goes with TrafficRoutingConfiguration of Type {kind}, "
                f"and the Type is {routing.get('Type')}. Leave it out or change the Type."
            )


def local_seconds(seconds: float) -> float:
    """Return how long a wait of AWS's clock takes here.

    >>> local_seconds(120), local_seconds(3600)
    (2.0, 5.0)
    """
    return float(min(seconds * _TIME_SCALE, LONGEST_WAIT_SECONDS))


def _blue_green(policy: Mapping[str, Any], instances: int) -> list[Step]:
    routing = policy["TrafficRoutingConfiguration"]
    wait = local_seconds(routing["WaitIntervalInSeconds"])
    if routing["Type"] == "CANARY":
        canary = _share(routing["CanarySize"], instances)
        steps = [Step(canary, wait), Step(1.0, wait)] if canary < 1 else [Step(1.0, wait)]
    elif routing["Type"] == "LINEAR":
        steps = _even_steps(_share(routing["LinearStepSize"], instances), wait)
    else:
        steps = [Step(1.0, wait)]
    last = steps[-1]
    termination = local_seconds(policy.get("TerminationWaitInSeconds", 0))
    return [*steps[:-1], Step(last.share, last.wait_seconds + termination)]


def _even_steps(size: float, wait: float) -> list[Step]:
    steps = []
    count = 1
    while count * size < 1 - 1e-9:
        steps.append(Step(round(count * size, 6), wait))
        count += 1
    return [*steps, Step(1.0, wait)]


def _share(size: Mapping[str, Any], instances: int) -> float:
    whole = 100 if size["Type"] == "CAPACITY_PERCENT" else instances
    return float(min(1.0, size["Value"] / whole))
