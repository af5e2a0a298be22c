"""Sorts numbers and hashes: by the native kernel, about as fast on every make of processor, or by NumPy."""

from __future__ import annotations

from typing import TypeVar

import numpy as np

from tidegate.table import native
from tidegate.table.columns import Floats
from tidegate.table.hashing import Hashes

Words = TypeVar("Words", Floats, Hashes)
# Fewer are sorted by NumPy before the kernel has counted their digits.
FEW = 2_000


def sorted_numbers(values: Floats) -> Floats:
    """Sort finite numbers, the smallest first; -0.0 is 0.0."""
    found = _by_kernel(values, numbers=True)
    return np.sort(values) + 0.0 if found is None else found


def sorted_unsigned(words: Hashes) -> Hashes:
    """Sort whole numbers without a sign, such as hashes and counts, the smallest first."""
    found = _by_kernel(words, numbers=False)
    return np.sort(words) if found is None else found


def _by_kernel(words: Words, *, numbers: bool) -> Words | None:
    kernel = native.load() if len(words) >= FEW else None
    if kernel is None:
        return None
    given = np.ascontiguousarray(words)
    to, room = np.empty_like(given), np.empty_like(given)
    kernel.tg_sort(given.ctypes.data, len(given), numbers, to.ctypes.data, room.ctypes.data)
    return to
