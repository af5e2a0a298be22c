"""Items of tables are kept packed: a tenth of what they take as Python's objects.

The emulator changes no item in place; it takes one, and puts another in its stead.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from tidegate.local.emulator.names import hold_in, tables
from tidegate.local.emulator.retention.shelf import packed, unpacked

_ITEMS = "items"

Item = dict[str, Any]


class Partition(dict[Any, Any]):
    """The items of one partition by their sort key; each is packed here, and unpacked for whoever reads it.

    Examples
    --------
    >>> kept = Partition({"a": {"size": {"N": "1"}}})
    >>> kept["a"]["size"]["N"] = "2"
    >>> kept["a"], kept.get("b")
    ({'size': {'N': '1'}}, None)
    """

    __slots__ = ()

    def __init__(self, items: dict[Any, Item]) -> None:
        super().__init__()
        for key, item in items.items():
            self[key] = item

    def __getitem__(self, key: Any) -> Item:
        item: Item = unpacked(super().__getitem__(key))
        return item

    def __setitem__(self, key: Any, item: Item) -> None:
        super().__setitem__(key, packed(item))

    def __deepcopy__(self, memo: dict[int, Any]) -> Partition:
        copied = Partition({})
        dict.update(copied, dict.items(self))
        return copied

    def get(self, key: Any, default: Any = None) -> Any:
        """Give an item."""
        body = super().get(key)
        return default if body is None else unpacked(body)

    def pop(self, key: Any, *default: Any) -> Any:
        """Take an item out and give it."""
        return unpacked(super().pop(key)) if key in self else super().pop(key, *default)

    def items(self) -> Any:
        """Give the items with their sort keys."""
        return [(key, unpacked(body)) for key, body in list(super().items())]

    def values(self) -> Any:
        """Give the items."""
        return [unpacked(body) for body in list(super().values())]


class Partitions(defaultdict[Any, Partition]):
    """The partitions of one table."""

    def __init__(self, partitions: dict[Any, dict[Any, Item]]) -> None:
        super().__init__()
        for key, items in partitions.items():
            self[key] = Partition(items)

    def __missing__(self, key: Any) -> Partition:
        return self.setdefault(key, {})

    def __deepcopy__(self, memo: dict[int, Any]) -> Partitions:
        copied = Partitions({})
        for key, items in list(self.items()):
            copied[key] = items.__deepcopy__(memo)
        return copied

    def setdefault(self, key: Any, default: Any = None) -> Partition:
        """Give a partition, made of `default` where there is none."""
        return super().setdefault(key, Partition(default or {}))


class Tables(dict[Any, dict[str, Any]]):
    """The emulator's tables, their items packed from the moment that a table is made or read again."""

    def __setitem__(self, key: Any, table: dict[str, Any]) -> None:
        if not isinstance(table[_ITEMS], Partitions):
            table[_ITEMS] = Partitions(table[_ITEMS])
        super().__setitem__(key, table)

    def update(self, *others: Any, **named: Any) -> None:
        """Take in saved tables."""
        for key, table in dict(*others, **named).items():
            self[key] = table


def install() -> None:
    """Have the emulator keep its items so."""
    hold_in(tables.all, Tables())
