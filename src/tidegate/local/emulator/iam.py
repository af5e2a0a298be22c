"""IAM where the emulator leaves it out: SageMaker's wire calls, and what state machines call."""

from __future__ import annotations

from typing import Any

from tidegate.local.emulator.names import actions


def install() -> None:
    """Put SageMaker under IAM (enforced when the local cloud was started so)."""
    actions.namespaces["sagemaker"] = "sagemaker"


def authorize_task(role: str, resource: str, arguments: Any) -> None:
    """Raise when a state machine's role does not allow what a task is about to do."""
