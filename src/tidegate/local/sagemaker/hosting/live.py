"""What runs now: the fleets behind each endpoint, and the threads and writers that all endpoints share."""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tidegate.local.sagemaker.context import Context
from tidegate.local.sagemaker.errors import ResourceLimitExceeded, SageMakerError
from tidegate.local.sagemaker.hosting.capture import CaptureStream, CaptureWriter
from tidegate.local.sagemaker.hosting.fleet import Fleet, Variant
from tidegate.local.sagemaker.hosting.metrics import NAMESPACE, InvocationMetrics

log = logging.getLogger(__name__)

# Each variant is one or more processes on this machine; AWS's quotas are per account and instance type.
MOST_VARIANTS = 64
STARTS_AT_ONCE = 4
# Who stops the local cloud waits for it; a container on AWS has 30 seconds.
SHUTDOWN_GRACE_SECONDS = 5.0


class LiveEndpoint:
    """The fleets that answer for one endpoint: one, or two while an update moves the traffic.

    Parameters
    ----------
    name
        The endpoint.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._lock = threading.Lock()
        self._current: Fleet | None = None
        self._coming: Fleet | None = None
        self._share = 0.0

    @property
    def current(self) -> Fleet | None:
        """The fleet that serves, None before the first one does and after the last one stopped."""
        return self._current

    def shift(self, coming: Fleet, share: float) -> None:
        """Send this share of the traffic, below 1, to a fleet that is to replace the current one."""
        with self._lock:
            self._coming, self._share = coming, share

    def switch(self, fleet: Fleet | None) -> Fleet | None:
        """Send all traffic to this fleet from now on; returns the one that served before."""
        with self._lock:
            before, self._current = self._current, fleet
            self._coming, self._share = None, 0.0
        return before if before is not fleet else None

    def enter(self, target: str | None) -> tuple[Fleet, Variant | None] | None:
        """Choose who answers a request and count it as in flight there.

        Returns
        -------
        tuple or None
            The fleet, to be left when the request is answered, and its variant (None when no variant has
            the targeted name); None when nothing serves.
        """
        while True:
            with self._lock:
                current, coming, share = self._current, self._coming, self._share
            if current is None:
                return None
            fleet = current if coming is None or random.random() >= share else coming  # nosec B311 # traffic
            if target is not None and coming is not None and fleet.variant(target) is None:
                fleet = coming if fleet is current else current
            # A fleet refuses newcomers once it drains; then the traffic has been switched, so look again.
            if fleet.enter():
                return fleet, fleet.choose(target)

    def fleets(self) -> list[Fleet]:
        """Return the fleets that traffic may reach."""
        with self._lock:
            return [fleet for fleet in (self._current, self._coming) if fleet is not None]


class Hosting:
    """All endpoints of one local SageMaker.

    Parameters
    ----------
    ctx
        Its surroundings.
    """

    def __init__(self, ctx: Context) -> None:
        self.ctx = ctx
        self.stopping = threading.Event()
        self.capture = CaptureWriter(self._put_capture)
        self.metrics = InvocationMetrics(self._put_metrics)
        # Loading models is what strains the machine; serving them is cheap.
        self.starts = threading.Semaphore(STARTS_AT_ONCE)
        self._lock = threading.Lock()
        self._live: dict[str, LiveEndpoint] = {}
        self._fleets: set[Fleet] = set()
        self._threads: set[threading.Thread] = set()

    def endpoint(self, name: str) -> LiveEndpoint | None:
        """Return what serves an endpoint, or None. On the path of every request: no lock, no store."""
        return self._live.get(name)

    def open(self, name: str) -> LiveEndpoint:
        """Return the endpoint's entry, made if it is missing."""
        with self._lock:
            return self._live.setdefault(name, LiveEndpoint(name))

    def forget(self, name: str) -> None:
        """Drop a deleted endpoint's entry."""
        with self._lock:
            self._live.pop(name, None)

    def check_room(self, variants: int) -> None:
        """Refuse further variants when this machine bears no more."""
        with self._lock:
            count = sum(len(fleet.variants) for fleet in self._fleets) + variants
        if count > MOST_VARIANTS:
            raise ResourceLimitExceeded(
                f"{MOST_VARIANTS} variants at most run on this machine at once, and this would make "
                f"{count}. Delete endpoints that are not needed."
            )

    def add(self, fleet: Fleet) -> None:
        """Take note of a fleet, so that shutdown stops it."""
        with self._lock:
            if self.stopping.is_set():
                raise SageMakerError("InternalFailure", "The local cloud is stopping.", 500)
            self._fleets.add(fleet)

    def retire(self, fleet: Fleet) -> None:
        """Let a fleet finish its requests, write what was captured of them, and stop it."""
        fleet.drain()
        self.capture.flush()
        fleet.stop()
        with self._lock:
            self._fleets.discard(fleet)

    def note_failure(self, name: str, reason: str) -> None:
        """Show in an endpoint's description why it no longer answers; its status stays, as on AWS."""
        try:
            self.ctx.store.update("endpoint", name, FailureReason=reason[:1024])
        except KeyError:
            log.info("endpoint %s was deleted before its failure was noted: %s", name, reason)

    def run(self, purpose: str, work: Callable[..., None], *args: Any) -> None:
        """Do some work on a thread of its own; an error in it is logged with its traceback."""

        def guarded() -> None:
            try:
                work(*args)
            except Exception:
                log.exception("hosting failed to %s", purpose)
            finally:
                with self._lock:
                    self._threads.discard(thread)

        thread = threading.Thread(target=guarded, name=purpose, daemon=True)
        with self._lock:
            if self.stopping.is_set():
                return
            self._threads.add(thread)
            # Started under the lock, so that shutdown only ever joins threads that began.
            thread.start()

    def close(self) -> None:
        """Stop every model server, wait for the threads, write out captures and metrics."""
        self.stopping.set()
        with self._lock:
            fleets, threads = list(self._fleets), list(self._threads)
        if fleets:
            with ThreadPoolExecutor(max_workers=len(fleets)) as pool:
                list(pool.map(lambda fleet: fleet.stop(SHUTDOWN_GRACE_SECONDS), fleets))
        for thread in threads:
            thread.join()
        self.capture.close()
        self.metrics.close()

    def _put_capture(self, stream: CaptureStream, key: str, body: bytes) -> None:
        settings = stream.settings
        encryption: dict[str, str] = {}
        if settings.kms_key:
            encryption = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": settings.kms_key}
        self.ctx.acting_as(stream.role).client("s3").put_object(
            Bucket=settings.bucket, Key=key, Body=body, ContentType="application/jsonlines", **encryption
        )

    # The namespaces under "AWS/" are for the services themselves: no role can write there.
    def _put_metrics(self, data: list[dict[str, Any]]) -> None:
        self.ctx.client("cloudwatch").put_metric_data(Namespace=NAMESPACE, MetricData=data)


_hostings: dict[int, Hosting] = {}
_hostings_lock = threading.Lock()


def hosting_of(ctx: Context) -> Hosting:
    """Return the hosting of this local SageMaker, made at its first use."""
    # By identity: contexts are plain data and not hashable. The entry keeps its context alive, so that the
    # identity cannot pass to another one before `close_hosting`.
    hosting = _hostings.get(id(ctx))
    if hosting is None:
        with _hostings_lock:
            hosting = _hostings.setdefault(id(ctx), Hosting(ctx))
    return hosting


def close_hosting(ctx: Context) -> None:
    """Stop everything that serves; does nothing the second time."""
    hosting = _hostings.get(id(ctx))
    if hosting is not None:
        # Forgotten only when it is closed: who asks meanwhile must not get a new one.
        hosting.close()
        with _hostings_lock:
            _hostings.pop(id(ctx), None)
