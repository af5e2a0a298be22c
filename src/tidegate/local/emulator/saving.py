"""Saves the emulator's services as they change, so that even a kill loses no more than the last seconds."""

from __future__ import annotations

import hashlib
import json
import logging
import time
from pathlib import Path
from typing import Any

from tidegate.local.emulator.names import disk, server

_log = logging.getLogger("tidegate.saving")

_ATTEMPTS = 20


class Saver:
    """Writes each service whose state differs from what was written last.

    Parameters
    ----------
    folder
        Where the emulator looks for saved services when it starts.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._written: dict[str, bytes] = {}

    def save(self) -> list[str]:
        """Save what changed and return the services' names; a file is replaced as a whole or not at all."""
        saved = []
        for service, get_state in server.savers().items():
            payload = _encoded(service, get_state)
            if payload is None:
                continue
            digest = hashlib.blake2b(payload, digest_size=16).digest()
            if self._written.get(service) != digest:
                self._write(service, payload)
                self._written[service] = digest
                saved.append(service)
        return saved

    def _write(self, service: str, payload: bytes) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        final = self._folder / f"{service}.json"
        partial = final.with_name(f"{service}.json.new")
        partial.write_bytes(payload)
        partial.replace(final)


def _encoded(service: str, get_state: Any) -> bytes | None:
    """Return a service's file content; None for a service with nothing to save."""
    for _ in range(_ATTEMPTS):
        try:
            state = get_state()
        except RuntimeError:
            # Another thread changed a dictionary while it was being copied: look again.
            time.sleep(0.01)
            continue
        if state is None:
            return None
        content = {"__ministack_format__": disk.format_version(service), "payload": state}
        return json.dumps(content, default=disk.encode).encode()
    _log.warning("The state of %s kept changing while it was read; it is saved in the next round.", service)
    return None
