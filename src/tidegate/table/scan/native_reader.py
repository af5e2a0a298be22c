"""Reading blocks of CSV and JSON Lines with the kernel: one reader a thread, its memory kept."""

from __future__ import annotations

import ctypes
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from tidegate.table.columns import Floats
from tidegate.table.hashing import Hashes
from tidegate.table.profile.column import Cells, ColumnProfile
from tidegate.table.profile.distinct import ANY
from tidegate.table.profile.frequencies import MOST_NUMERALS, Frequencies, Numerals, cut_of, one_text_each
from tidegate.table.profile.value_types import ValueTypes

Whole = npt.NDArray[np.int64]
KINDS = 5
MOST_NUMBERS = 1 << 27  # a gigabyte of them
NUMERALS, OTHERS, MARKERS = 0, 1, 2


class BadBlock(Exception):
    """A block is no CSV of the header's width, or no text; the slow reader can say where and why."""


class NativeReader:
    """The kernel's reader for tables of one width; not for two threads at once."""

    def __init__(self, kernel: ctypes.CDLL, width: int) -> None:
        self._kernel, self._width = kernel, width
        self._reader = kernel.tg_new(width)
        if not self._reader:
            raise MemoryError("no memory for a reader")
        self._values = np.empty(0)

    def __del__(self) -> None:
        """Give the kernel's memory back."""
        if getattr(self, "_reader", None):
            self._kernel.tg_free(self._reader)

    def csv(self, buffer: bytearray, size: int, below: Sequence[int]) -> tuple[int, list[ColumnProfile]]:
        """Profile a block of whole records.

        Raises
        ------
        BadBlock
            If a record has another width, a quotation mark is never closed, or it is not UTF-8 text.
        """
        address = address_of(buffer)
        if not self._kernel.tg_is_text(address, size):
            raise BadBlock
        self._begin(size // self._width + 1)  # a record has a comma or a line end for each of its cells
        rows, fields = ctypes.c_int64(), ctypes.c_int64()
        done = self._kernel.tg_read_csv(
            self._reader, address, size, ctypes.addressof(rows), ctypes.addressof(fields)
        )
        _refuse(done)
        return done, self._profiles(done, below)

    def json(
        self, buffer: bytearray, size: int, names: Sequence[str], below: Sequence[int]
    ) -> tuple[int, list[ColumnProfile]]:
        """Profile a block of JSON Lines.

        Raises
        ------
        BadBlock
            If a line is not an object of these names with plain values: nested ones and escapes are not.
        """
        address = address_of(buffer)
        if not self._kernel.tg_is_text(address, size):
            raise BadBlock
        most_rows = buffer.count(b"\n", 0, size) + 1
        if most_rows * self._width > MOST_NUMBERS:  # wide first object, and lines of almost nothing
            raise BadBlock
        self._begin(most_rows)
        raw = [name.encode() for name in names]
        ends = np.cumsum([len(each) for each in raw], dtype=np.int32)
        done = self._kernel.tg_read_json(self._reader, address, size, b"".join(raw), ends.ctypes.data)
        _refuse(done)
        return done, self._profiles(done, below)

    def texts(self, array: Any) -> Cells:
        """Read a pyarrow array of texts with offsets of 32 bits; the reader's width is 1."""
        valid, offsets, data = array.buffers()
        self._begin(len(array))
        _refuse(
            self._kernel.tg_read_texts(
                self._reader,
                0,
                offsets.address,
                data.address if data else None,
                valid.address if valid and array.null_count else None,
                array.offset,
                len(array),
            )
        )
        return self._cells([ANY])[0]

    def _begin(self, most_rows: int) -> None:
        if len(self._values) < most_rows * self._width:
            self._values = np.empty(most_rows * self._width)
        self._stride = most_rows
        self._kernel.tg_begin(self._reader, self._values.ctypes.data, most_rows, MOST_NUMERALS)

    def _profiles(self, rows: int, below: Sequence[int]) -> list[ColumnProfile]:
        cells = self._cells(below)
        if any(sum(each.types.listed) + sum(each.markers.values()) != rows for each in cells):
            raise AssertionError(f"the kernel tells {rows} rows, and not as many cells of each column")
        return [ColumnProfile.of(*each) for each in zip(cells, below, strict=True)]

    def _cells(self, below: Sequence[int]) -> list[Cells]:
        kinds = np.empty((self._width, KINDS + 3), dtype=np.int64)
        self._kernel.tg_kinds(self._reader, kinds.ctypes.data)
        return [self._column(at, below[at], *row) for at, row in enumerate(kinds.tolist())]

    def _column(self, at: int, below: int, *found: int) -> Cells:
        *counts, numerals, others, markers = found
        types = ValueTypes(*counts)
        begin = at * self._stride
        values = self._values[begin : begin + types.numbers]
        hashes, texts = self._texts(at, OTHERS, others)
        written = None if numerals < 0 else one_text_each(self._texts(at, NUMERALS, numerals)[1].counts)
        numbers = self._hashes(values, written, below)
        gaps = self._texts(at, MARKERS, markers)[1].counts
        return Cells(types, values, Numerals(written), hashes, texts, numbers, markers=gaps)

    def _hashes(self, values: Floats, written: Mapping[str, int] | None, below: int) -> Hashes:
        """Hash the numbers, each different one once where all are known as they are written."""
        if written is not None:
            values = np.array([float(text) for text in written])
        hashes = np.empty(len(values), dtype=np.uint64)
        kept = self._kernel.tg_number_hashes(values.ctypes.data, len(values), below, hashes.ctypes.data)
        return hashes[:kept]

    def _texts(self, at: int, which: int, count: int) -> tuple[Hashes, Frequencies]:
        """Take texts over, with a copy of the most frequent only."""
        entries = np.empty((4, count), dtype=np.int64)
        hashes: Hashes = entries[0].view(np.uint64)
        counts, addresses, lengths = entries[1:]
        if not count:
            return hashes, Frequencies()
        self._kernel.tg_entries(self._reader, at, which, *(row.ctypes.data for row in entries))
        cut = cut_of(counts)
        kept = counts > cut
        texts = self._copied(addresses[kept], lengths[kept])
        return hashes, Frequencies(dict(zip(texts, (counts[kept] - cut).tolist(), strict=True)), cut)

    def _copied(self, addresses: Whole, lengths: Whole) -> list[str]:
        """Copy texts out of the block: all at once, or one by one where some have a NUL in them."""
        run = np.empty(int(lengths.sum()) + len(lengths), dtype=np.uint8)
        self._kernel.tg_joined(addresses.ctypes.data, lengths.ctypes.data, len(lengths), run.ctypes.data)
        texts = run.tobytes().decode().split("\0")[:-1]
        if len(texts) == len(lengths):
            return texts
        each = zip(addresses.tolist(), lengths.tolist(), strict=True)
        return [ctypes.string_at(begin, length).decode() for begin, length in each]


def address_of(buffer: bytearray) -> int:
    """Give the address of a buffer's first byte; it holds while the buffer is neither freed nor resized."""
    return ctypes.addressof(ctypes.c_char.from_buffer(buffer))


def _refuse(done: int) -> None:
    if done == -3:
        raise MemoryError("the kernel has no memory for a block")
    if done < 0:
        raise BadBlock
