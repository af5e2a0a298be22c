"""`tar.gz` both ways: what a container left, packed; what S3 holds, unpacked without trusting it."""

from __future__ import annotations

import gzip
import os
import shutil
import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path

from tidegate.local.sagemaker.containers.members import (
    MOST_FILES,
    MOST_UNPACKED_BYTES,
    BadArchive,
    Member,
    members,
)

__all__ = ["MOST_FILES", "MOST_UNPACKED_BYTES", "BadArchive", "left_out", "pack", "unpack"]

# Speed over size: the archive goes to this machine's own memory.
_COMPRESSION = 1


def pack(folder: Path, archive: Path) -> None:
    """Write the content of a folder to a `tar.gz`, its paths relative to the folder.

    An archive holds files and folders alone, as `unpack` takes nothing else: a link to something within the
    folder is stored as what it leads to, and what `left_out` names is not stored.
    """
    with tarfile.open(archive, "w:gz", compresslevel=_COMPRESSION) as tar:
        for path in _content(folder, []):
            member = tarfile.TarInfo(path.relative_to(folder).as_posix())
            stat = path.stat()
            member.mode, member.mtime = stat.st_mode & 0o777, int(stat.st_mtime)
            if path.is_dir():
                member.type = tarfile.DIRTYPE
                tar.addfile(member)
                continue
            with path.open("rb") as content:
                member.size = stat.st_size
                tar.addfile(member, content)


def left_out(folder: Path) -> list[str]:
    """Give a sentence for each thing in a folder that `pack` does not store."""
    told: list[str] = []
    for _ in _content(folder, told):
        pass
    return told


def _content(folder: Path, told: list[str]) -> Iterator[Path]:
    """Walk over files and folders, into links that lead to something within; say what is left out."""
    home = folder.resolve()
    todo: list[tuple[Path, tuple[Path, ...]]] = [(folder, (home,))]
    while todo:
        here, above = todo.pop()
        for path in sorted(here.iterdir()) if here.is_dir() else ():
            name = ascii(path.relative_to(folder).as_posix())
            real = Path(os.path.realpath(path))
            if not real.is_relative_to(home):
                told.append(f"{name} leads out of the folder and is left out: copy it instead of linking it.")
            elif real in above:
                told.append(f"{name} leads to a folder that it lies in, and is left out.")
            elif real.is_dir():
                yield path
                todo.append((path, (*above, real)))
            elif real.is_file():
                yield path
            else:
                told.append(f"{name} is neither a file nor a folder, and is left out.")


def unpack(
    archive: Path, folder: Path, *, most_bytes: int = MOST_UNPACKED_BYTES, most_files: int = MOST_FILES
) -> None:
    """Unpack a tar archive, gzipped or not, into a folder; where it is refused, nothing of it is left.

    Files and folders alone are taken. Every name is checked and every byte counted as it is written; nothing
    that is there already is written over or followed.

    Raises
    ------
    BadArchive
        When it is no archive, would write outside the folder, holds links or devices, or is larger than
        allowed.
    """
    made: list[Path] = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with archive.open("rb") as file:
            for member in members(file, archive.stat().st_size, most_bytes, most_files):
                _put(member, folder, made)
    except BaseException as error:
        for path in reversed(made):
            path.rmdir() if path.is_dir() else path.unlink()
        if isinstance(error, (tarfile.TarError, zlib.error, EOFError, gzip.BadGzipFile)):
            raise BadArchive(f"it is not a tar.gz that can be unpacked: {error}.") from error
        if isinstance(error, OSError):  # a full disk, say
            raise BadArchive(f"it could not be unpacked here: {error.strerror or error}.") from error
        raise


def _put(member: Member, folder: Path, made: list[Path]) -> None:
    """Make one file or folder; every path goes into `made` before anything is in it."""
    *above, last = member.parts
    place = folder
    for part in (*above, last) if member.is_folder else above:
        place = place / part
        # `lstat`, so to say: what is there must be a folder itself, not something that leads to one.
        if place.is_symlink() or (place.exists() and not place.is_dir()):
            raise BadArchive(f"{member.shown} would lie in something that is no folder.")
        if not place.exists():
            place.mkdir(mode=0o755)
            made.append(place)
    if member.is_folder:
        return
    path = place / last
    if path.is_symlink() or path.exists():
        raise BadArchive(f"it holds {member.shown} twice, or the folder has it already.")
    with path.open("xb") as file:
        made.append(path)
        shutil.copyfileobj(member.content, file, 1 << 20)
    path.chmod(0o755 if member.executable else 0o644)
