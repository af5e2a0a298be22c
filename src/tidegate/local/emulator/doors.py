"""Takes out of the emulator what it serves to anybody and what AWS has nowhere at these addresses.

The paths go on to S3, whose buckets and objects they would have hidden. `guard.py` shuts the others, which
are under a path of the emulator's own.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tidegate.local.emulator.guard import sign_link
from tidegate.local.emulator.names import functions, server


def install() -> None:
    """Shut the doors, and sign the addresses of functions' and layers' code."""

    async def nothing(*_: Any, **__: Any) -> None:
        return None

    server.replace("health", lambda *_: None)
    for word in ("sign_in_pages", "sign_in", "image_registry"):
        server.replace(word, nothing)
    for word in ("code_address", "layer_address"):
        functions.replace(word, _signed(getattr(functions, word)))


def _signed(address_of: Callable[..., str]) -> Callable[..., str]:
    return lambda *arguments: sign_link(address_of(*arguments))
