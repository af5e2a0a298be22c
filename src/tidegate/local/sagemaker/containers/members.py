"""The members of a tar archive from S3, each checked before anybody writes it.

`tarfile` reads the headers; what they say is believed nowhere. Its own filters are not used: Python 3.11.2
has none, and those of later versions let nested links through (CVE-2025-4517).
"""

from __future__ import annotations

import gzip
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, cast

MOST_UNPACKED_BYTES = 32 << 30
MOST_FILES = 200_000
MOST_PATH_BYTES, MOST_NAME_BYTES, MOST_DEPTH = 1024, 255, 64
# What stands between two contents: a header, long names, attributes. Some take `tarfile` quadratic time.
MOST_HEADER_BYTES = 16 << 10
# Models compress to a half or a tenth; zeros compress a thousandfold, and a small file of them is no harm.
MOST_RATIO, ALWAYS_ALLOWED_BYTES = 200, 1 << 30
_GZIP_MAGIC = b"\x1f\x8b"
_FILES = (tarfile.REGTYPE, tarfile.AREGTYPE, tarfile.CONTTYPE)
_LINKS = (tarfile.SYMTYPE, tarfile.LNKTYPE)
_BLOCK, _PIECE = tarfile.BLOCKSIZE, 1 << 20


class BadArchive(Exception):
    """An archive cannot be used; the message says why."""


@dataclass(frozen=True)
class Member:
    """A file or a folder of an archive, by the parts of its path; the content can be read once, now."""

    parts: tuple[str, ...]
    is_folder: bool
    executable: bool
    content: IO[bytes]

    @property
    def shown(self) -> str:
        """The path for a sentence."""
        return _shown("/".join(self.parts))


def members(file: IO[bytes], size: int, most_bytes: int, most_files: int) -> Iterator[Member]:
    """Give the members of an archive in order.

    Parameters
    ----------
    file
        The archive, at its beginning.
    size
        How many bytes it has.
    most_bytes, most_files
        What it may hold when unpacked.

    Raises
    ------
    BadArchive, tarfile.TarError, zlib.error, EOFError, OSError
        When something is wrong with it; only `BadArchive` has a sentence for people.
    """
    stream = _Stream(file, size, most_bytes, most_files)
    with stream.opened() as tar:
        total = count = 0
        while (found := stream.header(tar)) is not None:
            # Before anything is added: a negative size would make room for more.
            if found.size < 0:
                raise BadArchive(f"{_shown(found.name)} says that it has a size of {found.size} bytes.")
            total, count = total + found.size, count + 1
            if total > stream.most_bytes or count > most_files:
                raise BadArchive(
                    f"it holds more than {stream.most_bytes} bytes or {most_files} files when unpacked."
                )
            parts, is_folder = _checked(found)
            content = _Content(stream, 0 if is_folder else found.size)
            if parts:  # else the folder itself, as `tar -C folder .` stores it
                yield Member(parts, is_folder, bool(found.mode & 0o100), cast("IO[bytes]", content))
                content.finish()
    stream.end()


def _checked(found: tarfile.TarInfo) -> tuple[tuple[str, ...], bool]:
    """Give the parts of a member's path, and whether it is a folder."""
    name = _shown(found.name)
    if found.type in _LINKS:
        raise BadArchive(
            f"{name} is a link, which could lead outside its folder: pack the files themselves "
            "(tar --dereference --hard-dereference)."
        )
    if found.type not in _FILES and found.type != tarfile.DIRTYPE:
        raise BadArchive(f"{name} is a special file: only files and folders are unpacked.")
    if found.issparse() or any(key.startswith("GNU.sparse") for key in found.pax_headers):
        raise BadArchive(f"{name} is a special file, a sparse one: pack it in full (tar without --sparse).")
    parts = tuple(part for part in found.name.split("/") if part not in ("", "."))
    if ".." in parts:
        raise BadArchive(f"{name} would lie outside its folder.")
    if found.isfile() and not parts:
        raise BadArchive("it holds a file without a name.")
    longest = max((len(_bytes(part)) for part in parts), default=0)
    if len(_bytes(found.name)) > MOST_PATH_BYTES or longest > MOST_NAME_BYTES or len(parts) > MOST_DEPTH:
        raise BadArchive(
            f"the path {name} is too long: {MOST_PATH_BYTES} bytes, {MOST_NAME_BYTES} a name and "
            f"{MOST_DEPTH} folders are allowed."
        )
    if "\0" in found.name:
        raise BadArchive(f"{name} is no name of a file.")
    return parts, found.isdir()


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _shown(name: str) -> str:
    """A name for a sentence: in quotes, its control characters escaped, and never a page long."""
    said = ascii(name)  # first, as one character may come to ten
    return said if len(said) <= 80 else f"{said[:76]}...{said[0]}"


