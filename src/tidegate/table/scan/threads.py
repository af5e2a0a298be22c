"""Reading a file's blocks with as many threads as there are cores, the answers in the order of the file."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import BinaryIO, TypeVar

from tidegate.table import native
from tidegate.table.scan.blocks import BLOCK_BYTES, WholeRecords, blocks
from tidegate.table.scan.native_reader import NativeReader

Progress = Callable[[int], None]
Answer = TypeVar("Answer")


def in_threads(
    stream: BinaryIO,
    raw: BinaryIO,
    whole_records: WholeRecords,
    reader_of: tuple[native.Kernel, int],
    work: Callable[[NativeReader, bytearray, int], Answer],
    progress: Progress | None,
) -> Iterator[Answer]:
    """Work on each block of whole records.

    Parameters
    ----------
    stream : binary stream
        Unpacked; it stands at the beginning of a record.
    raw : binary stream
        The file itself, by which progress is told.
    reader_of : tuple of kernel and int
        What readers are made of: the kernel, and how many columns there are.
    work : callable
        Reads a buffer's first bytes with a reader that is nobody else's meanwhile.
    """
    readers: deque[NativeReader] = deque()
    buffers: list[bytearray] = []

    def take(size: int) -> bytearray:
        fitting = next((each for each in buffers if len(each) >= size), None)
        if fitting is None:
            return bytearray(size)
        buffers.remove(fitting)
        return fitting

    def done(buffer: bytearray, size: int) -> Answer:
        try:
            reader = readers.pop()
        except IndexError:  # more of them at work than ever before
            reader = NativeReader(*reader_of)
        answer = work(reader, buffer, size)
        readers.append(reader)
        buffers.append(buffer)
        return answer

    seen = raw.tell()
    if progress:
        progress(seen)
    for answer in _in_order(blocks(stream, whole_records, take), done):
        yield answer
        if progress:
            at = raw.tell()
            progress(at - seen)
            seen = at


def _in_order(
    cut: Iterator[tuple[bytearray, int]], work: Callable[[bytearray, int], Answer]
) -> Iterator[Answer]:
    first = next(cut)
    if first[1] < BLOCK_BYTES // 2:  # most windows are small, and a pool would only cost them time
        yield work(*first)
        yield from (work(*block) for block in cut)
        return
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    waiting: deque[Future[Answer]] = deque()
    with ThreadPoolExecutor(cores) as pool:
        try:
            waiting.append(pool.submit(work, *first))
            for block in cut:
                waiting.append(pool.submit(work, *block))
                if len(waiting) >= 2 * cores:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
