"""Calls to SageMaker about what may be gone, which it says by its words alone, under a code for much else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError


def if_there(call: Callable[..., Any], **named: str) -> dict[str, Any] | None:
    """Describe or delete something by its name; gives the answer, None where there is no such thing."""
    try:
        found: dict[str, Any] = call(**named)
        return found
    except ClientError as error:
        if "Could not find" not in str(error):
            raise
        return None
