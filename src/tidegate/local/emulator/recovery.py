"""Reads a journal into the services' saved files before the emulator loads them: what a crash left over."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tidegate.local import mending
from tidegate.local.emulator.journal import DELIVERED, END, EVENT, ITEM, NEW, OLD, PENDING, START
from tidegate.local.emulator.names import disk

_SCOPED = "__account_region_scoped__"


def recover(folder: Path) -> list[Any]:
    """Bring the saved state up to date and return what was still to be delivered.

    Parameters
    ----------
    folder
        Where the emulator keeps its saved services.
    """
    _end_deployments(folder)
    lines = list(_lines(folder))
    if not lines:
        return []
    executions, tables = _Saved(folder, "stepfunctions"), _Saved(folder, "dynamodb")
    pending: dict[str, Any] = {}
    unread = 0
    for line in lines:
        try:
            kind, key, value = _entry(line)
            if kind == ITEM:
                _set_item(tables.part("tables"), key, value)
            elif kind in (START, EVENT, END):
                _add_to_history(executions.part("executions"), kind, key, value)
            elif kind == PENDING:
                pending[key] = value
            elif kind == DELIVERED:
                pending.pop(key, None)
            else:
                unread += 1
        except (ValueError, TypeError, KeyError, AttributeError, IndexError):
            unread += 1
    if unread:
        mending.tell(
            f"{unread} of the {len(lines)} lines of the journal in {folder} cannot be read. What they say of "
            "items and executions since the last save is lost; all other lines were taken in."
        )
    executions.write()
    tables.write()
    for name in (OLD, NEW):
        (folder / name).unlink(missing_ok=True)
    return list(pending.values())


def _end_deployments(folder: Path) -> None:
    """End what was being deployed: nobody is at it any more, and whoever waits for it would wait for ever.

    On AWS a deployment goes on by itself. A stack that never came to be is to be made anew, so that nothing
    is lost by calling it failed; one that was being changed can be changed again.
    """
    if not (folder / "cloudformation.json").exists():
        return
    saved = _Saved(folder, "cloudformation")
    for stack in saved.part("stacks").values():
        status = str(stack.get("StackStatus", ""))
        if status.endswith("_IN_PROGRESS") and status != "REVIEW_IN_PROGRESS":
            made = status.startswith(("UPDATE", "IMPORT"))
            failed = "DELETE_FAILED" if status.startswith("DELETE") else "CREATE_FAILED"
            stack["StackStatus"] = "UPDATE_ROLLBACK_COMPLETE" if made else failed
            stack["StackStatusReason"] = "The local cloud ended while the stack was being deployed."
    saved.write()


def _lines(folder: Path) -> Iterator[bytes]:
    for name in (OLD, NEW):
        try:
            text = (folder / name).read_bytes()
        except FileNotFoundError:
            continue
        # The line that a crash cut off, after the last line's end: what it says had not been answered yet.
        yield from filter(None, text.split(b"\n")[:-1])


def _entry(line: bytes) -> tuple[str, Any, Any]:
    kind, key, value = json.loads(line)
    return kind, key, value


class _Saved:
    """One service's saved file, read as plain JSON."""

    def __init__(self, folder: Path, service: str) -> None:
        self._path = folder / f"{service}.json"
        try:
            content = json.loads(self._path.read_bytes())
            if not (isinstance(content, dict) and isinstance(content.get("payload"), dict)):
                raise ValueError("it does not hold what a service saves")
            self._content = content
        except FileNotFoundError:
            self._content = _nothing(service)
        except (ValueError, RecursionError) as error:
            mending.set_aside(
                self._path, f"is not the state of a service ({error})", f"the service {service}"
            )
            self._content = _nothing(service)

    def part(self, name: str) -> dict[str, Any]:
        """Give one of the service's stores, by its scoped keys."""
        store = self._content["payload"].setdefault(name, {_SCOPED: True, "data": {}})
        data: dict[str, Any] = store["data"]
        return data

    def write(self) -> None:
        partial = self._path.with_name(f"{self._path.name}.new")
        partial.write_text(json.dumps(self._content))
        partial.replace(self._path)


def _nothing(service: str) -> dict[str, Any]:
    return {"__ministack_format__": disk.format_version(service), "payload": {}}


def _set_item(tables: dict[str, Any], key: list[Any], item: Any) -> None:
    account, region, table, hash_value, sort_value = key
    kept = tables.get(_scoped(account, region, table))
    if kept is None:
        return  # the table was deleted, or never saved
    items = kept.setdefault("items", {})
    if item is None:
        items.get(hash_value, {}).pop(sort_value, None)
        if not items.get(hash_value, True):
            del items[hash_value]
    else:
        items.setdefault(hash_value, {})[sort_value] = item
    kept["ItemCount"] = sum(len(each) for each in items.values())


def _add_to_history(executions: dict[str, Any], kind: str, arn: str, value: Any) -> None:
    account, region = arn.split(":")[4], arn.split(":")[3]
    key = _scoped(account, region, arn)
    if kind == START:
        executions.setdefault(key, value)
    elif (execution := executions.get(key)) is not None:
        if kind == END:
            execution.update(value)
        elif value["id"] == len(execution["events"]) + 1:
            execution["events"].append(value)


def _scoped(account: str, region: str, name: str) -> str:
    return f"{account}\x00{region}\x00{name!r}"
