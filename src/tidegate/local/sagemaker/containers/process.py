"""`Child`: one container's process, with its lines, its exit code, a real stop, and no way to outlive us.

Every child leads a session of its own, so that a stop reaches all that it started. One watchdog process for
the whole local cloud kills what is left when the local cloud dies, be it by ``kill -9``.
"""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import threading
import uuid
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from tidegate.local.sagemaker.containers import watchdog

log = logging.getLogger(__name__)

OnLine = Callable[[str], None]

_OWNER = uuid.uuid4().hex
# CloudWatch Logs takes no event above 256 KB; a longer line is cut into several.
_LONGEST_LINE_BYTES = 200_000
# What a killed process wrote last is in the pipe already; only a stranger could hold it open for longer.
_LAST_LINES_SECONDS = 10.0
# Where other code of this program reaped a child of ours, nobody can know its exit code any more.
_LOST, _LOST_EXIT_CODE = 1 << 16, 255


class CannotStart(Exception):
    """The operating system refused to start the process; the message says which and why."""


class Child:
    """A running process.

    Parameters
    ----------
    argv
        The command.
    env
        Its whole environment (see `environment.container_environment`).
    cwd
        Its working folder.
    on_line
        Called with each line of standard output and standard error, in order, from one thread. What it
        raises is logged and does not harm the process.
    on_exit
        Called once with the exit code, after the last line, from a thread of the child.

    Raises
    ------
    CannotStart
        When the program does not exist or may not be run.

    Examples
    --------
    >>> lines = []
    >>> child = Child(["sh", "-c", "echo hello; exit 3"], env=dict(os.environ), cwd=".", on_line=lines.append)
    >>> child.wait(), lines
    (3, ['hello'])
    """

    def __init__(
        self,
        argv: Sequence[str],
        *,
        env: Mapping[str, str],
        cwd: Path | str,
        on_line: OnLine,
        on_exit: Callable[[int], None] | None = None,
    ) -> None:
        self._mark = uuid.uuid4().hex
        self._on_line = on_line
        self._on_exit = on_exit
        self._signals = threading.Lock()
        self._gone = False
        self._complained = False
        self._done = threading.Event()
        self._exit_code: int | None = None
        _guard.stand_by()
        try:
            self._process = subprocess.Popen(
                list(argv),
                env={**env, "TIDEGATE_OWNER": _OWNER, "TIDEGATE_CHILD": self._mark},
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except OSError as error:
            raise CannotStart(f"{argv[0]!r} could not be started: {error.strerror or error}.") from error
        self.pid: int = self._process.pid
        _guard.add(self.pid)
        self._reader = threading.Thread(target=self._read, name=f"lines of {self.pid}", daemon=True)
        self._reader.start()
        threading.Thread(target=self._watch, name=f"end of {self.pid}", daemon=True).start()

    @property
    def exit_code(self) -> int | None:
        """The exit code as a shell gives it (128 + signal when killed), None while it runs."""
        return self._exit_code

    @property
    def running(self) -> bool:
        """True until the process and all its descendants are gone."""
        return not self._done.is_set()

    def wait(self, timeout: float | None = None) -> int | None:
        """Wait for the end; return the exit code, or None when `timeout` seconds went by first."""
        self._done.wait(timeout)
        return self._exit_code

    def signal(self, number: int) -> None:
        """Send a signal to the process, as container engines do; nothing happens when it is gone."""
        with self._signals:
            if not self._gone:
                # Not Popen.send_signal: it would reap the process and take its end away from `_watch`.
                os.kill(self.pid, number)

    def kill(self) -> None:
        """Kill the process and all that it started; nothing happens when it is gone."""
        with self._signals:
            if not self._gone:
                _kill_group(self.pid)

    def stop(self, grace_seconds: float) -> int:
        """SIGTERM, at most `grace_seconds` of patience, SIGKILL to all; return the exit code."""
        self.signal(signal.SIGTERM)
        if self.wait(grace_seconds) is None:
            self.kill()
        code = self.wait()
        assert code is not None
        return code

    def _watch(self) -> None:
        code = self._await_end() if hasattr(os, "waitid") else self._process.wait()
        with self._signals:
            self._gone = True
            if code != _LOST:
                _kill_group(self.pid)
            # A container ends with its first process; what moved to a session of its own ends here too.
            watchdog.kill_marked(b"TIDEGATE_CHILD=" + self._mark.encode())
            self._process.wait()
            _guard.remove(self.pid)
        if code == _LOST:
            log.error("the end of process %d was taken by other code of this program", self.pid)
        self._reader.join(_LAST_LINES_SECONDS)
        self._exit_code = _LOST_EXIT_CODE if code == _LOST else 128 - code if code < 0 else code
        self._done.set()
        if self._on_exit is not None:
            try:
                self._on_exit(self._exit_code)
            except Exception:
                log.exception("what should happen at the end of process %d failed", self.pid)

    def _await_end(self) -> int:
        """See the end without reaping, so that the number stays ours while we kill its group."""
        try:
            end = os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT)
        except ChildProcessError:
            return _LOST
        assert end is not None
        return end.si_status if end.si_code == os.CLD_EXITED else -end.si_status

    def _read(self) -> None:
        pipe = self._process.stdout
        assert pipe is not None
        rest = b""
        with pipe:
            while block := os.read(pipe.fileno(), 65536):
                *lines, rest = (rest + block).split(b"\n")
                for line in lines:
                    self._give(line)
                while len(rest) > _LONGEST_LINE_BYTES:
                    self._give(rest[:_LONGEST_LINE_BYTES])
                    rest = rest[_LONGEST_LINE_BYTES:]
        if rest:
            self._give(rest)

    def _give(self, line: bytes) -> None:
        try:
            self._on_line(line.rstrip(b"\r").decode("utf-8", "replace"))
        except Exception:
            if not self._complained:  # one traceback tells as much as one for each of many lines
                self._complained = True
                log.exception("a line of process %d could not be taken", self.pid)


class _Guard:
    """Keeps the watchdog informed, and one running."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._groups: set[int] = set()
        self._process: subprocess.Popen[bytes] | None = None

    def stand_by(self) -> None:
        """See to it that a watchdog runs before there is something to watch."""
        with self._lock:
            if self._process is None or self._process.poll() is not None:
                self._start()

    def add(self, group: int) -> None:
        with self._lock:
            self._groups.add(group)
            self._tell(f"+{group}\n")

    def remove(self, group: int) -> None:
        with self._lock:
            self._groups.discard(group)
            self._tell(f"-{group}\n")

    def _start(self) -> None:
        """Start a watchdog that knows all the groups, also those of one before it that died."""
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", watchdog.__file__, _OWNER, str(os.getpid())],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            bufsize=0,
        )
        self._tell("".join(f"+{group}\n" for group in self._groups))

    def _tell(self, text: str) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(text.encode())
        except BrokenPipeError:
            log.warning("the watchdog of the containers is gone; the next container starts a new one")


def _kill_group(group: int) -> None:
    try:
        os.killpg(group, signal.SIGKILL)
    except ProcessLookupError:
        return
    except PermissionError:
        # macOS gives this for a group whose only member has ended and waits to be reaped.
        return


_guard = _Guard()
