"""Ports of this machine for model servers: free ones, none given out twice."""

from __future__ import annotations

import random
import socket
import threading

# Below the range from which Linux and macOS take the local ends of outgoing connections.
_FIRST_PORT, _LAST_PORT = 20_000, 31_999


class _Ports:
    """Free ports of this machine, none given out twice."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._taken: set[int] = set()
        # Local clouds beside this one begin elsewhere.
        self._next = random.SystemRandom().randint(_FIRST_PORT, _LAST_PORT)

    def take(self) -> int:
        with self._lock:
            for _ in range(_FIRST_PORT, _LAST_PORT + 1):
                port = self._next
                self._next = port + 1 if port < _LAST_PORT else _FIRST_PORT
                if port not in self._taken and _is_free(port):
                    self._taken.add(port)
                    return port
        raise RuntimeError(f"no port between {_FIRST_PORT} and {_LAST_PORT} is free on this machine")

    def give_back(self, port: int) -> None:
        with self._lock:
            self._taken.discard(port)


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        # As servers do; otherwise a port just left would look taken for a minute.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


_ports = _Ports()
take = _ports.take
give_back = _ports.give_back
