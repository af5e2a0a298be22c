"""A sketch as the bytes of Apache DataSketches' KLL of doubles, so that the field's tools read it.

The layout is that of `kll_sketch::serialize` (https://github.com/apache/datasketches-cpp, Apache-2.0): a
preamble of 20 bytes, the place where each level begins, the least and the greatest number, then the numbers,
those above the lowest level in order. Its c is 2/3 and ours 0.64, so every sketch of ours fits into its room.
"""

from __future__ import annotations

import struct

import numpy as np

from tidegate.table.profile.column import ColumnProfile
from tidegate.table.profile.kll import K, Sketch

PREAMBLE_INTS, SERIAL_VERSION, FAMILY, LEAST_WIDTH = 5, 1, 15, 8
SINGLE_PREAMBLE_INTS, SINGLE_VERSION = 2, 2
IS_EMPTY, IS_SINGLE = 1, 4
_POWERS_OF_THREE: list[int] = [3**at for at in range(31)]


def to_datasketches(column: ColumnProfile) -> bytes:
    """Write a column's sketch; `datasketches.kll_doubles_sketch.deserialize` reads it."""
    sketch, count = column.sketch, column.sketch.count
    if not count:
        return struct.pack(
            "<BBBBHBB", SINGLE_PREAMBLE_INTS, SERIAL_VERSION, FAMILY, IS_EMPTY, K, LEAST_WIDTH, 0
        )
    if count == 1:
        head = struct.pack(
            "<BBBBHBB", SINGLE_PREAMBLE_INTS, SINGLE_VERSION, FAMILY, IS_SINGLE, K, LEAST_WIDTH, 0
        )
        return head + np.concatenate(sketch.levels).astype("<f8").tobytes()
    levels = _levels(sketch)
    begins = sum(_room(len(levels), at) for at in range(len(levels))) - sum(map(len, levels))
    places = np.cumsum([begins, *(len(level) for level in levels[:-1])]).astype("<u4")
    head = struct.pack("<BBBBHBB", PREAMBLE_INTS, SERIAL_VERSION, FAMILY, 0, K, LEAST_WIDTH, 0)
    head += struct.pack("<QHBB", count, K, len(levels), 0)
    ends = struct.pack("<dd", column.moments.least, column.moments.most)
    return head + places.tobytes() + ends + np.concatenate(levels).astype("<f8").tobytes()


def _levels(sketch: Sketch) -> list[np.ndarray[tuple[int], np.dtype[np.float64]]]:
    """Give the levels, all but the lowest in order, and as many empty ones above as make room."""
    levels = [sketch.levels[0], *(np.sort(level) for level in sketch.levels[1:])]
    while sum(map(len, levels)) > sum(_room(len(levels), at) for at in range(len(levels))):
        levels.append(np.empty(0))
    return levels


def _room(levels: int, height: int) -> int:
    """Give the capacity of a level, as `kll_helper::level_capacity` computes it in whole numbers."""
    depth = levels - height - 1
    return max(LEAST_WIDTH, _whole(K, depth))


def _whole(k: int, depth: int) -> int:
    if depth > 30:
        return _whole(_whole(k, depth // 2), depth - depth // 2)
    doubled = (k << (depth + 1)) // _POWERS_OF_THREE[depth]
    return (doubled + 1) >> 1
