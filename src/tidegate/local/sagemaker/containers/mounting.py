"""Starts a program that finds its container's folder at `/opt/ml`, in a mount namespace of its own.

Scripts name `/opt/ml/…` in their text, where nobody can map it. Linux lets an ordinary user do this where
user namespaces are allowed; elsewhere the program starts without, and only what it is given is mapped.
Run as ``python -I -S mounting.py FOLDER PROGRAM ARGUMENT …``: it becomes the program, under the same number.
"""

from __future__ import annotations

import ctypes
import functools
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

_NEW_MOUNTS, _NEW_USER = 0x00020000, 0x10000000
_BIND, _RECURSIVE, _PRIVATE, _DETACH = 4096, 16384, 1 << 18, 2
_OPT = Path("/opt")
# On a busy machine, too: what is found here holds as long as the local cloud lives.
_CHECK_SECONDS = 60.0


def seen_at_opt_ml(folder: Path, argv: Sequence[str], env: Mapping[str, str]) -> list[str]:
    """Return the command that runs `argv` with `folder` at `/opt/ml`; `argv` itself where that cannot be.

    Parameters
    ----------
    folder
        What the program is to find at `/opt/ml`.
    argv
        Its command.
    env
        Its environment.
    """
    # A program that is not there is not ours to complain about.
    if not is_possible() or shutil.which(argv[0], path=env.get("PATH")) is None:
        return list(argv)
    return [*_command(), str(folder), *argv]


@functools.cache
def is_possible() -> bool:
    """Tell whether this machine lets us; asked once."""
    if sys.platform != "linux" or not _OPT.is_dir():
        return False
    with tempfile.TemporaryDirectory() as folder:
        probe = Path(folder) / "ml"
        probe.mkdir()
        (probe / "here").touch()
        check = [*_command(), str(probe), "test", "-e", "/opt/ml/here"]
        try:
            done = subprocess.run(check, capture_output=True, timeout=_CHECK_SECONDS, check=False)
        except (OSError, subprocess.TimeoutExpired):
            return False
    return done.returncode == 0


def _command() -> list[str]:
    return [sys.executable, "-I", "-S", __file__]


def main(folder: str, *argv: str) -> None:
    """Mount and become the program."""
    try:
        _mount_at_opt_ml(Path(folder))
    except OSError as error:
        sys.exit(f"{folder} could not be mounted at /opt/ml: {error}")
    os.execvp(argv[0], argv)  # nosec B606 # a container's command, as its image names it


def _mount_at_opt_ml(folder: Path) -> None:
    user, group = os.geteuid(), os.getegid()
    try:
        _call("unshare", _NEW_MOUNTS)  # all that root needs
    except PermissionError:
        _call("unshare", _NEW_MOUNTS | _NEW_USER)
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
        Path("/proc/self/gid_map").write_text(f"{group} {group} 1")
    _mount("none", Path("/"), _RECURSIVE | _PRIVATE)
    place = _OPT / "ml"
    if not place.is_dir():
        _make_room(folder)
        place.mkdir()
    _mount(str(folder), place, _BIND | _RECURSIVE)


def _make_room(folder: Path) -> None:
    """Lay a writable `/opt` over the machine's, with all that it has."""
    below = Path(tempfile.mkdtemp(prefix=".opt-", dir=folder.parent))
    _mount(str(_OPT), below, _BIND | _RECURSIVE)
    _mount("tmpfs", _OPT, 0, "tmpfs")
    for entry in below.iterdir():
        copy = _OPT / entry.name
        if entry.is_symlink():
            copy.symlink_to(entry.readlink())
        elif entry.is_dir():
            copy.mkdir()
            _mount(str(entry), copy, _BIND | _RECURSIVE)
        else:
            copy.touch()
            _mount(str(entry), copy, _BIND)
    _call("umount2", bytes(below), _DETACH)
    below.rmdir()


def _mount(source: str, target: Path, flags: int, kind: str = "") -> None:
    _call("mount", source.encode(), bytes(target), kind.encode() or None, ctypes.c_ulong(flags), None)


def _call(name: str, *arguments: object) -> None:
    if getattr(ctypes.CDLL(None, use_errno=True), name)(*arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")


if __name__ == "__main__":
    main(*sys.argv[1:])
