"""Which local cloud is whose: none speaks to, deploys into, or ends another's."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import emulator_project as small
import pytest
from tests.waiting import until

from tidegate.core.errors import TidegateError
from tidegate.local import settings
from tidegate.local.cloud import (
    BrokenRecord,
    Cloud,
    CloudNotRunning,
    NotOurs,
    PortTaken,
    connect,
    down,
    status,
    up,
)
from tidegate.local.deploy import deploy
from tidegate.local.emulator import processes
from tidegate.local.holding import held, is_held
from tidegate.local.identity import EXIT_FOLDER_TAKEN, EXIT_PORT_TAKEN, ask
from tidegate.local.running import read_record
from tidegate.local.settings import StateFolder

pytestmark = pytest.mark.integration


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def folders(tmp_path: Path) -> Iterator[tuple[Path, Path]]:
    both = tmp_path / "one", tmp_path / "two"
    yield both
    for folder in both:
        down(folder)


def up_or_refusal(state: Path, port: int) -> Cloud | TidegateError:
    try:
        return up(state, port)
    except TidegateError as refusal:
        return refusal


def daemon(state: Path, port: int) -> subprocess.CompletedProcess[str]:
    """Run a local cloud's process by hand; it is expected to end at once."""
    folder = StateFolder.of(state)
    return subprocess.run(
        settings.daemon_command(folder, port, auth=False),
        env=settings.daemon_environment(folder, port, False, os.environ),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_of_two_clouds_started_on_one_port_at_once_one_runs_and_the_other_says_so(
    folders: tuple[Path, Path],
) -> None:
    port = free_port()
    with ThreadPoolExecutor() as pool:
        found = list(pool.map(lambda state: up_or_refusal(state, port), folders))
    (cloud,) = [each for each in found if isinstance(each, Cloud)]
    (refusal,) = [each for each in found if isinstance(each, TidegateError)]
    loser = folders[1 - folders.index(cloud.state)]
    assert isinstance(refusal, PortTaken)
    assert str(port) in str(refusal) and "--port" in str(refusal)
    assert connect(cloud.state) == cloud
    assert status(loser).cloud is None and status(loser).processes == 0
    assert not (loser / "emulator").exists(), "what cannot bind takes nothing up"


def test_a_taken_port_names_the_cloud_that_has_it(folders: tuple[Path, Path]) -> None:
    cloud = up(folders[0], free_port())
    with pytest.raises(PortTaken, match="process") as refusal:
        up(folders[1], cloud.port)
    assert str(folders[0]) in str(refusal.value) and str(cloud.pid) in str(refusal.value)


def test_two_starts_of_one_cloud_at_once_are_one_cloud(folders: tuple[Path, Path]) -> None:
    port = free_port()
    with ThreadPoolExecutor() as pool:
        first, second = pool.map(lambda _: up(folders[0], port), range(2))
    assert first == second


def test_a_process_that_cannot_bind_or_has_no_folder_of_its_own_reads_nothing_and_ends(
    folders: tuple[Path, Path],
) -> None:
    cloud = up(folders[0], free_port())
    records = (folders[0] / "sagemaker" / "records.db").stat()
    same_folder = daemon(folders[0], free_port())
    assert same_folder.returncode == EXIT_FOLDER_TAKEN
    assert str(cloud.pid) in same_folder.stderr and "Traceback" not in same_folder.stderr
    same_port = daemon(folders[1], cloud.port)
    assert same_port.returncode == EXIT_PORT_TAKEN
    assert str(folders[0]) in same_port.stderr and "Traceback" not in same_port.stderr
    assert not (folders[1] / "sagemaker").exists() and not (folders[1] / "cloud.json").exists()
    assert (folders[0] / "sagemaker" / "records.db").stat().st_ino == records.st_ino
    assert connect(folders[0]) == cloud


def test_a_folder_copied_from_a_running_cloud_is_not_that_cloud(folders: tuple[Path, Path]) -> None:
    up(folders[0], free_port())
    shutil.copytree(folders[0], folders[1])
    with pytest.raises(CloudNotRunning):
        connect(folders[1])
    down(folders[1])
    assert connect(folders[0]), "the copy's end is not the original's"


def test_nothing_is_deployed_into_a_cloud_that_took_the_port_of_another(
    folders: tuple[Path, Path], tmp_path: Path
) -> None:
    mine = up(folders[0], free_port())
    os.kill(mine.pid, signal.SIGKILL)
    processes.wait_for_end([mine.pid], 10)
    project = small.write(tmp_path / "project")
    with pytest.raises(NotOurs, match="does not answer"):
        deploy(mine, project)
    other = up(folders[1], mine.port)
    with pytest.raises(NotOurs, match="two"):
        deploy(mine, project)
    assert other.client("cloudformation").describe_stacks()["Stacks"] == []
    with pytest.raises(CloudNotRunning):
        connect(folders[0])


def test_an_answer_without_the_secret_is_nobody_s(folders: tuple[Path, Path]) -> None:
    cloud = up(folders[0], free_port())
    assert ask(cloud.port, cloud.secret).ours  # type: ignore[union-attr]
    for secret in ("", "guessed"):
        assert not ask(cloud.port, secret).ours  # type: ignore[union-attr]
    with pytest.raises(NotOurs):
        replace(cloud, secret="guessed").confirm()  # pragma: allowlist secret
    environments = [
        (Path("/proc") / str(pid) / "environ").read_bytes()
        for pid in processes.marked(settings.MARKER, str(folders[0]))
        if pid != cloud.pid and Path("/proc").is_dir()
    ]
    assert not any(cloud.secret.encode() in each for each in environments)


def test_a_process_number_that_passed_on_to_another_program_is_left_alone(folders: tuple[Path, Path]) -> None:
    cloud = up(folders[0], free_port())
    down(folders[0])
    stranger = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    try:
        record = {
            "state": str(folders[0]),
            "port": cloud.port,
            "pid": stranger.pid,
            "started": "",
            "auth": False,
        }
        (folders[0] / "cloud.json").write_text(json.dumps({**record, "secret": cloud.secret}))
        with pytest.raises(CloudNotRunning):
            connect(folders[0])
        down(folders[0])
        assert stranger.poll() is None
        assert up(folders[0], cloud.port).pid != stranger.pid
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_a_cloud_goes_down_also_when_somebody_else_has_its_port_by_now(folders: tuple[Path, Path]) -> None:
    mine = up(folders[0], free_port())
    os.kill(mine.pid, signal.SIGKILL)
    processes.wait_for_end([mine.pid], 10)
    with socket.create_server(("127.0.0.1", mine.port)):
        down(folders[0])
    assert not (folders[0] / "cloud.json").exists()


def test_who_starts_while_another_stops_waits_for_it_and_says_so(folders: tuple[Path, Path]) -> None:
    folders[0].mkdir()
    folder = StateFolder.of(folders[0])
    said: list[str] = []
    waiting = threading.Event()

    def hear(sentence: str) -> None:
        said.append(sentence)
        waiting.set()

    with ThreadPoolExecutor() as pool:
        with held(folder.lock, "stops"):
            started = pool.submit(up, folders[0], free_port(), False, hear)
            assert waiting.wait(30)
            assert not started.done()
        assert started.result().state == folders[0]
    assert f"process {os.getpid()}" in said[0]


@pytest.mark.parametrize(
    "content", [b"", b"{", b"\0\xff\xfe", b"[]", b'{"port": "x"}', b'{"port": 4566, "pid": 1}']
)
def test_a_broken_record_is_told_and_mended(folders: tuple[Path, Path], content: bytes) -> None:
    first = up(folders[0], free_port())
    first.client("ssm").put_parameter(Name="/kept", Value="v", Type="String")
    record = folders[0] / "cloud.json"
    record.write_bytes(content)
    with pytest.raises(BrokenRecord, match=r"cloud\.json .*`tidegate up`.*`tidegate down`"):
        connect(folders[0])
    assert status(folders[0]).cloud is None
    said: list[str] = []
    again = up(folders[0], first.port, on_progress=said.append)
    assert "cloud.json" in said[0]
    assert again.pid != first.pid and not processes.alive(first.pid)
    assert again.client("ssm").get_parameter(Name="/kept")["Parameter"]["Value"] == "v"
    record.write_bytes(content)
    down(folders[0])
    assert not processes.alive(again.pid) and not record.exists()


def test_nobody_else_reads_what_a_cloud_keeps(folders: tuple[Path, Path]) -> None:
    folder = folders[0]
    (folder / "emulator").mkdir(parents=True)
    (folder / "emulator" / "old.json").write_text("{}")
    for path, mode in (
        (folder, 0o755),
        (folder / "emulator", 0o777),
        (folder / "emulator" / "old.json", 0o644),
    ):
        path.chmod(mode)
    cloud = up(folder, free_port())
    cloud.client("s3").create_bucket(Bucket="data")
    cloud.client("s3").put_object(Bucket="data", Key="a/b", Body=b"x")
    cloud.client("ssm").put_parameter(Name="/n", Value="v", Type="SecureString")
    down(folder)
    modes = {path: stat.S_IMODE(path.lstat().st_mode) for path in [folder, *folder.rglob("*")]}
    assert {oct(mode) for path, mode in modes.items() if path.is_dir()} == {"0o700"}
    assert {oct(mode) for path, mode in modes.items() if path.is_file()} == {"0o600"}


def test_a_lock_ends_with_its_process(folders: tuple[Path, Path]) -> None:
    cloud = up(folders[0], free_port())
    lock = StateFolder.of(folders[0]).running
    assert is_held(lock)
    assert read_record(StateFolder.of(folders[0])) == cloud
    os.kill(cloud.pid, signal.SIGKILL)
    # Its files are closed a moment after it has ended for the system.
    until(lambda: not is_held(lock))
