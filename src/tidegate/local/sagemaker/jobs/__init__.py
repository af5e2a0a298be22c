"""Jobs: training, processing and batch transform, from their creation to their last state."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tidegate.local.sagemaker.context import Context
from tidegate.local.sagemaker.jobs import processing, records, recovery, training, transform
from tidegate.local.sagemaker.jobs.lifecycle import KINDS, room_of, wait_for

__all__ = ["OPERATIONS", "recover", "shutdown", "wait"]

OPERATIONS = {**training.OPERATIONS, **processing.OPERATIONS, **transform.OPERATIONS}
"""The operations of this room, by SageMaker's name for them."""

recover = recovery.recover


def shutdown(ctx: Context) -> None:
    """End all jobs, which become Failed with the reason; may be called more than once."""
    room_of(ctx).close()


def wait(
    ctx: Context, kind: str, name: str, should_stop: Callable[[], bool] = lambda: False
) -> dict[str, Any]:
    """Wait for the end of a job and return its record.

    Parameters
    ----------
    kind
        ``"training-job"``, ``"processing-job"``, ``"transform-job"`` or ``"hyper-parameter-tuning-job"``.
    should_stop
        Asked five times a second; when it turns true, the record is returned as it is then. The job goes on.
    """
    wait_for(ctx, kind, name, should_stop)
    return records.describe(ctx, next(each for each in KINDS if each.kind == kind), name)