class _Stream:
    """The archive's bytes, unzipped where need be; all are counted, and headers are never long.

    `tarfile` reads it as a file. It can only go forward: a header that leads back would be read for ever.
    """

    def __init__(self, file: IO[bytes], size: int, most_bytes: int, most_files: int) -> None:
        zipped = file.read(2) == _GZIP_MAGIC
        file.seek(0)
        self._file = cast("IO[bytes]", gzip.GzipFile(fileobj=file)) if zipped else file
        self.most_bytes = min(most_bytes, max(ALWAYS_ALLOWED_BYTES, size * MOST_RATIO))
        self._most_read = self.most_bytes + most_files * 4 * _BLOCK + MOST_HEADER_BYTES
        self._at = 0
        self._left_of_header = MOST_HEADER_BYTES
        self._last_block = b""

    def opened(self) -> tarfile.TarFile:
        """Read the first header; what `tarfile` stumbles over is a broken archive."""
        with _reading_headers():
            return tarfile.open(fileobj=cast("IO[bytes]", self), mode="r:", encoding="utf-8")

    def header(self, tar: tarfile.TarFile) -> tarfile.TarInfo | None:
        """Read on to the next member; None at the end of the archive."""
        self._left_of_header = MOST_HEADER_BYTES
        with _reading_headers():
            found = tar.next()
        tar.members.clear()  # type: ignore[attr-defined]  # else the memory grows with whatever headers there are
        if found is None and self._last_block.strip(b"\0"):
            # `tarfile` takes a broken header for the end.
            raise BadArchive("it is broken: a header in it cannot be read.")
        return found

    def end(self) -> None:
        """Read what is behind the end, so that the checksum is looked at; it must be nothing."""
        while block := self.take(_PIECE):
            if block.strip(b"\0"):
                raise BadArchive("it is broken: something stands behind its end.")

    def read(self, size: int = -1) -> bytes:
        """Read a piece of a header."""
        if not 0 <= size <= self._left_of_header:
            raise BadArchive(f"it has a header of more than {MOST_HEADER_BYTES} bytes.")
        self._left_of_header -= size
        self._last_block = self.take(size)
        return self._last_block

    def seek(self, place: int, whence: int = 0) -> int:
        """Go forward, over what fills up a block."""
        ahead = place - self._at
        if whence != 0 or not 0 <= ahead <= _BLOCK:
            raise BadArchive("it is broken: a header in it leads to a place where none can be.")
        self.take(ahead)
        return self._at

    def tell(self) -> int:
        """Give the place."""
        return self._at

    def take(self, size: int) -> bytes:
        """Read so many bytes, or as many as there are."""
        piece = self._file.read(size)
        self._at += len(piece)
        if self._at > self._most_read:
            raise BadArchive(f"it holds more than {self.most_bytes} bytes when unpacked.")
        return piece


class _Content:
    """What a member holds, read once and to its end, whoever left off in the middle."""

    def __init__(self, stream: _Stream, size: int) -> None:
        self._stream = stream
        self._left = size

    def read(self, size: int) -> bytes:
        """Read a piece; none at the end alone."""
        wanted = min(size, self._left, _PIECE)
        piece = self._stream.take(wanted)
        if len(piece) < wanted:
            raise EOFError("it ends in the middle of a file")
        self._left -= wanted
        return piece

    def finish(self) -> None:
        """Leave out what nobody read."""
        while self.read(_PIECE):
            pass


@contextmanager
def _reading_headers() -> Iterator[None]:
    """Turn what `tarfile` trips over, numbers of thousands of digits say, into a sentence."""
    try:
        yield
    except (ValueError, LookupError, ArithmeticError) as error:
        raise BadArchive("it is broken: a header in it cannot be read.") from error
