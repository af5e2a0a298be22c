"""DynamoDB's writes, one at a time: state machines write from threads of their own, and conditions must hold.

Each item written is handed to the journal, so that no write is lost in a crash.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from typing import Any

from tidegate.local.emulator import journal
from tidegate.local.emulator.names import answers, tables

# An operation looks at an item and then writes it: between the two nobody else may.
_one_at_a_time = threading.RLock()

_WRITES = ("put_item", "update_item", "delete_item", "batch_write", "transact_write", "execute_statement")


def install() -> None:
    """Have writes wait for one another, and be noted."""
    for word in _WRITES:
        tables.replace(word, _alone(getattr(tables, word)))
    tables.replace("set_item", _noting(tables.set_item))
    tables.replace("remove_item", _noting(tables.remove_item))


def _alone(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def write(data: dict[str, Any]) -> Any:
        with _one_at_a_time:
            return original(data)

    return write


def _noting(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def change(table: dict[str, Any], hash_value: Any, sort_value: Any, *item: Any) -> Any:
        before = original(table, hash_value, sort_value, *item)
        key = [answers.account(), answers.region(), table["TableName"], hash_value, sort_value]
        journal.note(journal.ITEM, key, item[0] if item else None)
        return before

    return change
