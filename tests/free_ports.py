"""Ports for what tests start: free, and not of the range from which the system takes those of connections.

A port that the system gave out and took back may be the local end of somebody's connection a moment later.
"""

from __future__ import annotations

import random
import socket

# Model servers of local clouds take theirs from 20,000 on.
_FIRST, _LAST = 12_000, 19_999
_dice = random.SystemRandom()


def free_port() -> int:
    """Give a port of 127.0.0.1 that nobody listens on."""
    while True:
        port = _dice.randint(_FIRST, _LAST)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port
