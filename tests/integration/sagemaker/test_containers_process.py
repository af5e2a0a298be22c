"""Children: their lines, their exit codes, stops that stop, and nothing that outlives us."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from jobs_world import descendants, marked
from tests.waiting import PATIENCE_SECONDS, quick_enough, seconds_of, until

from tidegate.local.sagemaker.containers import process
from tidegate.local.sagemaker.containers.process import CannotStart, Child

pytestmark = pytest.mark.integration


def start(script: str, lines: list[str] | None = None) -> Child:
    take = (lambda line: None) if lines is None else lines.append
    return Child(["sh", "-c", script], env=dict(os.environ), cwd="/", on_line=take)


def is_alive(pid: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return False


def test_all_lines_of_both_outputs_arrive_in_order_before_the_end() -> None:
    lines: list[str] = []
    child = start("for i in 1 2 3; do echo out $i; echo err $i >&2; done; printf 'no newline'; exit 3", lines)
    assert child.wait(PATIENCE_SECONDS) == 3
    assert lines == [f"{where} {i}" for i in (1, 2, 3) for where in ("out", "err")] + ["no newline"]


def test_bytes_that_are_no_text_and_endless_lines_do_no_harm() -> None:
    lines: list[str] = []
    script = "import sys; sys.stdout.buffer.write(b'\\xff\\r\\n' + b'x' * 500_000 + b'\\n')"
    child = Child([sys.executable, "-c", script], env={}, cwd="/", on_line=lines.append)
    assert child.wait(PATIENCE_SECONDS) == 0
    assert lines[0] == "\ufffd"
    assert "".join(lines[1:]) == "x" * 500_000
    assert all(len(line) <= 200_000 for line in lines)


def test_a_stop_lets_a_container_save_its_work() -> None:
    lines: list[str] = []
    child = start("trap 'echo saved; exit 0' TERM; echo ready; while :; do sleep 0.01; done", lines)
    until(lambda: lines)
    assert child.stop(PATIENCE_SECONDS) == 0
    assert lines == ["ready", "saved"]


def test_a_container_that_ignores_the_stop_is_killed_after_the_grace() -> None:
    lines: list[str] = []
    child = start("trap '' TERM; echo ready; while :; do sleep 0.01; done", lines)
    until(lambda: lines)
    begun = time.monotonic()
    assert child.stop(0.2) == 128 + signal.SIGKILL
    assert time.monotonic() - begun >= 0.2


def test_a_stop_in_the_very_moment_of_the_end_finds_the_end() -> None:
    for _ in range(40):
        child = start("exit 5")
        while child.running:
            child.signal(signal.SIGTERM)
        assert child.wait(PATIENCE_SECONDS) in (5, 128 + signal.SIGTERM)


@pytest.mark.parametrize("first", ["other code", "the watcher"])
def test_an_end_that_other_code_took_is_still_an_end(
    first: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Never is the end missed, or taken for a success, whichever of the two sees it first."""
    taken, look = threading.Event(), os.waitid

    def waitid(kind: int, pid: int, options: int) -> object:
        end = look(kind, pid, options) if first == "the watcher" else None
        if first == "the watcher":
            seen.set()
        assert taken.wait(PATIENCE_SECONDS)
        return end or look(kind, pid, options)

    seen = threading.Event()
    monkeypatch.setattr(os, "waitid", waitid)
    child = start("exit 3")
    if first == "the watcher":
        assert seen.wait(PATIENCE_SECONDS)
    os.waitpid(child.pid, 0)
    taken.set()
    assert child.wait(PATIENCE_SECONDS) == (3 if first == "the watcher" else 255)
    assert ("taken by other code" in caplog.text) == (first == "other code")


def test_what_a_container_left_running_ends_with_it() -> None:
    lines: list[str] = []
    child = start("sleep 100 & echo $!; setsid sleep 100 & echo $!; sleep 0.1; exit 0", lines)
    assert child.wait(PATIENCE_SECONDS) == 0
    until(lambda: not any(is_alive(int(pid)) for pid in lines))
    assert len(lines) == 2


