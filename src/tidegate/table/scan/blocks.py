"""Cutting a stream of bytes into blocks that end where a record ends."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import BinaryIO

from tidegate.core import bounds

BLOCK_BYTES = 4 << 20
SLACK_BYTES = 64  # the kernel reads eight bytes at a time

WholeRecords = Callable[[bytearray, int], int]


class RecordTooLong(ValueError):
    """A record has more bytes than one may have: memory would grow with the file."""

    def __init__(self, most: int) -> None:
        super().__init__(f"longer than {most >> 20} MiB")


def blocks(
    stream: BinaryIO, whole_records: WholeRecords, take: Callable[[int], bytearray]
) -> Iterator[tuple[bytearray, int]]:
    """Cut a stream.

    Parameters
    ----------
    stream : binary stream
        It stands at the beginning of a record.
    whole_records : callable
        Tells how many of a buffer's first bytes are whole records; the buffer begins with a record.
    take : callable
        Gives a buffer of at least so many bytes; it belongs to the caller again once it was yielded.

    Yields
    ------
    tuple of bytearray and int
        A buffer, and how many of its bytes count.

    Raises
    ------
    RecordTooLong
        For a record that memory should not hold.
    """
    rest = b""
    while True:
        buffer = take(max(BLOCK_BYTES, 2 * len(rest)) + SLACK_BYTES)
        room = len(buffer) - SLACK_BYTES
        buffer[: len(rest)] = rest
        size = len(rest)
        with memoryview(buffer) as view:
            while size < room and (got := stream.readinto(view[size:room])):  # type: ignore[attr-defined]
                size += got
        last = size < room
        whole = size if last else whole_records(buffer, size)
        if size - whole > bounds.MOST_ROW_BYTES:
            raise RecordTooLong(bounds.MOST_ROW_BYTES)
        rest = bytes(memoryview(buffer)[whole:size])
        yield buffer, whole
        if last:
            return
