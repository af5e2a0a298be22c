"""What the cells of a pyarrow array of texts hold, found by pyarrow alone: slower than the kernel."""

from __future__ import annotations

from typing import Any

import numpy as np

from tidegate.table.columns import floats_of
from tidegate.table.hashing import Hashes, word_hashes
from tidegate.table.profile.column import Cells
from tidegate.table.profile.frequencies import MOST_NUMERALS, Frequencies, Numerals, cut_of
from tidegate.table.profile.value_types import (
    BOOLEAN_PATTERN,
    INTEGRAL_PATTERN,
    NUMBER_PATTERN,
    ValueTypes,
)
from tidegate.table.read.values import MISSING

SPACES = " \t\n\v\f\r"


def cells_of(texts: Any) -> Cells:
    """Type values one by one by their text; what the recipe calls a gap is missing here too."""
    import pyarrow as pa
    import pyarrow.compute as pc

    trimmed = pc.utf8_trim(texts, characters=SPACES)
    gaps = pc.or_kleene(
        pc.is_null(trimmed), pc.is_in(pc.ascii_lower(trimmed), pa.array(sorted(MISSING), pa.string()))
    )
    present = trimmed.filter(pc.invert(gaps))
    numeric = pc.match_substring_regex(present, NUMBER_PATTERN)
    numbers = pc.cast(pc.utf8_ltrim(present.filter(numeric), characters="+"), pa.float64())
    finite = pc.is_finite(numbers)  # 1e999 is written like a number and is none
    written = present.filter(numeric).filter(finite)
    others = pa.concat_arrays(
        [
            *_chunks(present.filter(pc.invert(numeric))),
            *_chunks(present.filter(numeric).filter(pc.invert(finite))),
        ]
    )
    integral = int(pc.sum(pc.match_substring_regex(written, INTEGRAL_PATTERN)).as_py() or 0)
    boolean = int(pc.sum(pc.match_substring_regex(others, BOOLEAN_PATTERN)).as_py() or 0)
    numerals = pc.value_counts(written)
    hashes, texts_counted = _counted(pc.value_counts(others))
    return Cells(
        types=ValueTypes(
            integral=integral,
            fractional=len(written) - integral,
            boolean=boolean,
            string=len(others) - boolean,
            missing=len(texts) - len(present),
        ),
        values=floats_of(numbers.filter(finite)),
        numerals=Numerals(
            {each["values"]: each["counts"] for each in numerals.to_pylist()}
            if len(numerals) <= MOST_NUMERALS
            else None
        ),
        hashes=hashes,
        texts=texts_counted,
    )


def _counted(counted: Any) -> tuple[Hashes, Frequencies]:
    """Hash every text, and take the most frequent over."""
    import pyarrow as pa
    import pyarrow.compute as pc

    names, counts = counted.field("values"), floats_of(pc.cast(counted.field("counts"), "float64"))
    _, where, data = names.buffers()
    if data is None:
        return np.empty(0, dtype=np.uint64), Frequencies()
    begins = np.frombuffer(where, np.int32, len(names) + 1, names.offset * 4)
    hashes = word_hashes(begins, np.frombuffer(data, np.uint8))
    whole = counts.astype(np.int64)
    cut = cut_of(whole)
    kept = np.flatnonzero(whole > cut)
    taken = names.take(pa.array(kept.tolist(), pa.int64())).to_pylist()
    return hashes, Frequencies(dict(zip(taken, (whole[kept] - cut).tolist(), strict=True)), cut)


def _chunks(array: Any) -> list[Any]:
    return array.chunks or [array.combine_chunks()] if hasattr(array, "chunks") else [array]
