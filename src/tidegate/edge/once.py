"""Doing a thing once however often a state is retried; what remembers it is made on first use."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cache
from typing import Any

WEEK_SECONDS = 7 * 24 * 3600
Handler = Callable[[dict[str, Any], Any], Any]


def once(act: Handler, by: str, event: dict[str, Any], context: Any) -> Any:
    """Act on an event unless it was done before; then give what that gave.

    Parameters
    ----------
    act : callable
        A handler of events; a function of a module, which it is remembered by.
    by : str
        JMESPath of what makes two events the same.
    event, context
        What the function was called with.
    """
    return _remembering(act, by)(event, context)


# One for each handler: a persistence layer keeps the key of the first function that uses it.
@cache
def _remembering(act: Handler, by: str) -> Handler:
    from aws_lambda_powertools.utilities.idempotency import (
        DynamoDBPersistenceLayer,
        IdempotencyConfig,
        idempotent,
    )

    config = IdempotencyConfig(event_key_jmespath=by, expires_after_seconds=WEEK_SECONDS)
    store = DynamoDBPersistenceLayer(table_name=os.environ["IDEMPOTENCY_TABLE"])
    found: Handler = idempotent(persistence_store=store, config=config)(act)
    return found
