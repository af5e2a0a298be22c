"""A fleet: the model servers of all variants of one deployment, started together and stopped together."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Mapping
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Any

from tidegate.local.sagemaker.hosting.capture import CaptureStream
from tidegate.local.sagemaker.hosting.replica import STOP_GRACE_SECONDS, Replica
from tidegate.local.sagemaker.hosting.traffic import pick

# A request may take 60 seconds; the last one in flight gets its answer before its server is stopped.
DRAIN_SECONDS = 65.0


@dataclass(frozen=True)
class Variant:
    """One production variant that runs.

    Parameters
    ----------
    name
        Its name in the endpoint configuration.
    replica
        Its model server.
    capture
        Where its requests are captured, None when they are not.
    """

    name: str
    replica: Replica
    capture: CaptureStream | None


class Fleet:
    """The running variants of one deployment.

    Parameters
    ----------
    deployment
        The snapshot that this fleet serves.
    variants
        Its variants, not started yet.
    weights
        Their weights, by name.
    """

    def __init__(
        self, deployment: dict[str, Any], variants: list[Variant], weights: Mapping[str, float]
    ) -> None:
        self.deployment = deployment
        self.variants = tuple(variants)
        self._by_name = {variant.name: variant for variant in variants}
        self._weights = [weights[variant.name] for variant in variants]
        self._idle = threading.Condition()
        self._in_flight = 0
        self._draining = False

    def start(self) -> None:
        """Start every variant; returns when all answer their ping.

        Raises
        ------
        ReplicaFailed
            The first variant's failure; the others are stopped.
        """
        with ThreadPoolExecutor(max_workers=len(self.variants)) as pool:
            starts = [pool.submit(variant.replica.start) for variant in self.variants]
            wait(starts, return_when=FIRST_EXCEPTION)
            failures = [error for started in starts if started.done() and (error := started.exception())]
            if failures:
                # Before the pool is left: it waits for the starts that still go on, and this ends them.
                self.stop()
                raise failures[0]

    def variant(self, name: str) -> Variant | None:
        """Return the variant of this name, or None."""
        return self._by_name.get(name)

    def choose(self, target: str | None) -> Variant | None:
        """Return the targeted variant, or one by weight; None when no variant has the targeted name."""
        if target is not None:
            return self._by_name.get(target)
        if len(self.variants) == 1:
            return self.variants[0]
        return self.variants[pick(self._weights, random.random())]  # nosec B311 # a share of traffic

    def weigh(self, weights: Mapping[str, float]) -> None:
        """Change the weights of the named variants."""
        self._weights = [
            weights.get(variant.name, old) for variant, old in zip(self.variants, self._weights, strict=True)
        ]

    def enter(self) -> bool:
        """Count a request as in flight; False when this fleet takes no more."""
        with self._idle:
            if self._draining:
                return False
            self._in_flight += 1
            return True

    def leave(self) -> None:
        """Count a request as answered."""
        with self._idle:
            self._in_flight -= 1
            if self._in_flight == 0:
                self._idle.notify_all()

    def drain(self, seconds: float = DRAIN_SECONDS) -> bool:
        """Take no more requests and wait for those in flight; False when some are left after `seconds`."""
        end = time.monotonic() + seconds
        with self._idle:
            self._draining = True
            return self._idle.wait_for(lambda: self._in_flight == 0, max(0.0, end - time.monotonic()))

    def stop(self, grace_seconds: float = STOP_GRACE_SECONDS) -> None:
        """Stop every variant's server, drained or not; idempotent."""
        with self._idle:
            self._draining = True
        with ThreadPoolExecutor(max_workers=len(self.variants)) as pool:
            list(pool.map(lambda variant: variant.replica.stop(grace_seconds), self.variants))
