"""What becomes of endpoints when the local cloud starts again: those that served are started again.

While an endpoint comes back its status is ``SystemUpdating``, AWS's word for maintenance by the platform: it
cannot be changed meanwhile, and waiting for ``InService`` works as ever.
"""

from __future__ import annotations

import logging
import socket
import threading
import time
from typing import Any
from urllib.parse import urlsplit

from tidegate.local.sagemaker.context import Context
from tidegate.local.sagemaker.hosting import rollout
from tidegate.local.sagemaker.hosting.deployment import PENDING, SERVING
from tidegate.local.sagemaker.hosting.live import Hosting, hosting_of

log = logging.getLogger(__name__)

Record = dict[str, Any]

_PATIENCE_SECONDS = 60.0
_PAUSE_SECONDS = 0.05


def recover(ctx: Context) -> None:
    """Start the endpoints that the last run of the local cloud left; returns at once.

    - in service: started again with the configuration it had (``SystemUpdating``, then ``InService``);
    - in the middle of an update: the earlier configuration is started again, ``FailureReason`` tells so;
    - still being created: created anew;
    - being deleted: its deletion is finished;
    - failed when it should have come back: started again, as what was wrong may be right by now;
    - failed otherwise: left as it is.
    """
    hosting = hosting_of(ctx)
    waiting: list[str] = []
    for record in ctx.store.list("endpoint"):
        name, status = record["EndpointName"], record["EndpointStatus"]
        if status == "Deleting":
            rollout.delete(hosting, name)
        elif SERVING in record:
            ctx.store.change("endpoint", name, _interrupted)
            waiting.append(name)
        elif PENDING in record:
            waiting.append(name)
    if waiting:
        hosting.run("bring endpoints back", _bring_back, hosting, waiting)


def _interrupted(record: Record) -> Record:
    changed = {**record, "EndpointStatus": "SystemUpdating"}
    if record["EndpointStatus"] == "Failed":
        changed.pop("FailureReason", None)
    pending = changed.pop(PENDING, None)
    changed.pop("PendingDeploymentSummary", None)
    if pending is not None:
        changed["FailureReason"] = (
            "The local cloud stopped during the update to endpoint configuration "
            f"{pending['EndpointConfigName']}; the earlier configuration serves again."
        )
    return changed


def _bring_back(hosting: Hosting, names: list[str]) -> None:
    ctx = hosting.ctx
    if not _wait_for_cloud(ctx, hosting.stopping):
        log.error("endpoints wait for the local cloud at %s, which does not answer", ctx.endpoint_url)
    for name in names:
        record = ctx.store.get("endpoint", name) or {}
        work = rollout.restore if SERVING in record else rollout.create_again
        hosting.run(f"bring back endpoint {name}", work, hosting, name)


def _wait_for_cloud(ctx: Context, stopping: threading.Event) -> bool:
    """Wait until the local cloud listens: models come from its S3, and it starts to listen after us."""
    address = urlsplit(ctx.endpoint_url)
    host, port = address.hostname or "127.0.0.1", address.port or 80
    end = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < end and not stopping.is_set():
        try:
            socket.create_connection((host, port), timeout=1).close()
        except OSError:
            stopping.wait(_PAUSE_SECONDS)
        else:
            return True
    return False
