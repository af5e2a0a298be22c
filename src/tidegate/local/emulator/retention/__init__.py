"""What the emulator would keep in memory for ever is put on disk, and is served from there as AWS serves it.

Executions that have ended, log streams that are quiet, what is known of objects, values of metrics; items of
tables stay, but packed. What AWS does not keep either is let go: the list of all events, metrics by the
second, the hundred-and-first version of a parameter.
"""

from __future__ import annotations

from pathlib import Path

from tidegate.local.emulator.retention import executions, figures, items, logs, objects
from tidegate.local.emulator.retention.shelf import Shelf


def install(folder: Path) -> None:
    """Put every bound in place; ``folder`` is where the emulator keeps its saved services."""
    shelf = Shelf(folder / "shelf.db")
    executions.install(shelf)
    logs.install(shelf)
    figures.install(shelf)
    objects.install(shelf)
    items.install()


def tidy() -> None:
    """Put away what has become old; called now and then while the local cloud is at work."""
    logs.tidy()
    figures.tidy()
    objects.tidy()
