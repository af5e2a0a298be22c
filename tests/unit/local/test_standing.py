"""Ports that are taken, files that are their owner's, and locks: what a local cloud stands on."""

from __future__ import annotations

import asyncio
import os
import socket
import stat
from pathlib import Path

import pytest

from tidegate.local.files import open_private, private_folder, tighten, write_whole
from tidegate.local.holding import Held, held, hold, holder_of, is_held
from tidegate.local.identity import PortTaken, ask, listen, prove


def test_small_answers_leave_a_taken_port_at_once() -> None:
    async def delayed() -> int:
        options: list[int] = []

        async def serve(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            sock = writer.get_extra_info("socket")
            options.append(sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
            writer.close()

        listener = listen(0)
        async with await asyncio.start_server(serve, sock=listener):
            reader, writer = await asyncio.open_connection("127.0.0.1", listener.getsockname()[1])
            await reader.read()
            writer.close()
        return options[0]

    assert asyncio.run(delayed())


@pytest.mark.slow
def test_a_port_is_one_program_s_from_the_moment_it_is_taken() -> None:
    with listen(0) as first:
        port = first.getsockname()[1]
        with pytest.raises(PortTaken, match=f"{port}.*--port"):
            listen(port)
    listen(port).close()
    with pytest.raises(PortTaken, match="is no port"):
        listen(70_000)


def test_who_does_not_speak_as_a_local_cloud_is_none() -> None:
    with listen(0) as silent:
        port = silent.getsockname()[1]
    assert ask(port) is None
    assert prove("secret", "1") != prove("secret", "2") != prove("other", "2")


def test_files_and_folders_are_their_owner_s_and_links_are_let_be(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_text("x")
    outside.chmod(0o644)
    folder = tmp_path / "a" / "b"
    private_folder(folder)
    write_whole(folder / "f", "one")
    write_whole(folder / "f", b"two")
    assert (folder / "f").read_bytes() == b"two" and [each.name for each in folder.iterdir()] == ["f"]
    with open_private(folder / "g", "ab") as file:
        file.write(b"x")
    for path in (folder, folder / "f"):
        path.chmod(0o777)
    (folder / "link").symlink_to(outside)
    (folder / "hard").hardlink_to(outside)
    assert tighten([tmp_path / "a"]) == 2
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (folder, folder / "f", folder / "g")}
    assert modes == {"b": 0o700, "f": 0o700, "g": 0o600}
    assert stat.S_IMODE(outside.stat().st_mode) == 0o644
    assert tighten([tmp_path / "a"]) == 0


def test_a_lock_has_one_holder_and_tells_who(tmp_path: Path) -> None:
    lock = hold(tmp_path / "lock")
    assert lock is not None and hold(tmp_path / "lock") is None
    assert is_held(tmp_path / "lock") and holder_of(tmp_path / "lock") == os.getpid()
    said: list[str] = []
    with (
        pytest.raises(Held, match=f"process {os.getpid()}"),
        held(tmp_path / "lock", "works", said.append, 0.0),
    ):
        raise AssertionError
    assert "works" in said[0]
    lock.close()
    assert not is_held(tmp_path / "lock")
    with held(tmp_path / "lock", "works"):
        assert is_held(tmp_path / "lock")
