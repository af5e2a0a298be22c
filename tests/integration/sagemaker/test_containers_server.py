"""One container that serves: what is told of a server that does not answer."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hosting_cloud import make_context
from tests.waiting import until

from tidegate.local.sagemaker.containers.failures import NotAnswered
from tidegate.local.sagemaker.containers.server import Server
from tidegate.local.sagemaker.images.registry import Image

pytestmark = pytest.mark.integration

LISTEN = """
import os, socket, time
listening = socket.create_server(("127.0.0.1", int(os.environ["SAGEMAKER_BIND_TO_PORT"])))
print("up", flush=True)
"""
SCRIPTS = {
    "refuses": "import time; print('up', flush=True); time.sleep(60)",
    "is silent": LISTEN + "connection, _ = listening.accept()\nwhile connection.recv(65536): pass",
    "does not read": LISTEN + "connection, _ = listening.accept()\ntime.sleep(60)",
    "hangs up": LISTEN + "while True: listening.accept()[0].close()",
}
Begin = Callable[[str], Server]


@pytest.fixture
def begin(tmp_path: Path) -> Iterator[Begin]:
    """Start a server of one of the scripts."""
    started: list[Server] = []

    def start(script: str) -> Server:
        ctx = make_context("http://127.0.0.1:1", tmp_path)
        ctx.images = lambda uri: Image("own", serve=(sys.executable, "-S", "-c", SCRIPTS[script]))
        server = Server(0, ctx, ctx.acting_as(""), {"Image": "own:1"}, "own")
        started.append(server)
        lines: list[str] = []
        server.start({}, lambda _, line: lines.append(line), lambda *_: None, 2, 1)
        until(lambda: lines)
        return server

    yield start
    for server in started:
        assert server.child is not None
        server.child.stop(0.0)
        server.close()


@pytest.mark.parametrize(
    ("script", "body"), [("is silent", b"1"), ("does not read", b"1" * (64 << 20))], ids=lambda v: str(v)[:13]
)
def test_a_server_that_takes_too_long_is_told_apart_and_asked_once(
    begin: Begin, script: str, body: bytes
) -> None:
    server = begin(script)
    begun = time.monotonic()
    with pytest.raises(NotAnswered, match="did not answer within 1 seconds") as told:
        server.invoke(body, {}, 1.0)
    assert told.value.timed_out
    assert time.monotonic() - begun > 0.9


@pytest.mark.parametrize("script", ["refuses", "hangs up"])
def test_a_server_that_breaks_the_connection_is_no_timeout(begin: Begin, script: str) -> None:
    server = begin(script)
    with pytest.raises(NotAnswered, match="broke the connection without an answer") as told:
        server.invoke(b"1", {}, 30.0)
    assert not told.value.timed_out
