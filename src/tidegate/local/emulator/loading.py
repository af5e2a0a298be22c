"""Loads the emulator's saved services: one that cannot be read is set aside and told, the others come back.

The emulator itself logs a line, begins the service empty, and writes over the file at its next save.
"""

from __future__ import annotations

import os
from pathlib import Path

from tidegate.local import mending
from tidegate.local.emulator.names import disk, server


def install() -> None:
    """Put ours in the place of the emulator's."""
    server.replace("load_all", _load_all)


def _load_all() -> None:
    folder = Path(os.environ["STATE_DIR"])
    for service, module in server.state_files.items():
        path = folder / f"{service}.json"
        if not path.exists():
            continue
        why = ""
        try:
            state = disk.load(service)
            if state is None:
                why = "is not JSON, or was written by a newer release; it may have been cut off"
            elif not isinstance(state, dict):
                why = "does not hold what a service saves"
            elif state:
                server.module(module).load_persisted_state(state)
        except Exception as error:
            why = f"cannot be taken for the state of a service ({type(error).__name__}: {error})"
        if why:
            mending.set_aside(path, why, f"the service {service}")
