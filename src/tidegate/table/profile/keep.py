"""A profile as bytes: a window's is kept as a file, and a week is the sum of its hours' files.

`TGPROFIL`, the length of a JSON header in eight bytes (little-endian), the header with every small state, the
numbers of all sketches as doubles, the hashes of all distinct counts as 64-bit whole numbers. A column takes
at most some 60 KB, however many rows it stands for.
"""

from __future__ import annotations

import json
import struct
from itertools import accumulate, pairwise
from typing import Any

import numpy as np

from tidegate.core.errors import TidegateError
from tidegate.table.profile.column import ColumnProfile
from tidegate.table.profile.distinct import Distinct
from tidegate.table.profile.frequencies import Frequencies, Numerals
from tidegate.table.profile.kll import Sketch
from tidegate.table.profile.moments import Moments
from tidegate.table.profile.succession import Succession
from tidegate.table.profile.table import Profile
from tidegate.table.profile.value_types import ValueTypes

MAGIC = b"TGPROFIL"
VERSION = 1
_HEAD = struct.Struct("<8sQ")


class BadProfile(TidegateError):
    """Bytes that are no profile of this version."""


def to_bytes(profile: Profile) -> bytes:
    """Write a profile."""
    columns = list(profile.columns.values())
    header = {
        "version": VERSION,
        "rows": profile.rows,
        "columns": [{"name": name, **_small(column)} for name, column in profile.columns.items()],
    }
    text = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)  # so that the numbers are aligned
    numbers = [level for column in columns for level in column.sketch.levels]
    hashes = [column.distinct.smallest for column in columns]
    parts = [array.astype(f"<{array.dtype.kind}8", copy=False).tobytes() for array in (*numbers, *hashes)]
    return b"".join([_HEAD.pack(MAGIC, len(text)), text, *parts])


def from_bytes(raw: bytes) -> Profile:
    """Read what `to_bytes` wrote.

    Raises
    ------
    BadProfile
        For anything else, or a file that was cut off.
    """
    if len(raw) < _HEAD.size or not raw.startswith(MAGIC):
        raise BadProfile("this is no profile that Tidegate wrote; profile the data again")
    begins = _HEAD.size + _HEAD.unpack_from(raw)[1]
    try:
        header = json.loads(raw[_HEAD.size : begins])
        if header["version"] != VERSION:
            raise BadProfile(f"this profile is of version {header['version']}; {VERSION} is read here")
        entries = header["columns"]
        levels = list(accumulate((sum(each["levels"]) for each in entries), initial=0))
        hashes = list(accumulate((each["distinct"] for each in entries), initial=0))
        numbers = np.frombuffer(raw, "<f8", levels[-1], begins)
        smallest = np.frombuffer(raw, "<u8", hashes[-1], begins + 8 * levels[-1])
        columns = {
            each["name"]: _column(each, numbers[a:b], smallest[c:d])
            for each, (a, b), (c, d) in zip(entries, pairwise(levels), pairwise(hashes), strict=True)
        }
    except (ValueError, KeyError, TypeError) as error:
        raise BadProfile(f"this profile is damaged ({error}); profile the data again") from None
    return Profile(header["rows"], columns)


def _small(column: ColumnProfile) -> dict[str, Any]:
    moments = column.moments
    return {
        "types": list(column.types.listed),
        "moments": [moments.count, moments.total, moments.m2, moments.least, moments.most],
        "levels": [len(level) for level in column.sketch.levels],
        "compactions": column.sketch.compactions,
        "distinct": len(column.distinct.smallest),
        "told": column.distinct.told,
        "numerals": None if column.numerals.counts is None else dict(column.numerals.counts),
        "texts": dict(column.frequencies.counts),
        "lost": column.frequencies.lost,
        "succession": column.succession.kept,
        "gaps": column.gaps.kept,
        "markers": dict(column.markers),
    }


def _column(entry: dict[str, Any], numbers: Any, smallest: Any) -> ColumnProfile:
    edges = pairwise(accumulate(entry["levels"], initial=0))
    return ColumnProfile(
        ValueTypes(*entry["types"]),
        Moments(*entry["moments"]),
        Sketch(tuple(numbers[begin:end] for begin, end in edges), entry["compactions"]),
        Distinct(smallest, entry["told"]),
        Numerals(entry["numerals"]),
        Frequencies(entry["texts"], entry["lost"]),
        Succession.read(entry.get("succession", ())),  # profiles of before this was counted have none
        entry.get("markers", {}),  # nor these
        Succession.read(entry.get("gaps", ())),
    )
