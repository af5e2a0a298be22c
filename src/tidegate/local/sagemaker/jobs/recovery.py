"""The first moments of a local cloud: jobs that the last one left running are failed, with the reason."""

from __future__ import annotations

import shutil
import threading
from typing import Any

from tidegate.local.sagemaker.context import Context
from tidegate.local.sagemaker.jobs import records
from tidegate.local.sagemaker.jobs.lifecycle import KINDS, TRAINING, Kind, open_room
from tidegate.local.sagemaker.store import now

Record = dict[str, Any]

# Building a client reads its service's model, which the first job need not wait for.
_CLIENTS = ("s3", "logs", "cloudwatch")


def recover(ctx: Context) -> None:
    """Take up the records of an earlier local cloud: no job stays in progress whose process is gone."""
    open_room(ctx)
    for kind in KINDS:
        for record in ctx.store.list(kind.kind):
            if record[kind.status_key] in records.UNFINISHED:
                _fail(ctx, kind, record[kind.name_key])
        for folder in (ctx.root / "containers").glob(f"{kind.kind}-*"):
            shutil.rmtree(folder, ignore_errors=True)
    threading.Thread(target=_make_clients, args=(ctx,), name="sagemaker clients", daemon=True).start()


def _fail(ctx: Context, kind: Kind, name: str) -> None:
    def fail(record: Record) -> Record:
        changed = {
            **record,
            kind.status_key: records.FAILED,
            "FailureReason": records.CLOUD_STOPPED,
            kind.end_key: now(),
        }
        if kind is TRAINING:
            changed = records.transition(changed, records.FAILED, records.CLOUD_STOPPED)
        return changed

    records.update(ctx, kind, name, fail)


def _make_clients(ctx: Context) -> None:
    for service in _CLIENTS:
        ctx.client(service)
