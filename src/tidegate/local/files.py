"""How the local cloud writes what it keeps: for its owner alone, and a file as a whole or not at all."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

FOLDER_MODE, FILE_MODE = 0o700, 0o600
# What a process of the local cloud, and so each of its children, leaves out of the modes of its files.
UMASK = 0o077


def private_folder(path: Path) -> None:
    """Make a folder, and those above it that are missing, for its owner alone; one that is there stays."""
    missing = [folder for folder in (path, *path.parents) if not folder.exists()]
    for folder in reversed(missing):
        folder.mkdir(mode=FOLDER_MODE, exist_ok=True)


def open_private(path: Path, mode: str = "wb") -> BinaryIO:
    """Open a file that only its owner reads, made where it is missing, tightened where it is not."""

    def opener(name: str, flags: int) -> int:
        handle = os.open(name, flags | os.O_CLOEXEC, FILE_MODE)
        os.fchmod(handle, FILE_MODE)
        return handle

    return open(path, mode, opener=opener)  # type: ignore[return-value]


def write_whole(path: Path, content: bytes | str) -> None:
    """Replace a file as a whole: whoever reads it finds the old content or the new, never a part."""
    partial = path.with_name(f"{path.name}.new")
    with open_private(partial) as file:
        file.write(content.encode() if isinstance(content, str) else content)
    partial.replace(path)


def tighten(paths: Iterable[Path]) -> int:
    """Take from everybody but the owner what they may do with files and folders, at any depth.

    Links are not followed; a file that has another name elsewhere, and what belongs to somebody else, stay as
    they are.

    Returns
    -------
    int
        How many had to be changed.
    """
    return sum(_tighten(path) for path in paths)


def _tighten(path: Path) -> int:
    try:
        found = path.lstat()
        is_folder = stat.S_ISDIR(found.st_mode)
        if not (is_folder or stat.S_ISREG(found.st_mode)) or (not is_folder and found.st_nlink > 1):
            return 0
        changed = 0
        if found.st_mode & UMASK and found.st_uid == os.getuid():
            path.chmod(stat.S_IMODE(found.st_mode) & ~UMASK)
            changed = 1
        return changed + (sum(_tighten(each) for each in path.iterdir()) if is_folder else 0)
    except (FileNotFoundError, PermissionError):
        return 0  # it went while we looked, or is not ours