def test_the_end_is_told_once_and_after_the_last_line() -> None:
    seen: list[object] = []
    told = threading.Event()

    def ended(code: int) -> None:
        seen.append(code)
        told.set()

    child = Child(
        ["sh", "-c", "echo last"], env=dict(os.environ), cwd="/", on_line=seen.append, on_exit=ended
    )
    assert told.wait(PATIENCE_SECONDS)
    child.stop(1)
    assert seen == ["last", 0]


def test_a_program_that_does_not_exist_is_named() -> None:
    with pytest.raises(CannotStart, match="'/no/such/program'"):
        Child(["/no/such/program"], env={}, cwd="/", on_line=lambda line: None)


def test_a_callback_that_fails_does_not_hold_up_the_container(caplog: pytest.LogCaptureFixture) -> None:
    def fail(line: str) -> None:
        raise ValueError(line)

    child = Child(["sh", "-c", "seq 100000"], env=dict(os.environ), cwd="/", on_line=fail)
    assert child.wait(PATIENCE_SECONDS) == 0
    assert caplog.text.count("could not be taken") == 1


OWNER = """
import os, sys, time
from tidegate.local.sagemaker.containers import process
from tidegate.local.sagemaker.containers.process import Child
child = Child(
    ["sh", "-c", "trap '' TERM HUP; echo $$; setsid sleep 100 & echo $!; sleep 100 & echo $!; wait"],
    env=dict(os.environ), cwd="/", on_line=lambda line: print(line, flush=True))
{ending}
"""


@pytest.mark.parametrize(
    "ending",
    ["time.sleep(600)", "os.fork() or os.write(1, b'forked\\n'); time.sleep(600)", "input(); os._exit(1)"],
    ids=["killed", "killed while a fork lives on", "exits"],
)
def test_no_container_outlives_a_local_cloud_that_dies(ending: str) -> None:
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER.format(ending=ending)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    assert owner.stdin is not None
    assert owner.stdout is not None
    try:
        said = {owner.stdout.readline().strip() for _ in range(4 if "fork" in ending else 3)}
        pids = [int(line) for line in said if line != b"forked"]
        assert len(pids) == 3
        if "_exit" not in ending:
            owner.kill()
        owner.stdin.close()
        owner.wait(PATIENCE_SECONDS)
        until(lambda: not any(is_alive(pid) for pid in pids))
    finally:
        os.killpg(owner.pid, signal.SIGKILL) if "fork" in ending else None
        owner.stdout.close()


AT_ONCE = """
import os
from tidegate.local.sagemaker.containers.process import Child
print("starting", flush=True)
while True:
    Child(["sleep", "100"], env=dict(os.environ), cwd="/", on_line=print)
"""


@pytest.mark.parametrize("after_seconds", [0.0, 0.003, 0.01, 0.02])
def test_a_local_cloud_killed_in_the_middle_of_a_start_leaves_nothing(
    after_seconds: float, tmp_path: Path
) -> None:
    owner = subprocess.Popen(
        [sys.executable, "-c", AT_ONCE],
        stdout=subprocess.PIPE,
        env={**os.environ, "TIDEGATE_CLOUD": str(tmp_path)},
    )
    assert owner.stdout is not None
    with owner.stdout:
        owner.stdout.readline()
        time.sleep(after_seconds)
        owner.kill()
        owner.wait(PATIENCE_SECONDS)
    until(lambda: not marked(f"TIDEGATE_CLOUD={tmp_path}"))


def test_a_watchdog_that_was_killed_is_replaced_with_the_next_container() -> None:
    first = start("sleep 100")
    dog = process._guard._process
    assert dog is not None
    dog.kill()
    dog.wait(PATIENCE_SECONDS)
    second = start("exit 0")
    assert second.wait(PATIENCE_SECONDS) == 0
    assert process._guard._process is not dog
    assert process._guard._process is not None
    assert process._guard._process.poll() is None
    assert first.stop(PATIENCE_SECONDS) == 128 + signal.SIGTERM


def test_starting_a_container_costs_milliseconds() -> None:
    quick_enough(lambda: seconds_of(lambda: start("true").wait(PATIENCE_SECONDS)), 0.05)


def test_nothing_is_left_of_all_this() -> None:
    until(lambda: not descendants())
