"""`tar.gz` both ways: what a container left, packed; what S3 holds, unpacked without trusting it."""

from __future__ import annotations

import gzip
import tarfile
import zlib
from pathlib import Path
from typing import IO, Any, cast

# Speed over size: the archive goes to this machine's own memory.
_COMPRESSION = 1
MOST_UNPACKED_BYTES = 32 << 30
MOST_FILES = 200_000
# Contents are copied in small pieces; only a header, which says its own length, is read in one.
MOST_READ_BYTES = 1 << 20
_GZIP_MAGIC = b"\x1f\x8b"


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
    """Unpack a tar archive, gzipped or not, into a folder.

    Raises
    ------
    BadArchive
        When it is no archive, would write outside the folder, holds devices, or is larger than allowed.
    """
    total = 0
    try:
        with (
            _opened(archive) as stream,
            tarfile.open(fileobj=cast(IO[bytes], _Careful(stream)), mode="r:") as tar,
        ):
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


class _Careful:
    """A stream that never fills the memory, whatever length the archive claims for a name or an attribute."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream

    def read(self, size: int) -> bytes:
        """Read a piece."""
        if not 0 <= size <= MOST_READ_BYTES:
            raise BadArchive(f"it has a header of {size} bytes, where {MOST_READ_BYTES} are allowed.")
        return self._stream.read(size)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def _opened(archive: Path) -> IO[bytes]:
    with archive.open("rb") as file:
        zipped = file.read(len(_GZIP_MAGIC)) == _GZIP_MAGIC
    return cast(IO[bytes], gzip.open(archive)) if zipped else archive.open("rb")


def _plain(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    return member
