"""Sends one request again and again from several kept connections and takes the time of each answer."""

from __future__ import annotations

import os
import selectors
import socket
import sys
import time
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any


class Target:
    """One server and the request it is sent, as bytes."""

    def __init__(self, port: int, path: str, body: bytes, group: int = 0, **headers: str) -> None:
        self.port, self.group = port, group
        named = {"Host": f"127.0.0.1:{port}", "Content-Length": str(len(body)), **headers}
        lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in named.items())
        self.request = f"POST {path} HTTP/1.1\r\n{lines}\r\n".encode() + body

    def connect(self) -> socket.socket:
        """Open a connection."""
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=60)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection

    def cpu_seconds(self) -> float:
        """Give what the server's process group has used of the CPU so far; 0 where it has none of its own."""
        ticks = 0
        for stat in Path("/proc").glob("[0-9]*/stat") if self.group else ():
            with suppress(OSError):
                fields = stat.read_text().rpartition(") ")[2].split()
                if int(fields[2]) == self.group:
                    ticks += int(fields[11]) + int(fields[12])
        return ticks / os.sysconf("SC_CLK_TCK")

    def is_whole(self, got: bytes) -> bool:
        """Tell whether an answer has come to its end; anything but a 200 ends the benchmark."""
        end = got.find(b"\r\n\r\n")
        if end < 0:
            return False
        if b" 200 " not in got[:20]:
            sys.exit(f"port {self.port}: {got[:300]!r}")
        head = got[:end].lower()
        if b"content-length:" not in head:
            return got.endswith(b"0\r\n\r\n")
        length = int(head.split(b"content-length:")[1].split(b"\r\n")[0])
        return len(got) >= end + 4 + length


def load(target: Target, clients: int, seconds: float) -> list[float]:
    """Ask for some seconds from several clients, each waiting for its answer; gives each request's seconds.

    One thread serves all connections, so that the client takes as little as it can of the cores it shares.
    """
    took: list[float] = []
    with ExitStack() as stack:
        ready = stack.enter_context(selectors.DefaultSelector())
        begun: dict[socket.socket, float] = {}
        got: dict[socket.socket, bytes] = {}
        end = time.perf_counter() + seconds
        for _ in range(clients):
            connection = stack.enter_context(target.connect())
            ready.register(connection, selectors.EVENT_READ)
            begun[connection], got[connection] = time.perf_counter(), b""
            connection.sendall(target.request)
        while begun:
            for key, _ in ready.select():
                connection: Any = key.fileobj
                part = connection.recv(65536)
                if not part:
                    sys.exit(f"port {target.port} closed the connection")
                got[connection] += part
                if target.is_whole(got[connection]):
                    now = time.perf_counter()
                    took.append(now - begun[connection])
                    got[connection], begun[connection] = b"", now
                    if now < end:
                        connection.sendall(target.request)
                    else:
                        del begun[connection]
                        ready.unregister(connection)
    return took


def summed_up(took: list[float], seconds: float, cpu_seconds: float) -> dict[str, float]:
    """Give throughput and quantiles, and the CPU time of a request where it is known."""
    known = {"cpu_ms": cpu_seconds / len(took) * 1000} if cpu_seconds else {}
    return {
        **known,
        "requests_per_second": len(took) / seconds,
        "p50_ms": took[len(took) // 2] * 1000,
        "p99_ms": took[int(len(took) * 0.99)] * 1000,
        "requests": len(took),
    }
