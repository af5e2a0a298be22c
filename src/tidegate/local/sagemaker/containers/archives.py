"""`tar.gz` both ways: what a container left, packed; what S3 holds, unpacked without trusting it."""

from __future__ import annotations

import tarfile
import zlib
from pathlib import Path

# Speed over size: the archive goes to this machine's own memory.
_COMPRESSION = 1
MOST_UNPACKED_BYTES = 32 << 30
MOST_FILES = 200_000


class BadArchive(Exception):
    """An archive cannot be used; the message says why."""


def pack(folder: Path, archive: Path) -> None:
    """Write the content of a folder to a `tar.gz`, its paths relative to the folder.

    Links are stored as links, so that an archive holds nothing from outside the folder.
    """
    with tarfile.open(archive, "w:gz", compresslevel=_COMPRESSION) as tar:
        for path in sorted(folder.iterdir()):
            tar.add(path, arcname=path.name, filter=_plain)


def unpack(
    archive: Path, folder: Path, *, most_bytes: int = MOST_UNPACKED_BYTES, most_files: int = MOST_FILES
) -> None:
    """Unpack a tar archive, compressed or not, into a folder.

    Raises
    ------
    BadArchive
        When it is no archive, would write outside the folder, holds devices, or is larger than allowed.
    """
    total = 0
    try:
        with tarfile.open(archive, "r:*") as tar:
            for number, member in enumerate(tar, start=1):
                total += member.size
                if total > most_bytes or number > most_files:
                    raise BadArchive(
                        f"it holds more than {most_bytes} bytes or {most_files} files when unpacked."
                    )
                tar.extract(member, folder, filter="data")
    except tarfile.FilterError as error:
        raise BadArchive(f"it would write outside its folder or make a special file: {error}.") from error
    except (tarfile.TarError, zlib.error, EOFError, OSError) as error:
        raise BadArchive(f"it is not a tar.gz that can be unpacked: {error}.") from error


def _plain(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    return member
