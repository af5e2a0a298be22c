"""64-bit hashes of texts and numbers that are the same on every machine and in every release."""

from __future__ import annotations

import hashlib

import numpy as np
import numpy.typing as npt

from tidegate.table.columns import Floats

Hashes = npt.NDArray[np.uint64]
GAP = np.uint64(0x9E3779B97F4A7C15)
_ALL = np.uint64((1 << 64) - 1)
_WORD, _STEP = (1 << 64) - 1, 0xD6E8FEB86659FD93


def text_hash(text: str) -> int:
    """Hash a text."""
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little")


def word_hash(text: str) -> int:
    """Hash a text by its 8-byte words, as the native kernel does.

    Examples
    --------
    >>> hex(word_hash("tidegate"))
    '0xbe8e877d7f4f0096'
    """
    raw = text.encode()
    value = len(raw) * int(GAP) & _WORD
    for at in range(0, len(raw), 8):
        value = (value ^ int.from_bytes(raw[at : at + 8], "little")) * _STEP & _WORD
        value ^= value >> 32
    return int(mixed(np.array([value], dtype=np.uint64))[0])


def word_hashes(offsets: npt.NDArray[np.int32], data: npt.NDArray[np.uint8]) -> Hashes:
    """Hash many texts as `word_hash` does, given as one run of bytes and where each begins and ends."""
    lengths = np.diff(offsets).astype(np.uint64)
    padded = np.concatenate([data, np.zeros(8, dtype=np.uint8)])
    words = np.lib.stride_tricks.sliding_window_view(padded, 8)
    found: Hashes = lengths * GAP
    for at in range(0, int(lengths.max(initial=0)), 8):
        rows = np.flatnonzero(lengths > at)
        word = words[offsets[rows] + at].view(np.uint64)[:, 0]
        left = np.minimum(lengths[rows] - np.uint64(at), np.uint64(8))
        mixed_in = (found[rows] ^ (word & (_ALL >> ((np.uint64(8) - left) * np.uint64(8))))) * np.uint64(
            _STEP
        )
        found[rows] = mixed_in ^ (mixed_in >> np.uint64(32))
    return mixed(found)


def number_bits(values: Floats) -> Hashes:
    """Give each number's bits: equal numbers alike, whatever the sign of a zero; `GAP` for a gap."""
    return np.where(np.isnan(values), GAP, (values + 0.0).view(np.uint64))  # -0.0 + 0.0 is 0.0


def number_hashes(values: Floats) -> Hashes:
    """Hash numbers, as the native kernel does."""
    return mixed(number_bits(values))


def mixed(values: Hashes) -> Hashes:
    """Spread 64-bit values: the finaliser of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014)."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))
